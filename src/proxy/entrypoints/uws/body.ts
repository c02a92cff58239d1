// A request's body as uWebSockets.js pushes it.

import type { HttpResponse } from 'uWebSockets.js';
import { PushedBody } from '../pushed-body.ts';

/**
 * Bytes that may arrive after `pause()` before the connection is cut. The engine goes on reading within one
 * turn for as long as each read fills its buffer of 512 KiB, which only a client on the same machine manages.
 */
const maxOverrunBytes = 1024 * 1024 * 1024;

export class UwsBody extends PushedBody {
  readonly #res: HttpResponse;
  #overrun = 0;
  #isLeftPaused = false;

  /** Must be made inside the request's callback: uWebSockets.js takes the data handler only then. */
  constructor(res: HttpResponse, length: number | null, now: number) {
    super(length, now);
    this.#res = res;
    res.onData((chunk, isLast) => {
      const bytes = chunk.byteLength;
      // The engine takes its memory back when this callback returns.
      if (this.arrived(bytes, isLast))
        this.deliver(bytes === 0 ? null : new Uint8Array(chunk.slice(0)), isLast);
    });
  }

  protected stopReading(): void {
    this.#overrun = 0;
    this.#res.pause();
  }

  protected goOnReading(): void {
    this.#res.resume();
  }

  /** To go on starts the engine's idle timer, which would end a request whose server is slow: the answer does it. */
  protected override cameWhole(): void {
    this.#isLeftPaused = true;
  }

  /** The engine cuts who brings less than 16 KiB a second; how slow is too slow we say ourselves. */
  override stillComing(): void {
    // What was not paused is not heard of again after `resume` alone.
    this.#res.pause();
    this.#res.resume();
  }

  /** To be called as the answer begins. */
  answered(): void {
    if (!this.#isLeftPaused) return;
    this.#isLeftPaused = false;
    this.#res.resume();
  }

  protected outrun(bytes: number): boolean {
    this.#overrun += bytes;
    if (this.#overrun > maxOverrunBytes) {
      this.#res.close();
      return false;
    }
    // What arrives starts the engine's idle timer again, and a paused client cannot stop it.
    this.#res.pause();
    return true;
  }
}
