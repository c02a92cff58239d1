// A request's body as Node streams it: of an HTTP/1 message or of an HTTP/2 stream.

import type { Readable } from 'node:stream';
import type { BodySink } from '../../body.ts';
import { PushedBody } from '../pushed-body.ts';

export interface BodyFacts {
  /** Bytes by Content-Length, or null. */
  readonly length: number | null;
  /** Called once, before the body is first wanted: the client may wait for a 100. */
  readonly wanted: (() => void) | null;
}

export class NodeBody extends PushedBody {
  readonly #source: Readable;
  #wanted: (() => void) | null;

  constructor(source: Readable, { length, wanted }: BodyFacts) {
    super(length, performance.now());
    this.#source = source;
    this.#wanted = wanted;
    source.on('data', (chunk: Buffer) => {
      if (this.arrived(chunk.length, false)) this.deliver(alone(chunk), false);
    });
    source.on('end', () => {
      if (this.arrived(0, true)) this.deliver(null, true);
    });
  }

  override pipe(sink: BodySink): void {
    const wanted = this.#wanted;
    this.#wanted = null;
    wanted?.();
    super.pipe(sink);
  }

  protected stopReading(): void {
    this.#source.pause();
  }

  protected goOnReading(): void {
    this.#source.resume();
  }

  /** Node stops at once. */
  protected outrun(): boolean {
    return true;
  }
}

/** Pieces of one read lie in one memory, and a receiver may give that of its piece back to the system. */
function alone(chunk: Buffer): Uint8Array {
  return chunk.byteLength === chunk.buffer.byteLength ? chunk : new Uint8Array(chunk);
}
