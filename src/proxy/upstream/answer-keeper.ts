// Takes an answer's body that does not go to the client as it comes: kept whole for a response hook, or
// read and dropped so that its connection can serve again.

import type { AnswerTaker } from '../exchange-work.ts';

/** A dropped body longer than this costs its connection. */
const maxDroppedBytes = 64 * 1024;
/** Milliseconds that the rest of a dropped body may take. */
const maxDropTime = 1000;

export class AnswerKeeper implements AnswerTaker {
  /** Null when it is longer than its bound. */
  readonly whole: Promise<Uint8Array | null>;
  readonly #maxBytes: number;
  readonly #running: { cancel(): void };
  #chunks: Uint8Array[] | null = [];
  #bytes = 0;
  #giveUp: NodeJS.Timeout | null = null;
  #resolve!: (body: Uint8Array | null) => void;
  #reject!: (error: Error) => void;

  /** Calls `running.cancel` when the body is longer than `maxBytes`. */
  constructor(maxBytes: number, running: { cancel(): void }) {
    this.#maxBytes = maxBytes;
    this.#running = running;
    this.whole = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** For a body nobody wants, `length` bytes long (-1: unknown). Calls `running.cancel` when it is too much. */
  static forDropped(running: { cancel(): void }, length: number): AnswerKeeper {
    const keeper = new AnswerKeeper(maxDroppedBytes, running);
    keeper.#chunks = null;
    keeper.whole.catch(() => {});
    if (length > maxDroppedBytes) running.cancel();
    else if (length !== 0) {
      keeper.#giveUp = setTimeout(() => running.cancel(), maxDropTime);
      keeper.#giveUp.unref();
    }
    return keeper;
  }

  take(chunk: Uint8Array): boolean {
    this.#bytes += chunk.length;
    if (this.#bytes > this.#maxBytes) {
      this.#settle();
      this.#resolve(null);
      this.#running.cancel();
      return true;
    }
    // The chunk is a view of memory that is used again.
    this.#chunks?.push(Buffer.from(chunk));
    return true;
  }

  finish(): void {
    const chunks = this.#chunks;
    this.#settle();
    this.#resolve(chunks === null ? null : Buffer.concat(chunks));
  }

  fail(error: Error): void {
    this.#settle();
    this.#reject(error);
  }

  #settle(): void {
    this.#chunks = null;
    if (this.#giveUp !== null) clearTimeout(this.#giveUp);
  }
}
