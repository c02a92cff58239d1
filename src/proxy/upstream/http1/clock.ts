// One coarse clock per pool: deadlines are compared with its ticks, so that no request sets a timer.

import { tickBounds } from './limits.ts';

export class Clock {
  /** Ticks so far; it stands still while stopped. */
  now = 0;
  readonly #length: number;
  readonly #onTick: () => void;
  #timer: NodeJS.Timeout | null = null;

  /** A tick is an eighth of the shortest of `timeouts` (milliseconds, 0 for none), within bounds. */
  constructor(timeouts: readonly number[], onTick: () => void) {
    const shortest = Math.min(...timeouts.filter((timeout) => timeout > 0), tickBounds.most * 8);
    this.#length = Math.min(tickBounds.most, Math.max(tickBounds.least, Math.floor(shortest / 8)));
    this.#onTick = onTick;
  }

  /** The tick in `milliseconds`, never too early; 0, which is no deadline, for 0 and less. */
  in(milliseconds: number): number {
    if (milliseconds <= 0) return 0;
    // One more, because the running tick is partly over.
    return this.now + Math.ceil(milliseconds / this.#length) + 1;
  }

  /** Does not keep the process alive. */
  start(): void {
    if (this.#timer !== null) return;
    this.#timer = setInterval(() => {
      this.now++;
      this.#onTick();
    }, this.#length);
    this.#timer.unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }
}
