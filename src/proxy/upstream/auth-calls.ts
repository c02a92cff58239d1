// The calls under way of one auth client: how many there are, and the end of those whose time is over.

/** A call as its client keeps it. */
export interface TimedCall {
  /** On the clock of `performance.now()`. */
  readonly deadline: number;
  /** Its place among the calls under way; theirs to write. */
  place: number;
  /** The deadline has come. It leaves before this returns. */
  expire(): void;
}

/** Milliseconds between two looks at the deadlines: what a call may take beyond its timeout. */
const tick = 25;

export class AuthCalls<Call extends TimedCall> {
  /**
   * A list in no order, as full as `most` of the client. Not a Set: each time a Set makes itself a new table the
   * old one points to it, so that old tables, dead but not yet collected, kept four calls in ten alive past
   * every scavenge. (Measured: pauses of 8 to 13 ms instead of 0.5.)
   */
  readonly #calls: Call[] = [];
  #timer: NodeJS.Timeout | null = null;

  get size(): number {
    return this.#calls.length;
  }

  add(call: Call): void {
    call.place = this.#calls.length;
    this.#calls.push(call);
    this.#timer ??= setInterval(() => this.#look(), tick).unref();
  }

  remove(call: Call): void {
    const last = this.#calls.pop();
    if (last === undefined || last === call) return;
    this.#calls[call.place] = last;
    last.place = call.place;
  }

  /** Those of now; `act` may end them. */
  forEach(act: (call: Call) => void): void {
    for (const call of this.#calls.slice()) act(call);
  }

  #look(): void {
    if (this.#calls.length === 0 && this.#timer !== null) {
      clearInterval(this.#timer);
      this.#timer = null;
      return;
    }
    const now = performance.now();
    // From the end: the place of one that leaves is taken by one that was looked at already.
    for (let at = this.#calls.length - 1; at >= 0; at--) {
      const call = this.#calls[at];
      if (call !== undefined && call.deadline <= now) call.expire();
    }
  }
}
