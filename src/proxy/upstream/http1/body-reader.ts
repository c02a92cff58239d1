// Where the body of an answer ends, and its bytes on the way there.

import { cr, hexValue, isText, lf } from './grammar.ts';
import { maxChunkLineBytes, maxLengthDigits, maxTrailerBytes } from './limits.ts';

/** Takes a view of the read buffer, valid during the call; false holds back. */
export interface BodyTarget {
  onData(chunk: Uint8Array): boolean;
}

export type Framing = 'length' | 'chunked' | 'until-close';

// Within a chunked body.
const sizeFirst = 0;
const size = 1;
const extension = 2;
const sizeLf = 3;
const data = 4;
const dataCr = 5;
const dataLf = 6;
const trailerFirst = 7;
const trailer = 8;
const trailerLf = 9;
const lastLf = 10;

/** One per connection, used for one answer after the other. */
export class BodyReader {
  framing: Framing = 'length';
  /** The last byte of the body, trailers included, was read. */
  done = false;
  /** What is wrong with the chunks; the body is over then. */
  problem = '';
  #target: BodyTarget | null = null;
  /** Bytes to come of the body, or of the chunk. */
  #left = 0;
  #state = sizeFirst;
  /** Bytes of the line, or of the trailer section. */
  #lineBytes = 0;

  /** `length` counts with framing `length` only. */
  begin(target: BodyTarget, framing: Framing, length: number): void {
    this.#target = target;
    this.framing = framing;
    this.done = framing === 'length' && length === 0;
    this.problem = '';
    this.#left = framing === 'length' ? length : 0;
    this.#state = sizeFirst;
    this.#lineBytes = 0;
  }

  /** Nothing more is delivered. */
  stop(): void {
    this.#target = null;
  }

  /**
   * Delivers what `bytes[pos, end)` holds of the body; the index after what was read. Returns early when
   * the body is done, wrong, or stopped from within.
   */
  read(bytes: Buffer, pos: number, end: number): ReadResult {
    result.held = false;
    result.pos =
      this.framing === 'chunked' ? this.#readChunked(bytes, pos, end) : this.#readPlain(bytes, pos, end);
    return result;
  }

  #readPlain(bytes: Buffer, pos: number, end: number): number {
    if (this.done || pos === end) return pos;
    if (this.framing === 'until-close') {
      this.#deliver(bytes, pos, end);
      return end;
    }
    const stop = Math.min(end, pos + this.#left);
    this.#left -= stop - pos;
    this.done = this.#left === 0;
    this.#deliver(bytes, pos, stop);
    return stop;
  }

  #readChunked(bytes: Buffer, start: number, end: number): number {
    let pos = start;
    while (pos < end && !this.done && this.problem === '' && this.#target !== null) {
      if (this.#state !== data) {
        this.#step(bytes[pos] as number);
        pos++;
        continue;
      }
      const stop = Math.min(end, pos + this.#left);
      this.#left -= stop - pos;
      if (this.#left === 0) this.#state = dataCr;
      this.#deliver(bytes, pos, stop);
      pos = stop;
    }
    return pos;
  }

  #deliver(bytes: Buffer, start: number, end: number): void {
    if (this.#target?.onData(bytes.subarray(start, end)) === false) result.held = true;
  }

  /** One byte outside of chunk data (RFC 9112 §7.1). */
  #step(byte: number): void {
    switch (this.#state) {
      case sizeFirst:
      case size:
        this.#stepSize(byte);
        break;
      case extension:
        if (byte === cr) this.#state = sizeLf;
        else if (isText[byte] !== 1) this.problem = 'chunk extension';
        else this.#countLine(maxChunkLineBytes, 'chunk line too long');
        break;
      case sizeLf:
        this.#expect(byte, lf, this.#left === 0 ? trailerFirst : data);
        this.#lineBytes = 0;
        break;
      case dataCr:
        this.#expect(byte, cr, dataLf);
        break;
      case dataLf:
        this.#expect(byte, lf, sizeFirst);
        break;
      default:
        this.#stepTrailer(byte);
    }
  }

  #stepSize(byte: number): void {
    const digit = hexValue[byte] as number;
    if (digit !== 255) {
      this.#left = this.#left * 16 + digit;
      this.#lineBytes++;
      this.#state = size;
      if (this.#lineBytes > maxLengthDigits || this.#left > Number.MAX_SAFE_INTEGER)
        this.problem = 'chunk size';
      return;
    }
    if (this.#state === sizeFirst) this.problem = 'chunk size';
    else if (byte === cr) this.#state = sizeLf;
    else if (byte === 59) this.#state = extension;
    else this.problem = 'chunk size';
  }

  #stepTrailer(byte: number): void {
    switch (this.#state) {
      case trailerFirst:
        if (byte === cr) this.#state = lastLf;
        else this.#stepTrailerText(byte);
        break;
      case trailer:
        if (byte === cr) this.#state = trailerLf;
        else this.#stepTrailerText(byte);
        break;
      case trailerLf:
        this.#expect(byte, lf, trailerFirst);
        break;
      default:
        this.done = byte === lf;
        if (!this.done) this.problem = 'end of the chunks';
    }
  }

  #stepTrailerText(byte: number): void {
    this.#state = trailer;
    if (isText[byte] !== 1) this.problem = 'trailer';
    else this.#countLine(maxTrailerBytes, 'trailers too long');
  }

  #expect(byte: number, expected: number, next: number): void {
    if (byte === expected) this.#state = next;
    else this.problem = 'line end between chunks';
  }

  #countLine(most: number, problem: string): void {
    this.#lineBytes++;
    if (this.#lineBytes > most) this.problem = problem;
  }
}

export interface ReadResult {
  /** Index after what was read. */
  pos: number;
  /** The target wants no more for now. */
  held: boolean;
}

/** One for all: it is looked at before anything else is read. */
const result: ReadResult = { pos: 0, held: false };
