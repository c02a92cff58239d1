// Probe: the container engine.

import type { Finding } from './finding.ts';
import type { Scene } from './scene.ts';

export function probeEngine({ engine }: Scene): Finding[] {
  if (engine === null) return [];
  const { endpoint, took, containers, problem } = engine;
  if (problem === null)
    return [
      {
        level: 'ok',
        says: `${endpoint} answers in ${took.toFixed(0)} ms, ${containers} containers with something to say`,
      },
    ];
  const fix = problem.hint ?? '`docker version` with the same endpoint says more';
  return [{ level: 'error', says: `${endpoint}: ${problem.message}`, fix }];
}
