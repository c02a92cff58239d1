// A body on its way through a compressor: whole in one go when it is short, streamed with back-pressure both
// ways when it is not.

import type { Downstream } from '../../downstream.ts';
import { deleteHeader, hasHeader, type HeaderList } from '../../headers.ts';
import type { Codec, Compressor } from './codecs.ts';

export interface CompressPlan {
  readonly codec: Codec;
  /** What came must reach the client before more comes. */
  readonly flushes: boolean;
  /** Shorter bodies stay as they are, bytes. */
  readonly least: number;
  /** The headers say already that it is compressed. */
  readonly isDecided: boolean;
}

/** A body up to this long is compressed at once: it takes well under a millisecond. */
const maxAtOnce = 16 * 1024;
/** Bytes that a compressor may hold back before the server is told to wait. */
const highWater = 128 * 1024;
/** Answers being compressed in one worker at a time, some 300 KiB each; those beyond pass as they are. */
const maxRunning = 512;
let running = 0;

export class CompressFilter implements Downstream {
  onDrain: (() => void) | null = null;
  readonly #below: Downstream;
  readonly #plan: CompressPlan;
  #status = 0;
  #headers: HeaderList = [];
  /** The first bytes, while it is open whether there will be enough of them. */
  #first: Uint8Array | null = null;
  #waitsForFirst = false;
  #timer: NodeJS.Immediate | null = null;
  #stream: Compressor | null = null;
  #passes = false;

  constructor(below: Downstream, plan: CompressPlan) {
    this.#below = below;
    this.#plan = plan;
  }

  get aborted(): boolean {
    return this.#below.aborted;
  }

  get onAbort(): (() => void) | null {
    return this.#below.onAbort;
  }

  set onAbort(call: (() => void) | null) {
    this.#below.onAbort = call;
  }

  respond(status: number, headers: HeaderList, body: string | Uint8Array, bodyless: boolean): void {
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    const isMany = bytes.length > maxAtOnce && running >= maxRunning;
    if (bodyless || isMany || bytes.length < this.#plan.least || this.#isEncoded(headers)) {
      this.#undecide(headers);
      this.#below.respond(status, headers, body, bodyless);
      return;
    }
    this.#decide(headers);
    if (bytes.length <= maxAtOnce) {
      this.#below.respond(status, headers, this.#plan.codec.whole(bytes), false);
      return;
    }
    this.#status = status;
    this.#headers = headers;
    this.#start();
    this.#feed(bytes);
    this.#stream?.end();
  }

  begin(status: number, headers: HeaderList, length: number | null): void {
    this.#status = status;
    this.#headers = headers;
    if (this.#plan.isDecided) this.#startOrPass(length);
    else this.#waitsForFirst = true;
  }

  write(chunk: Uint8Array): boolean {
    if (this.#passes) return this.#below.write(chunk);
    if (this.#waitsForFirst) {
      this.#hold(chunk);
      return true;
    }
    return this.#feed(chunk);
  }

  finish(): void {
    if (this.#waitsForFirst) {
      this.#forgetTimer();
      const body = this.#first ?? new Uint8Array(0);
      this.respond(this.#status, this.#headers, body, false);
    } else if (this.#passes) this.#below.finish();
    else this.#stream?.end();
  }

  abort(): void {
    this.#forgetTimer();
    this.#stream?.destroy();
    this.#below.abort();
  }

  /** An end in the same turn shows a short body; what goes on after it is a stream, however short its parts. */
  #hold(chunk: Uint8Array): void {
    this.#first = this.#first === null ? Buffer.from(chunk) : Buffer.concat([this.#first, chunk]);
    if (this.#first.length >= Math.max(this.#plan.least, maxAtOnce)) this.#release();
    else this.#timer ??= setImmediate(() => this.#release());
  }

  #release(): void {
    this.#forgetTimer();
    if (this.#below.aborted) return;
    const first = this.#first as Uint8Array;
    this.#waitsForFirst = false;
    this.#first = null;
    this.#startOrPass(null);
    this.write(first);
  }

  #startOrPass(length: number | null): void {
    if (running < maxRunning && !this.#isEncoded(this.#headers)) {
      this.#decide(this.#headers);
      this.#start();
      return;
    }
    this.#passes = true;
    this.#undecide(this.#headers);
    this.#below.onDrain = () => this.onDrain?.();
    this.#below.begin(this.#status, this.#headers, length);
  }

  #start(): void {
    running++;
    const stream = this.#plan.codec.stream();
    this.#stream = stream;
    this.#below.begin(this.#status, this.#headers, null);
    this.#below.onDrain = () => stream.resume();
    stream.on('data', (chunk: Buffer) => {
      if (!this.#below.write(chunk)) stream.pause();
    });
    stream.on('drain', () => this.onDrain?.());
    stream.on('end', () => this.#below.finish());
    stream.on('error', () => this.#below.abort());
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

  /** By another one further in, which came to that only with the first bytes. */
  #isEncoded(headers: HeaderList): boolean {
    return !this.#plan.isDecided && hasHeader(headers, 'content-encoding');
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
