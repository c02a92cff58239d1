// What the requests to one server tell: how many are with it, how soon it answers, whether it fails.

import type { PassiveHealthCheckSpec } from '../../model/snapshot.ts';
import type { ServerWatch } from './server.ts';

/** Answers over which the time to the first byte is averaged. */
const samples = 100;

export interface StatsOptions {
  /** Null: failures are not counted. */
  readonly passive: PassiveHealthCheckSpec | null;
  /** Whether `meanMs` is asked for. */
  readonly timed: boolean;
  /** The server has failed as often as `passive` allows. */
  readonly failing: () => void;
}

export class ServerStats implements ServerWatch {
  inFlight = 0;
  readonly #passive: PassiveHealthCheckSpec | null;
  readonly #failing: () => void;
  readonly #times: Float64Array | null;
  #count = 0;
  #next = 0;
  #sum = 0;
  #failures = 0;
  #firstFailure = 0;

  constructor({ passive, timed, failing }: StatsOptions) {
    this.#passive = passive;
    this.#failing = failing;
    this.#times = timed ? new Float64Array(samples) : null;
  }

  /** Milliseconds to the answer's head, over the last 100 answers; 0 before the first. */
  get meanMs(): number {
    return this.#count === 0 ? 0 : this.#sum / this.#count;
  }

  began(): void {
    this.inFlight++;
  }

  answered(status: number, ms: number): void {
    if (this.#times !== null) this.#note(this.#times, ms);
    if (this.#passive === null) return;
    if (status >= 500) this.failed();
    else this.#failures = 0;
  }

  failed(): void {
    if (this.#passive === null) return;
    const now = performance.now();
    if (this.#failures === 0 || now - this.#firstFailure > this.#passive.failureWindow) {
      this.#failures = 0;
      this.#firstFailure = now;
    }
    this.#failures++;
    if (this.#failures < this.#passive.maxFailedAttempts) return;
    this.#failures = 0;
    this.#failing();
  }

  left(): void {
    this.inFlight--;
  }

  #note(times: Float64Array, ms: number): void {
    this.#sum += ms - (times[this.#next] as number);
    times[this.#next] = ms;
    this.#next = (this.#next + 1) % samples;
    if (this.#count < samples) this.#count++;
    // Sums of differences drift: once a round it is added up anew.
    if (this.#next === 0) this.#sum = times.reduce((sum, time) => sum + time, 0);
  }
}
