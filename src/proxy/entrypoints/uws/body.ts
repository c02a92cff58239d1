// A request's body as uWebSockets.js pushes it, made to wait when the server behind is slower.

import type { HttpResponse } from 'uWebSockets.js';
import type { BodySink, RequestBody } from '../../body.ts';

/** Bytes kept of a body nobody has asked for yet (the auth server is being asked, say). */
const waitingBytes = 64 * 1024;
/**
 * Bytes that may arrive after `pause()` before the connection is cut. The engine goes on reading within one
 * turn for as long as each read fills its buffer of 512 KiB, which only a client on the same machine manages.
 */
const maxOverrunBytes = 1024 * 1024 * 1024;

export class UwsBody implements RequestBody {
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
    return this.#sink !== null;
  }

  readonly #res: HttpResponse;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #sink: BodySink | null = null;
  #paused = false;
  #overrun = 0;
  #gone = false;
  #discarded = false;

  /** Must be made inside the request's callback: uWebSockets.js takes the data handler only then. */
  constructor(res: HttpResponse, length: number | null, now: number) {
    this.#res = res;
    this.length = length;
    this.lastByteAt = now;
    res.onData((chunk, isLast) => this.#take(chunk, isLast));
  }

  pipe(sink: BodySink): void {
    if (this.#gone) {
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
    this.#res.resume();
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

  #take(chunk: ArrayBuffer, isLast: boolean): void {
    if (this.#gone) return;
    this.received += chunk.byteLength;
    this.lastByteAt = performance.now();
    this.complete = isLast;
    if (this.#discarded) return;
    if (this.#paused && !this.#outrun(chunk.byteLength)) return;
    // The engine takes its memory back when this callback returns.
    const bytes = chunk.byteLength === 0 ? null : new Uint8Array(chunk.slice(0));
    if (this.#sink === null) {
      if (bytes !== null) this.#wait(bytes);
      return;
    }
    if (bytes !== null && !this.#sink.data(bytes) && !isLast) this.#pause();
    if (isLast) this.#sink?.end();
  }

  /** More came after `pause()`; false when that was too much. */
  #outrun(bytes: number): boolean {
    this.#overrun += bytes;
    if (this.#overrun > maxOverrunBytes) {
      this.#res.close();
      return false;
    }
    // What arrives starts the engine's idle timer again, and a paused client cannot stop it.
    this.#res.pause();
    return true;
  }

  #wait(bytes: Uint8Array): void {
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (this.#waitingBytes >= waitingBytes && !this.complete) this.#pause();
  }

  #pause(): void {
    if (this.#paused || this.complete) return;
    this.#paused = true;
    this.#overrun = 0;
    this.#res.pause();
  }
}
