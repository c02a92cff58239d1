// Active health checks: follows the snapshot in force and tells what changes.

import type { ServerState } from '../../model/ipc.ts';
import type { LoadBalancerSpec, ServiceSpec, Snapshot } from '../../model/snapshot.ts';
import type { Log } from '../../observability/log.ts';
import { maxProbes } from '../limits.ts';
import { createProber, type Prober } from './probe.ts';
import { createSemaphore } from './semaphore.ts';
import { createWatch, type Watch } from './watch.ts';

export interface HealthMonitor {
  /** Watches what the snapshot asks for; what has not changed keeps its state and its rhythm. */
  follow(snapshot: Snapshot): void;
  /** Servers that would be down as this snapshot comes into force. */
  downFor(snapshot: Snapshot): readonly ServerState[];
  /** State by server URL; null for a service without a health check. */
  serverStates(service: string): ReadonlyMap<string, boolean> | null;
  close(): Promise<void>;
}

interface Watched {
  /** Everything but the list of servers: when it changes, the watch begins anew. */
  readonly key: string;
  readonly prober: Prober;
  readonly watch: Watch;
}

type Checked = LoadBalancerSpec & { readonly healthCheck: NonNullable<LoadBalancerSpec['healthCheck']> };

/** `changed` goes to the workers; the log line is written here, once per change. */
export function createHealthMonitor(log: Log, changed: (state: ServerState) => void): HealthMonitor {
  const semaphore = createSemaphore(maxProbes);
  // One per service with a health check: as large as the snapshot in force.
  const watched = new Map<string, Watched>();
  const begin = (service: Checked, snapshot: Snapshot, before: Watched | undefined): Watched => {
    const transport = snapshot.transports.find((spec) => spec.name === service.serversTransport) ?? null;
    const prober = createProber(transport);
    const report = (url: string, up: boolean, reason: string | null): void => {
      const fields = { service: service.name, url, ...(reason === null ? {} : { reason }) };
      if (up) log.info(fields, 'server is up');
      else log.warn(fields, 'server is down');
      changed({ service: service.name, url, up });
    };
    const options = { check: service.healthCheck, prober, semaphore, changed: report };
    const known = (before?.watch.targets() ?? []).map((target) => ({ ...target, due: performance.now() }));
    return { key: keyOf(service, snapshot), prober, watch: createWatch(options, service.servers, known) };
  };
  const end = async (entry: Watched): Promise<void> => {
    entry.watch.close();
    await entry.prober.close();
  };
  return {
    follow(snapshot) {
      const checked = snapshot.services.filter(isChecked);
      const names = new Set(checked.map((service) => service.name));
      for (const [name, entry] of watched) {
        if (names.has(name)) continue;
        watched.delete(name);
        void end(entry);
      }
      for (const service of checked) {
        const before = watched.get(service.name);
        if (before?.key === keyOf(service, snapshot)) {
          before.watch.setServers(service.servers);
          continue;
        }
        watched.set(service.name, begin(service, snapshot, before));
        if (before !== undefined) void end(before);
      }
    },
    downFor: (snapshot) => snapshot.services.filter(isChecked).flatMap((service) => downOf(service, watched)),
    serverStates(service) {
      const entry = watched.get(service);
      if (entry === undefined) return null;
      return new Map(entry.watch.targets().map((target) => [target.server.url, target.up]));
    },
    async close() {
      const entries = [...watched.values()];
      watched.clear();
      await Promise.all(entries.map(end));
    },
  };
}

function isChecked(service: ServiceSpec): service is Checked {
  return service.kind === 'loadBalancer' && service.healthCheck !== null && service.errors.length === 0;
}

function keyOf(service: Checked, snapshot: Snapshot): string {
  const transport = snapshot.transports.find((spec) => spec.name === service.serversTransport) ?? null;
  return JSON.stringify([service.healthCheck, transport]);
}

function downOf(service: Checked, watched: ReadonlyMap<string, Watched>): readonly ServerState[] {
  const targets = watched.get(service.name)?.watch.targets() ?? [];
  const isUp = (url: string): boolean =>
    targets.find((target) => target.server.url === url)?.up ?? service.healthCheck.initial === 'up';
  return service.servers
    .filter((server) => !isUp(server.url))
    .map((server) => ({ service: service.name, url: server.url, up: false }));
}
