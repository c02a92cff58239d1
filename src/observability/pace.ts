// Text that gathers into pieces, made in slices with pauses between them: whoever makes it has other things to do, too.

import { setImmediate as nextTurn } from 'node:timers/promises';

/** Takes a piece of UTF-8, which is lent to it until this settles. */
export type Write = (piece: Uint8Array) => Promise<void> | void;

/** Milliseconds of work at a stretch. */
const slice = 5;
/** Series between two looks at the clock. */
const stretch = 64;
/** Bytes of a piece: few of them are under way at a time. */
const pieceSize = 256 * 1024;

/** One text from its beginning to `end`; holds two pieces of memory, used in turn. */
export class Pace {
  readonly #write: Write;
  /** Of one stretch: a longer text is slower to encode than to make, once it is no longer in the processor's cache. */
  #text = '';
  #piece = Buffer.allocUnsafe(pieceSize);
  #used = 0;
  /** While one piece is written the next one is made in the other's place. */
  #other = Buffer.allocUnsafe(pieceSize);
  #writing: Promise<void> | void = undefined;
  #count = 0;
  #since = performance.now();

  constructor(write: Write) {
    this.#write = write;
  }

  add(text: string): void {
    this.#text += text;
  }

  /** To be called for each series. Null: go on. */
  turn(): Promise<void> | null {
    this.#count += 1;
    if (this.#count % stretch !== 0) return null;
    const isTired = performance.now() - this.#since >= slice;
    if (isTired || !this.#fits()) return this.#pause(isTired);
    this.#encode();
    return null;
  }

  async end(): Promise<void> {
    await this.#pause(false);
    await this.#send();
    await this.#writing;
  }

  async #pause(isTired: boolean): Promise<void> {
    if (!this.#fits()) await this.#send();
    this.#encode();
    if (!isTired) return;
    await nextTurn();
    this.#since = performance.now();
  }

  /** Each char of a string is three bytes at most. */
  #fits(): boolean {
    return this.#used + this.#text.length * 3 <= this.#piece.length;
  }

  #encode(): void {
    // Nothing is before it: it is longer than all of the piece.
    if (!this.#fits()) this.#piece = Buffer.allocUnsafe(this.#text.length * 3);
    this.#used += this.#piece.write(this.#text, this.#used, 'utf8');
    this.#text = '';
  }

  async #send(): Promise<void> {
    const piece = this.#piece;
    await this.#writing;
    this.#writing = this.#write(piece.subarray(0, this.#used));
    // Whoever waits for it hears of it.
    this.#writing?.catch(() => {});
    this.#piece = this.#other;
    this.#other = piece;
    this.#used = 0;
  }
}
