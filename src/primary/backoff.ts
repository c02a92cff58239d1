// How long to wait before a dead worker is replaced: not at all, unless it keeps dying young.

import { backoffFirst, backoffMost, youngDeath } from './limits.ts';

export interface Backoff {
  /** Milliseconds to wait after a worker died at the age of `age` milliseconds. */
  died(age: number): number;
  /** Young deaths in a row. */
  readonly streak: number;
}

/** The first young death is an accident and costs nothing; from the second on the wait doubles. */
export function createBackoff(): Backoff {
  let streak = 0;
  return {
    died(age) {
      if (age >= youngDeath) {
        streak = 0;
        return 0;
      }
      streak += 1;
      return streak === 1 ? 0 : Math.min(backoffFirst * 2 ** Math.min(streak - 2, 20), backoffMost);
    },
    get streak() {
      return streak;
    },
  };
}
