// Says in the log that the shared state does not answer, and does not say it for every request.

import type { BuildDeps } from './define.ts';
import { quietly } from './quietly.ts';

/** To be called whenever a call failed; `answered` says what clients get. */
export function unreachableNotice(deps: BuildDeps, answered: string): () => void {
  return quietly(() =>
    deps.log.error(`${deps.name}: the shared state does not answer; requests get ${answered}`),
  );
}
