// A client's body as a stream undici can read, with back-pressure to the client.

import { Readable } from 'node:stream';
import type { BodySink, RequestBody } from '../body.ts';

export class BodyStream extends Readable implements BodySink {
  readonly #body: RequestBody;
  #piped = false;

  constructor(body: RequestBody) {
    super({ highWaterMark: 64 * 1024 });
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

  data(chunk: Uint8Array): boolean {
    return this.push(chunk);
  }

  end(): void {
    this.push(null);
  }

  abort(): void {
    this.destroy(new Error('the client went away'));
  }
}
