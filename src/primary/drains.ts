// Servers that the API said to drain: they keep their sessions and get nothing new, until it says otherwise.

import type { ServerName, ToWorker } from '../model/ipc.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { ackTimeout } from './limits.ts';
import { type WorkerHandle, WorkerLost } from './worker-handle.ts';

export interface Drains {
  list(): readonly ServerName[];
  /** Settles once every worker knows. False: there is no such server. Rejects when a worker does not confirm. */
  set(server: ServerName, drain: boolean): Promise<boolean>;
  /** Servers that are gone drain no more: one that comes under the same URL later is another one. */
  follow(snapshot: Snapshot): void;
  /** For a new worker, before its first snapshot. */
  greeting(): readonly ToWorker[];
}

/** Servers that drain at one time. */
const maxDrains = 1000;

export interface DrainsOptions {
  readonly workers: () => readonly WorkerHandle[];
  readonly snapshot: () => Snapshot;
}

export function createDrains({ workers, snapshot }: DrainsOptions): Drains {
  let drains: readonly ServerName[] = [];
  let lastId = 0;
  return {
    list: () => drains,
    async set(server, drain) {
      const others = drains.filter((one) => !isSame(one, server));
      if (drain) {
        if (!isThere(snapshot(), server)) return false;
        if (others.length >= maxDrains) throw new Error(`at most ${maxDrains} servers may drain`);
      } else if (others.length === drains.length && !isThere(snapshot(), server)) return false;
      drains = drain ? [...others, server] : others;
      lastId += 1;
      const id = lastId;
      await Promise.all(workers().map((handle) => tell(handle, id, drains)));
      return true;
    },
    follow(now) {
      const left = drains.filter((one) => isThere(now, one));
      if (left.length === drains.length) return;
      drains = left;
      for (const handle of workers()) handle.send({ type: 'drains', id: 0, drains });
    },
    greeting: () => (drains.length === 0 ? [] : [{ type: 'drains', id: 0, drains }]),
  };
}

function isSame(a: ServerName, b: ServerName): boolean {
  return a.service === b.service && a.url === b.url;
}

function isThere({ services }: Snapshot, { service, url }: ServerName): boolean {
  return services.some(
    (spec) =>
      spec.kind === 'loadBalancer' && spec.name === service && spec.servers.some((one) => one.url === url),
  );
}

async function tell(handle: WorkerHandle, id: number, drains: readonly ServerName[]): Promise<void> {
  const confirmed = handle.wait(
    (message) => (message.type === 'drains-set' && message.id === id ? true : null),
    ackTimeout,
  );
  handle.send({ type: 'drains', id, drains });
  try {
    await confirmed;
  } catch (error) {
    if (error instanceof WorkerLost && error.why === 'exit') return;
    throw new Error(`worker ${handle.pid} has not confirmed`, { cause: error });
  }
}
