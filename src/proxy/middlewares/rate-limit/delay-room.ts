// Where requests wait for their token: a bounded number of them in one worker, each gone with its client.

import type { Exchange } from '../../exchange.ts';
import { CONTINUE, type Verdict } from '../../hooks.ts';

const maxWaiting = 10_000;

export class DelayRoom {
  readonly #max: number;
  #waiting = 0;

  constructor(max: number = maxWaiting) {
    this.#max = max;
  }

  get isFull(): boolean {
    return this.#waiting >= this.#max;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** `wait` in milliseconds; settles at once when the client goes. */
  hold(x: Exchange, wait: number): Promise<Verdict> {
    this.#waiting += 1;
    return new Promise((resolve) => {
      const over = (): void => {
        this.#waiting -= 1;
        resolve(CONTINUE);
      };
      const timer = setTimeout(() => {
        x.running = null;
        over();
      }, Math.ceil(wait));
      x.running = {
        cancel() {
          clearTimeout(timer);
          over();
        },
      };
    });
  }

  /** Those that wait go on: each ends by itself within the half second of its wait. */
  close(): void {}
}
