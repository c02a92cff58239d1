// Whether the far state is used at this moment: away after some failures in a row, back as soon as it answers.

/** Failures in a row, at most one of which is worth waiting for. */
const maxFailures = 3;
/** Milliseconds between two probes while it is away. */
const probeEvery = 250;

export interface CircuitOptions {
  /** A call like those of requests; rejects as they do. */
  readonly probe: () => Promise<unknown>;
  /** Whether there is a connection; without one nothing need be tried. */
  readonly isConnected: () => boolean;
  /** Once a change. */
  readonly changed: (isAway: boolean) => void;
}

/** Away after three failures in a row, or one without a connection; back with the first probe that is answered. */
export class Circuit {
  readonly #options: CircuitOptions;
  #failures = 0;
  #isAway = false;
  #timer: NodeJS.Timeout | null = null;
  #isClosed = false;

  constructor(options: CircuitOptions) {
    this.#options = options;
  }

  get isAway(): boolean {
    return this.#isAway;
  }

  /** Passes on what `call` gives, and counts it. */
  async watch<T>(call: Promise<T>): Promise<T> {
    try {
      const value = await call;
      this.#failures = 0;
      return value;
    } catch (error) {
      this.#failures += 1;
      if (this.#failures >= maxFailures || !this.#options.isConnected()) this.leave();
      throw error;
    }
  }

  leave(): void {
    if (this.#isAway || this.#isClosed) return;
    this.#isAway = true;
    this.#options.changed(true);
    this.#wait();
  }

  close(): void {
    this.#isClosed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #wait(): void {
    this.#timer = setTimeout(() => void this.#probe(), probeEvery).unref();
  }

  async #probe(): Promise<void> {
    try {
      await this.#options.probe();
    } catch {
      if (!this.#isClosed) this.#wait();
      return;
    }
    if (this.#isClosed) return;
    this.#failures = 0;
    this.#isAway = false;
    this.#options.changed(false);
  }
}
