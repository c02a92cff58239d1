// Work that is done one after the other.

import { orAborted } from './times.ts';

/** Rejects with the signal's reason when that comes while it waits; the others then go on without it. */
export function createTurns(): <T>(work: () => Promise<T>, signal: AbortSignal) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work, signal) => {
    const turn = last.then(() => {
      signal.throwIfAborted();
      return work();
    });
    last = turn.catch(() => undefined);
    return orAborted(turn, signal);
  };
}
