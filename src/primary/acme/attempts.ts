// What has failed for which names, and when it is tried again: as stored, and what this process alone knows.

import type { Attempt } from './storage.ts';
import { latestTry } from './times.ts';

type Known = Pick<Attempt, 'failures' | 'nextTry' | 'lastError'>;

const nothingFailed: Known = { failures: 0, nextTry: 0, lastError: '' };

/** Of a try that has begun and not ended, here or on another node. */
const begun = 'interrupted';

/** By names, sorted and joined by a comma. */
export class Attempts {
  #stored: ReadonlyMap<string, Attempt> = new Map();
  /** Milliseconds since 1970, by names: what another node works on is looked at again then. */
  readonly #postponed = new Map<string, number>();

  set(attempts: readonly Attempt[]): void {
    this.#stored = new Map(attempts.map((attempt) => [attempt.names, attempt]));
  }

  of(names: string): Known {
    return this.#stored.get(names) ?? nothingFailed;
  }

  /** Milliseconds since 1970; not later than any real failure can ask for. */
  nextTry(names: string, now: number): number {
    const { nextTry } = this.of(names);
    const postponed = this.#postponed.get(names) ?? 0;
    // A later one was written under a wrong clock.
    return [nextTry, postponed].reduce((most, one) => (one > latestTry(now) ? most : Math.max(most, one)), 0);
  }

  /** Of the last try that has ended; null: it went well, or there was none. */
  lastError(names: string): string | null {
    const { lastError } = this.of(names);
    return lastError === '' || lastError === begun ? null : lastError;
  }

  /** Nothing has failed yet, and a try may even be under way. */
  isHopeful(names: string): boolean {
    return this.lastError(names) === null;
  }

  note(attempt: Attempt): void {
    this.#stored = new Map(this.#stored).set(attempt.names, attempt);
  }

  forget(names: string): void {
    const left = new Map(this.#stored);
    left.delete(names);
    this.#stored = left;
    this.#postponed.delete(names);
  }

  postpone(names: string, until: number): void {
    if (this.#postponed.size >= maxPostponed) this.#postponed.clear();
    this.#postponed.set(names, until);
  }
}

/** Sets of names; when there are more, another node is asked again a little early. */
const maxPostponed = 10_000;

/** Of names against which nothing stands. */
export function nothingAgainst(names: string): Attempt {
  return { names, ...nothingFailed };
}

/** Stored before a try: a gateway that dies in the middle, again and again, must not order again and again. */
export function begunAttempt(names: string, before: Known, nextTry: number): Attempt {
  return { names, failures: before.failures + 1, nextTry, lastError: before.lastError || begun };
}
