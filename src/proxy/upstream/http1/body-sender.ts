// A request's body on its way to a server as the client sends it, with back-pressure to the client.

import type { Socket } from 'node:net';
import type { BodySink, RequestBody } from '../../body.ts';

export interface SenderEvents {
  /** The last byte was written. */
  bodySent(): void;
  /** The client went away, or its body is not as long as it said. */
  bodyBroken(): void;
}

/**
 * Chunks of at least this many bytes give their memory back as soon as they have left: 1 GiB at 200 MB/s takes
 * a worker to 135 MB so, and to 180 MB when only those of 64 KiB do.
 */
const largeBytes = 4 * 1024;

export class BodySender implements BodySink {
  /** The whole body was written. */
  done = false;
  readonly #socket: Socket;
  readonly #body: RequestBody;
  readonly #events: SenderEvents;
  /** Bytes to come by Content-Length, -1 for chunked. */
  #left: number;
  #stopped = false;
  #held = false;

  constructor(socket: Socket, body: RequestBody, events: SenderEvents) {
    this.#socket = socket;
    this.#body = body;
    this.#events = events;
    this.#left = body.length ?? -1;
  }

  begin(): void {
    this.#body.pipe(this);
  }

  /** The socket takes more. */
  drained(): void {
    if (!this.#held || this.#stopped || this.done) return;
    this.#held = false;
    this.#body.resume();
  }

  /**
   * The server gets no more of it; what still comes is dropped. A body held back stays so: whether its
   * client may still be spoken to is known only to who ends the Exchange.
   */
  stop(): void {
    this.#stopped = true;
  }

  data(chunk: Uint8Array): boolean {
    if (this.#stopped) return true;
    // An empty chunk would be the end of a chunked body.
    if (chunk.length === 0) return true;
    const more = this.#left === -1 ? this.#writeChunk(chunk) : this.#writePart(chunk);
    if (!more) this.#held = true;
    return more;
  }

  end(): void {
    if (this.#stopped || this.done) return;
    if (this.#left > 0) {
      this.abort();
      return;
    }
    if (this.#left === -1) this.#socket.write('0\r\n\r\n', 'latin1');
    this.done = true;
    this.#events.bodySent();
  }

  abort(): void {
    if (this.#stopped || this.done) return;
    this.#stopped = true;
    this.#events.bodyBroken();
  }

  #writePart(chunk: Uint8Array): boolean {
    if (chunk.length > this.#left) {
      this.abort();
      return true;
    }
    this.#left -= chunk.length;
    return this.#write(chunk);
  }

  #writeChunk(chunk: Uint8Array): boolean {
    const socket = this.#socket;
    socket.cork();
    socket.write(`${chunk.length.toString(16)}\r\n`, 'latin1');
    this.#write(chunk);
    const more = socket.write('\r\n', 'latin1');
    socket.uncork();
    return more;
  }

  #write(chunk: Uint8Array): boolean {
    if (chunk.length < largeBytes || !isAlone(chunk)) return this.#socket.write(chunk);
    // V8 takes its time to collect buffers: a fast upload left to it takes a gigabyte of memory for a moment.
    return this.#socket.write(chunk, () => {
      (chunk.buffer as ArrayBuffer).transfer(0);
    });
  }
}

/** Of memory that others have a part of none is given back: theirs would be gone, and Node's own pool throws. */
function isAlone(chunk: Uint8Array): boolean {
  return chunk.byteLength === chunk.buffer.byteLength;
}
