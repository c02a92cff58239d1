// Holds the head of an answer back until its first bytes tell what it is.

import type { Downstream } from '../../downstream.ts';
import { PassThrough } from '../../filters.ts';
import { hasHeader, type HeaderList } from '../../headers.ts';
import { sniff, sniffLength } from './sniff.ts';

export class SniffFilter extends PassThrough {
  readonly #isInnermost: boolean;
  #status = 0;
  #headers: HeaderList = [];
  #length: number | null = null;
  /** At most `sniffLength` bytes and one chunk; null once the head has left. */
  #first: Uint8Array | null = null;
  #timer: NodeJS.Immediate | null = null;

  /** `isInnermost`: what says by now that the body is encoded speaks of what comes out further on. */
  constructor(below: Downstream, isInnermost: boolean) {
    super(below);
    this.#isInnermost = isInnermost;
  }

  override respond(status: number, headers: HeaderList, body: string | Uint8Array, bodyless: boolean): void {
    if (!bodyless)
      this.#name(headers, typeof body === 'string' ? Buffer.from(body.slice(0, sniffLength)) : body);
    this.below.respond(status, headers, body, bodyless);
  }

  override begin(status: number, headers: HeaderList, length: number | null): void {
    this.#status = status;
    this.#headers = headers;
    this.#length = length;
    this.#first = new Uint8Array(0);
  }

  override write(chunk: Uint8Array): boolean {
    if (this.#first === null) return this.below.write(chunk);
    // The chunk is a view of memory that is used again.
    this.#first = this.#first.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#first, chunk]);
    if (this.#first.length >= sniffLength) return this.#release();
    // What comes in small parts, like a stream of events, must not wait for more.
    this.#timer ??= setImmediate(() => {
      this.#timer = null;
      this.#release();
    });
    return true;
  }

  override finish(): void {
    if (this.#first !== null) this.#release();
    this.below.finish();
  }

  override abort(): void {
    this.#forgetTimer();
    this.#first = null;
    this.below.abort();
  }

  #release(): boolean {
    this.#forgetTimer();
    const first = this.#first;
    this.#first = null;
    if (first === null || this.below.aborted) return true;
    this.#name(this.#headers, first);
    this.below.begin(this.#status, this.#headers, this.#length);
    return first.length === 0 || this.below.write(first);
  }

  #forgetTimer(): void {
    if (this.#timer === null) return;
    clearImmediate(this.#timer);
    this.#timer = null;
  }

  /** Filters further in may have named or encoded it meanwhile. */
  #name(headers: HeaderList, bytes: Uint8Array): void {
    if (bytes.length === 0 || hasHeader(headers, 'content-type')) return;
    if (!this.#isInnermost && hasHeader(headers, 'content-encoding')) return;
    headers.push('content-type', sniff(bytes));
  }
}
