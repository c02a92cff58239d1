// An entry point's read and write timeouts, looked after once a second for all Exchanges together: a timer
// for each would cost every request for the few that are slow.

import type { EntryPointSpec } from '../../model/entry-point.ts';

/** Milliseconds between two looks: how late a timeout may come. */
const lookEvery = 1000;

/** The client's side of a request, of whichever engine. */
export interface Timed {
  readonly finished: boolean;
  readonly body: TimedBody | null;
  abort(): void;
}

export interface TimedBody {
  readonly complete: boolean;
  /** Held back by us: silence is not the client's fault then. */
  readonly isPaused: boolean;
  /** `performance.now()`. */
  readonly lastByteAt: number;
}

interface Watched {
  readonly downstream: Timed;
  readonly since: number;
}

/** What it holds is bounded by the requests of one second and those still running. */
export class Stopwatch {
  readonly #readTimeout: number;
  readonly #writeTimeout: number;
  #watched: Watched[] = [];
  readonly #timer: NodeJS.Timeout | null;

  constructor(transport: EntryPointSpec['transport']) {
    this.#readTimeout = transport.readTimeout;
    this.#writeTimeout = transport.writeTimeout;
    const isNeeded = this.#readTimeout > 0 || this.#writeTimeout > 0;
    this.#timer = isNeeded ? setInterval(() => this.#look(), lookEvery).unref() : null;
  }

  watch(downstream: Timed): void {
    const isUpload = downstream.body !== null && this.#readTimeout > 0;
    if (isUpload || this.#writeTimeout > 0) this.#watched.push({ downstream, since: performance.now() });
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  #look(): void {
    const now = performance.now();
    this.#watched = this.#watched.filter((watched) => {
      if (watched.downstream.finished) return false;
      if (!this.#isLate(watched, now)) return true;
      watched.downstream.abort();
      return false;
    });
  }

  #isLate({ downstream, since }: Watched, now: number): boolean {
    const { body } = downstream;
    // The timeout is for silence, not for the whole body: a long upload that moves is no attack.
    const isSilent =
      body !== null && !body.complete && !body.isPaused && now - body.lastByteAt > this.#readTimeout;
    if (this.#readTimeout > 0 && isSilent) return true;
    return this.#writeTimeout > 0 && now - since > this.#writeTimeout;
  }
}
