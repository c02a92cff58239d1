// One circuit breaker: closed while all is well, open when its condition holds, then opened to more and more.

import type { Predicate } from '../predicate.ts';
import type { Window } from './window.ts';

export interface BreakerOptions {
  /** Milliseconds between two looks at the condition. */
  readonly checkPeriod: number;
  /** Milliseconds in which nothing passes. */
  readonly fallbackDuration: number;
  /** Milliseconds over which the share that passes grows to a half. */
  readonly recoveryDuration: number;
}

export interface BreakerParts {
  readonly options: BreakerOptions;
  readonly window: Window;
  readonly condition: Predicate<Window>;
  /** Told at each change of state. */
  readonly changed: (state: BreakerState) => void;
}

export type BreakerState = 'standby' | 'tripped' | 'recovering';

/** All times are milliseconds of one clock that never goes back. */
export class Breaker {
  state: BreakerState = 'standby';
  readonly #parts: BreakerParts;
  /** When the state ends by itself. */
  #until = 0;
  #nextCheck = 0;
  #passed = 0;
  #refused = 0;

  constructor(parts: BreakerParts) {
    this.#parts = parts;
  }

  /** Whether a request may go on. */
  admits(now: number): boolean {
    if (this.state === 'standby') return true;
    if (this.state === 'tripped') {
      if (now < this.#until) return false;
      this.#enter('recovering', now + this.#parts.options.recoveryDuration);
      this.#passed = 0;
      this.#refused = 0;
    }
    if (now > this.#until) {
      this.#enter('standby', 0);
      return true;
    }
    return this.#admitsShare(now);
  }

  /** An answer to a request that was admitted. */
  answered(status: number, ms: number, now: number): void {
    const { window, options, condition } = this.#parts;
    window.record(status, ms, now);
    if (now < this.#nextCheck) return;
    this.#nextCheck = now + options.checkPeriod;
    if (this.state === 'tripped' || !condition(window)) return;
    this.#enter('tripped', now + options.fallbackDuration);
    window.reset();
  }

  close(): void {}

  /** As many pass as keep their share below a line that rises from 0 to one half. */
  #admitsShare(now: number): boolean {
    const { recoveryDuration } = this.#parts.options;
    const elapsed = now - (this.#until - recoveryDuration);
    const isBelow =
      (this.#passed + 1) / (this.#passed + 1 + this.#refused) < (0.5 * elapsed) / recoveryDuration;
    if (isBelow) this.#passed++;
    else this.#refused++;
    return isBelow;
  }

  #enter(state: BreakerState, until: number): void {
    this.state = state;
    this.#until = until;
    this.#parts.changed(state);
  }
}
