// Health of servers: follows the snapshot in force, by probes and by what workers report, and tells what changes.

import type { ServerState } from '../../model/ipc.ts';
import type { LoadBalancerSpec, ServiceSpec, Snapshot, TransportSpec } from '../../model/snapshot.ts';
import type { Log } from '../../observability/log.ts';
import { maxProbes } from '../limits.ts';
import { createPassiveDowns, type PassiveDowns } from './passive.ts';
import { createProber, type Prober } from './probe.ts';
import { createSemaphore, type Semaphore } from './semaphore.ts';
import { createWatch, type Watch } from './watch.ts';

export interface HealthMonitor {
  /** Watches what the snapshot asks for; what has not changed keeps its state and its rhythm. */
  follow(snapshot: Snapshot): void;
  /** A worker has taken this server out: all others shall, until a probe or the end of its window says otherwise. */
  fails(service: string, url: string): void;
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
  return new Monitor(log, changed);
}

class Monitor implements HealthMonitor {
  readonly #log: Log;
  readonly #changed: (state: ServerState) => void;
  readonly #semaphore: Semaphore = createSemaphore(maxProbes);
  /** One per service with a health check: as large as the snapshot in force. */
  readonly #watched = new Map<string, Watched>();
  readonly #passive: PassiveDowns;
  /** Load balancers of the snapshot in force, by name. */
  #balancers: ReadonlyMap<string, LoadBalancerSpec> = new Map();

  constructor(log: Log, changed: (state: ServerState) => void) {
    this.#log = log;
    this.#changed = changed;
    this.#passive = createPassiveDowns((service, url) =>
      this.#tell(service, { url, up: true, reason: null }),
    );
  }

  follow(snapshot: Snapshot): void {
    const down = [...this.#balancers.values()].flatMap((spec) => this.#downOf(spec));
    this.#balancers = new Map(snapshot.services.filter(isBalancer).map((spec) => [spec.name, spec]));
    this.#passive.retain((service, url) => {
      const spec = this.#balancers.get(service);
      return spec !== undefined && isPassive(spec, url) && spec.healthCheck === null;
    });
    const checked = snapshot.services.filter(isChecked);
    const transports = new Map(snapshot.transports.map((spec) => [spec.name, spec]));
    const names = new Set(checked.map((service) => service.name));
    for (const [name, entry] of this.#watched) {
      if (names.has(name)) continue;
      this.#watched.delete(name);
      void end(entry);
    }
    for (const service of checked) {
      const transport = transports.get(service.serversTransport) ?? null;
      const before = this.#watched.get(service.name);
      if (before?.key === keyOf(service, transport)) {
        before.watch.setServers(service.servers);
        continue;
      }
      this.#watched.set(service.name, this.#begin(service, transport, before));
      if (before !== undefined) void end(before);
    }
    this.#takeBack(down);
  }

  fails(service: string, url: string): void {
    const spec = this.#balancers.get(service);
    const watched = this.#watched.get(service);
    if (spec?.passiveHealthCheck === undefined || !isPassive(spec, url)) {
      // Out of another configuration than the one in force: nobody else would take the server back in.
      this.#changed({ service, url, up: true });
    } else if (watched !== undefined) watched.watch.markDown(url);
    else if (this.#passive.add(service, url, spec.passiveHealthCheck.failureWindow))
      this.#tell(service, { url, up: false, reason: 'requests fail' });
  }

  downFor(snapshot: Snapshot): readonly ServerState[] {
    return snapshot.services.filter(isBalancer).flatMap((spec) => this.#downOf(spec));
  }

  serverStates(service: string): ReadonlyMap<string, boolean> | null {
    const spec = this.#balancers.get(service);
    if (spec === undefined || (spec.healthCheck === null && spec.passiveHealthCheck === undefined))
      return null;
    return new Map(spec.servers.map(({ url }) => [url, this.#isUp(spec, url)]));
  }

  async close(): Promise<void> {
    const entries = [...this.#watched.values()];
    this.#watched.clear();
    this.#passive.close();
    await Promise.all(entries.map(end));
  }

  #downOf(spec: LoadBalancerSpec): readonly ServerState[] {
    if (spec.healthCheck === null && spec.passiveHealthCheck === undefined) return [];
    return spec.servers
      .filter(({ url }) => !this.#isUp(spec, url))
      .map(({ url }) => ({ service: spec.name, url, up: false }));
  }

  /**
   * Workers ran the new snapshot before it came into force, and may have heard then what the old one's checks found:
   * where nothing checks any longer, nobody else would take the server back in.
   */
  #takeBack(down: readonly ServerState[]): void {
    for (const { service, url } of down) {
      const spec = this.#balancers.get(service);
      const isThere = spec?.servers.some((server) => server.url === url) === true;
      if (isThere && this.#isUp(spec, url)) this.#changed({ service, url, up: true });
    }
  }

  #isUp(spec: LoadBalancerSpec, url: string): boolean {
    if (spec.healthCheck === null) return !(isPassive(spec, url) && this.#passive.isDown(spec.name, url));
    const targets = this.#watched.get(spec.name)?.watch.targets() ?? [];
    return targets.find((target) => target.server.url === url)?.up ?? spec.healthCheck.initial === 'up';
  }

  #begin(service: Checked, transport: TransportSpec | null, before: Watched | undefined): Watched {
    const prober = createProber(transport);
    const options = {
      check: service.healthCheck,
      prober,
      semaphore: this.#semaphore,
      changed: (url: string, up: boolean, reason: string | null) =>
        this.#tell(service.name, { url, up, reason }),
    };
    const known = (before?.watch.targets() ?? []).map((target) => ({ ...target, due: performance.now() }));
    return {
      key: keyOf(service, transport),
      prober,
      watch: createWatch(options, service.servers, known),
    };
  }

  #tell(service: string, { url, up, reason }: Change): void {
    const fields = { service, url, ...(reason === null ? {} : { reason }) };
    if (up) this.#log.info(fields, 'server is up');
    else this.#log.warn(fields, 'server is down');
    this.#changed({ service, url, up });
  }
}

interface Change {
  readonly url: string;
  readonly up: boolean;
  readonly reason: string | null;
}

async function end(entry: Watched): Promise<void> {
  entry.watch.close();
  await entry.prober.close();
}

function isBalancer(service: ServiceSpec): service is LoadBalancerSpec {
  return service.kind === 'loadBalancer' && service.errors.length === 0;
}

function isChecked(service: ServiceSpec): service is Checked {
  return isBalancer(service) && service.healthCheck !== null;
}

function isPassive(spec: LoadBalancerSpec, url: string): boolean {
  return spec.passiveHealthCheck !== undefined && spec.servers.some((server) => server.url === url);
}

function keyOf(service: Checked, transport: TransportSpec | null): string {
  return JSON.stringify([service.healthCheck, transport]);
}
