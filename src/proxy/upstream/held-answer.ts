// What comes of an answer while its head waits: kept, and given on in the same order.

import type { GatewayError } from '../errors.ts';

/** Who gets it in the end. */
interface Taker {
  onData(chunk: Uint8Array): boolean;
  onEnd(): void;
  onError(error: GatewayError): void;
  resume(): void;
}

/** Holds back the server from its first piece on: what was under way already is all that is kept. */
export class HeldAnswer {
  readonly #chunks: Uint8Array[] = [];
  #isOver = false;
  #error: GatewayError | null = null;

  take(chunk: Uint8Array): boolean {
    // The chunk is a view of memory that is used again.
    this.#chunks.push(Buffer.from(chunk));
    return false;
  }

  finish(): void {
    this.#isOver = true;
  }

  fail(error: GatewayError): void {
    this.#error = error;
  }

  /** Once. */
  release(taker: Taker): void {
    let flows = true;
    for (const chunk of this.#chunks) flows = taker.onData(chunk);
    if (this.#error !== null) taker.onError(this.#error);
    else if (this.#isOver) taker.onEnd();
    else if (flows && this.#chunks.length > 0) taker.resume();
  }
}
