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
  #finished = false;
  #listensForDrain = false;

  constructor(stream: ServerHttp2Stream) {
    this.#stream = stream;
    // Of a client that has called it off; `close` says so too.
    stream.on('error', ignore);
    stream.on('close', () => this.#closed());
  }

  get finished(): boolean {
    return this.#finished || this.aborted;
  }

  respond(status: number, headers: HeaderList, body: string | Uint8Array, bodyless: boolean): void {
    if (this.finished) return;
    this.#finished = true;
    // A copy: it may be a view of memory that the next read overwrites.
    const bytes = Buffer.from(body as string);
    const isEmpty = bodyless || bytes.length === 0;
    const length = bodyless ? reportedLength(headers, status) : bytes.length;
    this.#stream.respond(fieldsOf(status, headers, length), { endStream: isEmpty });
    if (!isEmpty) this.#stream.end(bytes);
    this.#forgetBody();
  }

  begin(status: number, headers: HeaderList, length: number | null): void {
    if (this.finished) return;
    this.#stream.respond(fieldsOf(status, headers, length), { waitForTrailers: true });
    this.#stream.on('wantTrailers', () => {
      const trailers = this.exchange?.trailers ?? null;
      this.#stream.sendTrailers(trailers === null ? {} : mapOf(trailers));
    });
  }

  write(chunk: Uint8Array): boolean {
    if (chunk.length === 0 || this.finished) return true;
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
    this.#stream.end();
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

function fieldsOf(status: number, headers: HeaderList, length: number | null): string[] {
  const fields = [':status', String(status)];
  for (const text of answerFields(headers, length)) fields.push(text);
  fields.push('date', new Date().toUTCString());
  return fields;
}

function mapOf(list: HeaderList): Record<string, string[]> {
  // Without a prototype: a field may be named `constructor`.
  const map = Object.create(null) as Record<string, string[]>;
  for (let i = 0; i < list.length; i += 2) {
    const name = list[i] as string;
    map[name] ??= [];
    map[name].push(list[i + 1] as string);
  }
  return map;
}

function ignore(): void {}
