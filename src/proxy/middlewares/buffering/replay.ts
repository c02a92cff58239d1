// A body that lies in a file, on its way out of it: read ahead by one piece, held back when nobody takes more.

import type { Spool } from './spool.ts';

export interface ReplayTarget {
  /** The chunk becomes the target's own. False: hold back until `resume`. */
  data(chunk: Uint8Array): boolean;
  end(): void;
  /** The file cannot be read. */
  failed(): void;
}

/** Bytes read at once. */
const pieceBytes: number = 64 * 1024;

export class Replay {
  readonly #spool: Spool;
  readonly #target: ReplayTarget;
  #position = 0;
  #isStopped = false;
  #isHeld = false;
  #isReading = false;

  constructor(spool: Spool, target: ReplayTarget) {
    this.#spool = spool;
    this.#target = target;
  }

  start(): void {
    void this.#flow();
  }

  resume(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    if (!this.#isReading) void this.#flow();
  }

  /** The target hears nothing more. */
  stop(): void {
    this.#isStopped = true;
  }

  async #flow(): Promise<void> {
    this.#isReading = true;
    try {
      while (!this.#isHeld && !this.#isStopped && this.#position < this.#spool.length) {
        const piece = await this.#spool.read(this.#position, pieceBytes);
        this.#position += piece.length;
        if (this.#isStopped) break;
        // `resume` may come from within.
        this.#isHeld = true;
        if (this.#target.data(piece)) this.#isHeld = false;
      }
    } catch {
      if (!this.#isStopped) this.#target.failed();
      this.#isStopped = true;
    }
    this.#isReading = false;
    if (this.#isStopped || this.#isHeld) return;
    this.#isStopped = true;
    this.#target.end();
  }
}
