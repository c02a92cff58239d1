// Says in the log that the shared state does not answer, and does not say it for every request.

import type { BuildDeps } from './define.ts';

/** Milliseconds. */
const atMostEvery = 10_000;

/** To be called whenever a call failed; `answered` says what clients get. */
export function unreachableNotice(deps: BuildDeps, answered: string): () => void {
  let last = -Infinity;
  return () => {
    const now = performance.now();
    if (now - last < atMostEvery) return;
    last = now;
    deps.log.error(`${deps.name}: the shared state does not answer; requests get ${answered}`);
  };
}
