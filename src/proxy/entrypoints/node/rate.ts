// Whether something happens too often, counted by the second.

export class Rate {
  readonly #most: number;
  #since = 0;
  #count = 0;

  /** `most` within one second is not too often. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Counts one more. */
  isOver(now: number = performance.now()): boolean {
    if (now - this.#since >= 1000) {
      this.#since = now;
      this.#count = 0;
    }
    this.#count += 1;
    return this.#count > this.#most;
  }
}
