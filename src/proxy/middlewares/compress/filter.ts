// A body on its way through a compressor: whole in one go when it is short, streamed with back-pressure both
// ways when it is not.

import type { Downstream } from '../../downstream.ts';
import { PassThrough } from '../../filters.ts';
import { deleteHeader, getHeader, hasHeader, type HeaderList } from '../../headers.ts';
import type { Codec, Compressor } from './codecs.ts';
import { mediaType } from './types.ts';

export interface CompressPlan {
  readonly codec: Codec;
  /** What came must reach the client before more comes. */
  readonly flushes: boolean;
  /** Shorter bodies stay as they are, bytes. */
  readonly least: number;
  /** The headers say already that it is compressed. */
  readonly isDecided: boolean;
  /** Whether an answer of that media type is compressed; null unless the type is left to the first bytes. */
  readonly isWanted: ((type: string) => boolean) | null;
}

/** A body up to this long is compressed at once: it takes well under a millisecond. */
const maxAtOnce = 16 * 1024;
/** Bytes that a compressor may hold back before the server is told to wait. */
const highWater = 128 * 1024;
/** Answers being compressed in one worker at a time, some 300 KiB each; those beyond pass as they are. */
const maxRunning = 512;
let running = 0;

export class CompressFilter extends PassThrough {
  readonly #plan: CompressPlan;
  #drained: (() => void) | null = null;
  #status = 0;
  #headers: HeaderList = [];
  /** The first bytes, while it is open whether there will be enough of them. */
  #first: Uint8Array | null = null;
  #waitsForFirst = false;
  #timer: NodeJS.Immediate | null = null;
  #stream: Compressor | null = null;
  #passes = false;

  constructor(below: Downstream, plan: CompressPlan) {
    super(below);
    this.#plan = plan;
  }

  /** Held here: what stands in front waits for the compressor, and only the compressor for what lies below. */
  override get onDrain(): (() => void) | null {
    return this.#drained;
  }

  override set onDrain(call: (() => void) | null) {
    this.#drained = call;
  }

  override respond(status: number, headers: HeaderList, body: string | Uint8Array, bodyless: boolean): void {
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    const isMany = bytes.length > maxAtOnce && running >= maxRunning;
    if (bodyless || isMany || bytes.length < this.#plan.least || this.#isRuledOut(headers)) {
      this.#undecide(headers);
      this.below.respond(status, headers, body, bodyless);
      return;
    }
    this.#decide(headers);
    if (bytes.length <= maxAtOnce) {
      this.below.respond(status, headers, this.#plan.codec.whole(bytes), false);
      return;
    }
    this.#status = status;
    this.#headers = headers;
    this.#start();
    this.#feed(bytes);
    this.#stream?.end();
  }

  override begin(status: number, headers: HeaderList, length: number | null): void {
    this.#status = status;
    this.#headers = headers;
    if (this.#plan.isDecided || length !== null) this.#startOrPass(length);
    else this.#waitsForFirst = true;
  }

  override write(chunk: Uint8Array): boolean {
    if (this.#passes) return this.below.write(chunk);
    if (this.#waitsForFirst) {
      this.#hold(chunk);
      return true;
    }
    return this.#feed(chunk);
  }

  override finish(): void {
    if (this.#waitsForFirst) {
      this.#forgetTimer();
      const body = this.#first ?? new Uint8Array(0);
      this.respond(this.#status, this.#headers, body, false);
    } else if (this.#passes) this.below.finish();
    else this.#stream?.end();
  }

  override abort(): void {
    this.#forgetTimer();
    this.#stream?.destroy();
    this.below.abort();
  }

  /** An end in the same turn shows a short body; what goes on after it is a stream, however short its parts. */
  #hold(chunk: Uint8Array): void {
    this.#first = this.#first === null ? Buffer.from(chunk) : Buffer.concat([this.#first, chunk]);
    if (this.#first.length >= Math.max(this.#plan.least, maxAtOnce)) this.#release();
    else this.#timer ??= setImmediate(() => this.#release());
  }

  #release(): void {
    this.#forgetTimer();
    if (this.below.aborted) return;
    const first = this.#first as Uint8Array;
    this.#waitsForFirst = false;
    this.#first = null;
    this.#startOrPass(null);
    this.write(first);
  }

  #startOrPass(length: number | null): void {
    if (running < maxRunning && !this.#isRuledOut(this.#headers)) {
      this.#decide(this.#headers);
      this.#start();
      return;
    }
    this.#passes = true;
    this.#undecide(this.#headers);
    this.below.onDrain = () => this.#drained?.();
    this.below.begin(this.#status, this.#headers, length);
  }

  #start(): void {
    running++;
    const stream = this.#plan.codec.stream();
    this.#stream = stream;
    this.below.begin(this.#status, this.#headers, null);
    this.below.onDrain = () => stream.resume();
    stream.on('data', (chunk: Buffer) => {
      if (!this.below.write(chunk)) stream.pause();
    });
    stream.on('drain', () => this.#drained?.());
    stream.on('end', () => this.below.finish());
    stream.on('error', () => this.below.abort());
    stream.on('close', () => running--);
  }

  /** The chunk is a view of memory that is used again. */
  #feed(chunk: Uint8Array): boolean {
    const stream = this.#stream;
    if (stream === null || stream.destroyed) return true;
    stream.write(Buffer.from(chunk));
    if (this.#plan.flushes) stream.flush(this.#plan.codec.flushKind);
    return stream.writableLength < highWater;
  }

  /** By what filters further in came to only with the first bytes: it is compressed already, or of another type. */
  #isRuledOut(headers: HeaderList): boolean {
    const { isDecided, isWanted } = this.#plan;
    if (isDecided) return false;
    if (hasHeader(headers, 'content-encoding')) return true;
    return isWanted !== null && !isWanted(mediaType(getHeader(headers, 'content-type')));
  }

  #decide(headers: HeaderList): void {
    if (this.#plan.isDecided) return;
    deleteHeader(headers, 'content-length');
    headers.push('content-encoding', this.#plan.codec.encoding);
  }

  #undecide(headers: HeaderList): void {
    if (this.#plan.isDecided) deleteHeader(headers, 'content-encoding');
  }

  #forgetTimer(): void {
    if (this.#timer === null) return;
    clearImmediate(this.#timer);
    this.#timer = null;
  }
}
