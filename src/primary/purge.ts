// A purge of auth decisions in all workers, counted only once each of them has confirmed.

import type { PurgeSelector } from '../model/ipc.ts';
import { ackTimeout, maxPurges } from './limits.ts';
import { type WorkerHandle, WorkerLost } from './worker-handle.ts';

export type Purge = (selector: PurgeSelector) => Promise<number>;

/** Rejects when a worker that still serves did not confirm, or when 64 purges are under way. */
export function createPurge(workers: () => readonly WorkerHandle[]): Purge {
  let lastId = 0;
  let underWay = 0;
  return async (selector) => {
    if (underWay >= maxPurges) throw new Error('too many purges are under way');
    underWay += 1;
    lastId += 1;
    const id = lastId;
    try {
      // Those that drain too: they still answer requests.
      const counts = await Promise.all(workers().map((handle) => purgeOne(handle, id, selector)));
      return counts.reduce((sum, entries) => sum + entries, 0);
    } finally {
      underWay -= 1;
    }
  };
}

async function purgeOne(handle: WorkerHandle, id: number, selector: PurgeSelector): Promise<number> {
  const confirmed = handle.wait(
    (message) => (message.type === 'purged' && message.id === id ? message.entries : null),
    ackTimeout,
  );
  handle.send({ type: 'purge', id, selector });
  try {
    return await confirmed;
  } catch (error) {
    // What died has forgotten everything.
    if (error instanceof WorkerLost && error.why === 'exit') return 0;
    throw new Error(`worker ${handle.pid} has not confirmed the purge`, { cause: error });
  }
}
