// A request's body as an engine pushes it, made to wait when the server behind is slower.

import type { BodySink, RequestBody } from '../body.ts';

/** Bytes kept of a body nobody has asked for yet (the auth server is being asked, say). */
const waitingBytes = 64 * 1024;

export abstract class PushedBody implements RequestBody {
  readonly length: number | null;
  collected: Uint8Array | null = null;
  /** Body bytes so far. */
  received = 0;
  complete = false;
  /** `performance.now()` of the last byte: a body that stands still is cut. */
  lastByteAt: number;

  /** Held back by us: silence is not the client's fault then. */
  get isPaused(): boolean {
    return this.#paused;
  }

  get isPiped(): boolean {
    return this.#sink !== null || this.#discarded;
  }

  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #sink: BodySink | null = null;
  #paused = false;
  #gone = false;
  #discarded = false;

  constructor(length: number | null, now: number) {
    this.length = length;
    this.lastByteAt = now;
  }

  /** To be called now and then while the client sends in time: an engine may have a clock of its own. */
  stillComing(): void {}

  /** Tells the engine to stop reading. */
  protected abstract stopReading(): void;
  protected abstract goOnReading(): void;
  /** All of it is there, in spite of `stopReading`: a connection left so would never read its next request. */
  protected cameWhole(): void {
    this.goOnReading();
  }

  /** More came after `stopReading`; false when that was too much. */
  protected abstract outrun(bytes: number): boolean;

  pipe(sink: BodySink): void {
    // What was dropped must not look like a body that was short.
    if (this.#gone || this.#discarded) {
      sink.abort();
      return;
    }
    if (this.collected !== null) {
      if (this.collected.length > 0) sink.data(this.collected);
      sink.end();
      return;
    }
    this.#sink = sink;
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    let more = true;
    for (const chunk of waiting) more = sink.data(chunk) && more;
    if (this.complete) sink.end();
    else if (more) this.resume();
    else this.#pause();
  }

  resume(): void {
    if (!this.#paused || this.#gone) return;
    this.#paused = false;
    // The silence was ours.
    this.lastByteAt = performance.now();
    this.goOnReading();
  }

  collect(maxBytes: number): Promise<Uint8Array | null> {
    if (this.collected !== null) return Promise.resolve(this.collected);
    if (this.length !== null && this.length > maxBytes) return Promise.resolve(null);
    return new Promise((resolve, reject) => {
      const chunks: Uint8Array[] = [];
      let bytes = 0;
      this.pipe({
        data: (chunk) => {
          bytes += chunk.length;
          if (bytes > maxBytes) {
            this.discard();
            resolve(null);
            return true;
          }
          chunks.push(chunk);
          return true;
        },
        end: () => {
          this.collected = chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks);
          this.#sink = null;
          resolve(this.collected);
        },
        abort: () => reject(new Error('the client went away')),
      });
    });
  }

  discard(): void {
    this.#discarded = true;
    this.#sink = null;
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.resume();
  }

  /** The connection is gone. */
  abort(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#waiting = [];
    if (!this.complete) this.#sink?.abort();
    this.#sink = null;
  }

  /** Counts what came; false when nobody is to have it. */
  protected arrived(byteLength: number, isLast: boolean): boolean {
    if (this.#gone) return false;
    this.received += byteLength;
    this.lastByteAt = performance.now();
    this.complete = isLast;
    if (this.#discarded) return false;
    if (!this.#paused) return true;
    if (!isLast) return this.outrun(byteLength);
    this.#paused = false;
    this.cameWhole();
    return true;
  }

  /** After `arrived`; the bytes are the body's own from here on. */
  protected deliver(bytes: Uint8Array | null, isLast: boolean): void {
    if (this.#sink === null) {
      if (bytes !== null) this.#wait(bytes);
      return;
    }
    if (bytes !== null && !this.#sink.data(bytes) && !isLast) this.#pause();
    if (isLast) this.#sink?.end();
  }

  #wait(bytes: Uint8Array): void {
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (this.#waitingBytes >= waitingBytes && !this.complete) this.#pause();
  }

  #pause(): void {
    if (this.#paused || this.complete) return;
    this.#paused = true;
    this.stopReading();
  }
}
