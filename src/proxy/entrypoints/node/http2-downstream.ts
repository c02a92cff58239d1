// The client's side of an Exchange on an HTTP/2 stream.

import { constants, type ServerHttp2Stream } from 'node:http2';
import type { Downstream } from '../../downstream.ts';
import type { Exchange } from '../../exchange.ts';
import type { HeaderList } from '../../headers.ts';
import { answerFields, reportedLength } from './answer-head.ts';
import type { NodeBody } from './body.ts';
import { writePiece } from './pieces.ts';

export class Http2Downstream implements Downstream {
  onDrain: (() => void) | null = null;
  onAbort: (() => void) | null = null;
  aborted = false;
  body: NodeBody | null = null;
  /** Whose answer this is; null for a refusal. */
  exchange: Exchange | null = null;

  /** The stream was reset by us. */
  cutByUs = false;

  readonly #stream: ServerHttp2Stream;
  /** The library has ended it with its head. */
  #isBodyless = false;
  #finished = false;
  #listensForDrain = false;

  constructor(stream: ServerHttp2Stream) {
    this.#stream = stream;
    // Of a client that has called it off; `close` says so too.
    stream.on('error', ignore);
    stream.on('close', () => this.#closed());
  }

  /** Called off or cut, maybe in the very read that brought it, before `close` says so: the library throws at words. */
  get #isGone(): boolean {
    return this.#stream.destroyed || this.#stream.closed;
  }

  get finished(): boolean {
    return this.#finished || this.aborted;
  }

  respond(status: number, headers: HeaderList, body: string | Uint8Array, bodyless: boolean): void {
    if (this.finished || this.#isGone) return;
    // A copy: it may be a view of memory that the next read overwrites.
    const bytes = Buffer.from(body as string);
    const isEmpty = bodyless || bytes.length === 0 || status === resetContent;
    const length = bodyless ? reportedLength(headers, status) : isEmpty ? 0 : bytes.length;
    this.#stream.respond(fieldsOf(status, headers, length), { endStream: isEmpty });
    this.#finished = true;
    if (!isEmpty) this.#stream.end(bytes);
    this.#forgetBody();
  }

  begin(status: number, headers: HeaderList, length: number | null): void {
    if (this.finished || this.#isGone) return;
    if (status === resetContent) {
      this.#isBodyless = true;
      this.#stream.respond(fieldsOf(status, headers, 0), { endStream: true });
      return;
    }
    this.#stream.respond(fieldsOf(status, headers, length), { waitForTrailers: true });
    this.#stream.on('wantTrailers', () => {
      if (this.#isGone) return;
      const trailers = this.exchange?.trailers ?? null;
      this.#stream.sendTrailers(trailers === null ? {} : mapOf(trailers));
    });
  }

  write(chunk: Uint8Array): boolean {
    if (chunk.length === 0 || this.finished || this.#isBodyless) return true;
    if (writePiece(this.#stream, chunk)) return true;
    if (!this.#listensForDrain) {
      this.#listensForDrain = true;
      this.#stream.on('drain', () => this.onDrain?.());
    }
    return false;
  }

  finish(): void {
    if (this.finished) return;
    this.#finished = true;
    if (!this.#isBodyless) this.#stream.end();
    this.#forgetBody();
  }

  abort(): void {
    if (this.finished) return;
    this.#finished = true;
    this.cutByUs = true;
    this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  }

  /** RFC 9113 §8.1: who is answered need not send the rest. */
  #forgetBody(): void {
    if (this.body === null || this.body.complete) return;
    const forget = (): void => this.#stream.close(constants.NGHTTP2_NO_ERROR);
    if (this.#stream.writableFinished) forget();
    else this.#stream.once('finish', () => setImmediate(forget));
  }

  #closed(): void {
    this.body?.abort();
    if (this.finished) return;
    this.aborted = true;
    this.onAbort?.();
  }
}

/** RFC 9110 §15.3.6: it has no content, whatever its server sends, and the library lets none through. */
const resetContent = 205;

function fieldsOf(status: number, headers: HeaderList, length: number | null): string[] {
  // RFC 9110 §15: what is above 599 is no status, and the library refuses it.
  const fields = [':status', String(status > 599 ? 502 : status)];
  const list = answerFields(headers, length);
  for (let i = 0; i < list.length; i += 2) {
    if (!isOfHttp1(list[i] as string)) fields.push(list[i] as string, list[i + 1] as string);
  }
  fields.push('date', new Date().toUTCString());
  return fields;
}

/** RFC 9113 §8.2.2: beside what no listener sends on, these would make the library throw. */
function isOfHttp1(name: string): boolean {
  return name === 'te' || name === 'http2-settings';
}

function mapOf(list: HeaderList): Record<string, string[]> {
  // Without a prototype: a field may be named `constructor`.
  const map = Object.create(null) as Record<string, string[]>;
  for (let i = 0; i < list.length; i += 2) {
    const name = list[i] as string;
    if (isOfHttp1(name)) continue;
    map[name] ??= [];
    map[name].push(list[i + 1] as string);
  }
  return map;
}

function ignore(): void {}
