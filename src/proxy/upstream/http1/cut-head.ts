// A head that did not come in one read: kept until its end is there.

import { maxResponseHeaderBytes } from '../../limits.ts';
import { cr, lf } from './grammar.ts';
import { type Head, refused } from './head.ts';
import { incomplete, parseHead } from './head-parser.ts';
import { eagerHeadBytes } from './limits.ts';

export class CutHead {
  #kept: Buffer | null = null;
  #size = 0;
  /** Bytes of the line that runs, without its CR. */
  #lineBytes = 0;

  get isEmpty(): boolean {
    return this.#kept === null;
  }

  /** Keeps `bytes[start, end)`, which `parseHead` found incomplete. */
  begin(bytes: Buffer, start: number, end: number): void {
    if (start === end) return;
    this.#kept = Buffer.allocUnsafe(Math.max(1024, (end - start) * 2));
    this.#size = 0;
    this.#lineBytes = 0;
    this.#append(bytes, start, this.#findEnd(bytes, start, end));
  }

  /**
   * Adds what came next. The index in `bytes` after the head, `incomplete` or `refused`, as `parseHead`;
   * empty again unless incomplete.
   */
  add(bytes: Buffer, start: number, end: number, head: Head): number {
    const after = this.#findEnd(bytes, start, end);
    const isWhole = this.#lineBytes === -1;
    this.#append(bytes, start, after);
    if (this.#size > maxResponseHeaderBytes) {
      // `head` is shared, and says what was wrong with another connection's answer.
      head.isFraming = false;
      return this.#refuse(head, `head over ${maxResponseHeaderBytes} bytes`);
    }
    if (!isWhole && this.#size > eagerHeadBytes) return incomplete;
    const parsed = parseHead(this.#kept as Buffer, 0, this.#size, head);
    if (parsed === incomplete && !isWhole) return incomplete;
    if (parsed < 0) return this.#refuse(head, head.problem === '' ? 'head' : head.problem);
    this.#kept = null;
    return after;
  }

  #refuse(head: Head, problem: string): number {
    this.#kept = null;
    head.problem = problem;
    return refused;
  }

  /** The index after the empty line, `#lineBytes` being -1 then; or `end`. */
  #findEnd(bytes: Buffer, start: number, end: number): number {
    for (let pos = start; pos < end; pos++) {
      const byte = bytes[pos] as number;
      if (byte === lf) {
        if (this.#lineBytes === 0) {
          this.#lineBytes = -1;
          return pos + 1;
        }
        this.#lineBytes = 0;
      } else if (byte !== cr) {
        this.#lineBytes++;
      }
    }
    return end;
  }

  #append(bytes: Buffer, start: number, end: number): void {
    let kept = this.#kept as Buffer;
    const size = this.#size + end - start;
    if (size > kept.length) {
      const larger = Buffer.allocUnsafe(size * 2);
      kept.copy(larger, 0, 0, this.#size);
      this.#kept = larger;
      kept = larger;
    }
    bytes.copy(kept, this.#size, start, end);
    this.#size = size;
  }
}
