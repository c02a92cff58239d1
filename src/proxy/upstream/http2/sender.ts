// A request's body on its way onto a stream as the client sends it, with back-pressure to the client.

import type { ClientHttp2Stream } from 'node:http2';
import type { BodySink, RequestBody } from '../../body.ts';

export interface SenderEvents {
  /** The last byte was handed over. */
  bodySent(): void;
  /** The client went away, or its body is not as long as it said. */
  bodyBroken(): void;
}

export class StreamSender implements BodySink {
  /** The whole body was handed over. */
  done = false;
  readonly #stream: ClientHttp2Stream;
  readonly #body: RequestBody;
  readonly #events: SenderEvents;
  /** Bytes to come by Content-Length, -1 when only the end will tell. */
  #left: number;
  #stopped = false;
  #held = false;

  constructor(stream: ClientHttp2Stream, body: RequestBody, events: SenderEvents) {
    this.#stream = stream;
    this.#body = body;
    this.#events = events;
    this.#left = body.length ?? -1;
  }

  begin(): void {
    this.#stream.on('drain', () => this.#drained());
    this.#body.pipe(this);
  }

  /** The server gets no more of it; what still comes is dropped, and a body held back stays so. */
  stop(): void {
    this.#stopped = true;
  }

  data(chunk: Uint8Array): boolean {
    if (this.#stopped || this.done || chunk.length === 0) return true;
    if (this.#left !== -1) {
      if (chunk.length > this.#left) {
        this.abort();
        return true;
      }
      this.#left -= chunk.length;
    }
    // A stream that was reset takes nothing more; its end is told by `close`.
    if (this.#stream.destroyed || this.#stream.writableEnded) return true;
    // False once the stream's buffer is full, which the server's flow control decides.
    if (this.#stream.write(chunk)) return true;
    this.#held = true;
    return false;
  }

  end(): void {
    if (this.#stopped || this.done) return;
    if (this.#left > 0) {
      this.abort();
      return;
    }
    this.done = true;
    if (!this.#stream.destroyed) this.#stream.end();
    this.#events.bodySent();
  }

  abort(): void {
    if (this.#stopped || this.done) return;
    this.#stopped = true;
    this.#events.bodyBroken();
  }

  #drained(): void {
    if (!this.#held || this.#stopped || this.done) return;
    this.#held = false;
    this.#body.resume();
  }
}
