// A client's body as a stream undici can read, with back-pressure to the client.

import { Readable } from 'node:stream';
import type { BodySink, RequestBody } from '../body.ts';

/** A write this large always makes Node's sockets say when it has left: their own high-water mark, bytes. */
const largeBytes = 64 * 1024;

export class BodyStream extends Readable implements BodySink {
  readonly #body: RequestBody;
  #piped = false;
  /** Large chunks whose memory is given back once they have left; between two drains there are one or two. */
  #large: { readonly chunk: Uint8Array; readonly end: number }[] = [];
  #pushed = 0;

  constructor(body: RequestBody) {
    super({ highWaterMark: largeBytes });
    this.#body = body;
    // The client may leave before undici listens; an error nobody hears would end the worker.
    this.on('error', () => {});
  }

  override _read(): void {
    if (this.#piped) {
      this.#body.resume();
      return;
    }
    this.#piped = true;
    this.#body.pipe(this);
  }

  /** undici calls this when its socket has drained: what it was given before has left. */
  override resume(): this {
    if (this.#large.length > 0) this.#release();
    return super.resume();
  }

  data(chunk: Uint8Array): boolean {
    this.#pushed += chunk.length;
    if (chunk.length >= largeBytes) this.#large.push({ chunk, end: this.#pushed });
    return this.push(chunk);
  }

  end(): void {
    this.push(null);
  }

  abort(): void {
    this.destroy(new Error('the client went away'));
  }

  // V8 takes its time to collect buffers: a fast upload left to it takes a gigabyte of memory for a moment.
  #release(): void {
    const taken = this.#pushed - this.readableLength;
    this.#large = this.#large.filter(({ chunk, end }) => {
      if (end > taken) return true;
      (chunk.buffer as ArrayBuffer).transfer(0);
      return false;
    });
  }
}
