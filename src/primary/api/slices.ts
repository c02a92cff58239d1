// Work over long lists in slices, so that health checks, reloads and workers get their turn in between.

import { setImmediate as nextTurn } from 'node:timers/promises';

/** Milliseconds of work at a stretch. */
const slice = 8;

/** As `Array.map`, with pauses. */
export async function mapInSlices<T, U>(items: readonly T[], change: (item: T) => U): Promise<U[]> {
  const changed: U[] = [];
  let since = performance.now();
  for (const item of items) {
    changed.push(change(item));
    if (performance.now() - since < slice) continue;
    await nextTurn();
    since = performance.now();
  }
  return changed;
}

/** Runs a generator to its end, with pauses. */
export async function runInSlices<T>(steps: Iterator<unknown, T>): Promise<T> {
  let since = performance.now();
  for (let step = steps.next(); ; step = steps.next()) {
    if (step.done === true) return step.value;
    if (performance.now() - since < slice) continue;
    await nextTurn();
    since = performance.now();
  }
}

export interface Queue {
  /** Null at once when too many wait already. */
  run<T>(work: () => Promise<T>): Promise<T> | null;
}

/** One piece of work after the other: what they hold in memory does not add up. */
export function createQueue(maxWaiting: number): Queue {
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  return {
    run(work) {
      if (waiting >= maxWaiting) return null;
      waiting += 1;
      const done = last.then(work).finally(() => (waiting -= 1));
      last = done.catch(() => {});
      return done;
    },
  };
}
