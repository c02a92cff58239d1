// `prometheus@internal`: the primary's text, as it comes compressed, or unpacked piece by piece for who asks so.

import type { Gunzip } from 'node:zlib';
import { GatewayError } from '../errors.ts';
import type { AnswerTaker, DivertedAnswer, EndTask, Running } from '../exchange-work.ts';
import type { Exchange } from '../exchange.ts';
import { getHeader, hasHeader, type HeaderList } from '../headers.ts';
import { answer, fail, runResponseHooks } from '../pipeline.ts';
import { finishStream, isBodyless, sendHead, sendWhole } from '../respond.ts';
import type { InternalFacts } from './internal.ts';
import { readAnswer } from './primary-answer.ts';

/** Texts that are unpacked at a time; what comes after them is refused: each holds some 2 MB until its client has it. */
export const maxUnpacking = 16;
/** Bytes in one piece: written in a fraction of a millisecond, and few enough that turns of the loop cost little. */
const pieceSize = 256 * 1024;
/** Milliseconds for all of it: beyond every scrape's own patience. A client that does not read holds a place. */
const patience = 60_000;

/** Any method, and whatever the path: as Traefik does. */
export function prometheusService(facts: InternalFacts): (x: Exchange) => void {
  const places = { taken: 0 };
  return (x) => {
    show(x, facts, places).catch((error: unknown) => {
      fail(x, new GatewayError('gateway.bug', 'there are no metrics', error));
    });
  };
}

interface Places {
  taken: number;
}

async function show(x: Exchange, { askPrimary }: InternalFacts, places: Places): Promise<void> {
  const request = {
    method: 'GET',
    target: x.path,
    contentType: '',
    body: '',
    service: 'prometheus',
  } as const;
  const got = await askPrimary(request);
  if (x.ended) return;
  const { headers, body } = readAnswer(got);
  const takesIt = typeof body === 'string' || !hasHeader(headers, 'content-encoding') || acceptsGzip(x);
  if (takesIt) {
    x.answer(got.status, headers, body);
    answer(x);
  } else if (places.taken >= maxUnpacking) {
    x.answer(503, ['retry-after', '1'], 'too many scrapes without gzip\n');
    answer(x);
  } else {
    // Loaded for whoever asks so alone.
    const { createGunzip } = await import('node:zlib');
    if (x.ended) return;
    x.status = got.status;
    x.responseHeaders = headersUnpacked(headers, body);
    new Unpacking(x, createGunzip({ chunkSize: pieceSize }), places).begin(body);
  }
}

function acceptsGzip(x: Exchange): boolean {
  const accepted = getHeader(x.headers, 'accept-encoding') ?? '';
  return /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/i.test(accepted);
}

function headersUnpacked(headers: HeaderList, packed: Buffer): HeaderList {
  const others = headers.filter((_, i) => headers[i - (i % 2)] !== 'content-encoding');
  // RFC 1952 §2.3.1: the last four bytes are the length of what was packed.
  return [...others, 'content-length', String(packed.readUInt32LE(packed.length - 4))];
}

/** Unpacks on another thread, and no faster than the client reads. */
class Unpacking implements Running, DivertedAnswer, EndTask {
  readonly #x: Exchange;
  readonly #gunzip: Gunzip;
  readonly #places: Places;
  readonly #timer: NodeJS.Timeout;
  /** The response hooks see the head at this moment. */
  #isAtHead = false;
  /** Takes the text when a response hook does not let it go out as it is. */
  #taker: AnswerTaker | null = null;

  constructor(x: Exchange, gunzip: Gunzip, places: Places) {
    this.#x = x;
    this.#gunzip = gunzip;
    this.#places = places;
    places.taken += 1;
    this.#timer = setTimeout(() => this.#giveUp(), patience).unref();
    x.atEnd(this);
  }

  begin(packed: Buffer): void {
    const x = this.#x;
    x.running = this;
    this.#isAtHead = true;
    const isFree = runResponseHooks(x);
    this.#isAtHead = false;
    if (isFree && isBodyless(x)) sendWhole(x, '');
    else if (isFree) {
      const length = getHeader(x.responseHeaders, 'content-length');
      sendHead(x, length === null ? null : Number(length));
      this.#unpack(packed);
    } else if (this.#taker !== null) this.#unpack(packed);
  }

  /** The Exchange is over. */
  run(): void {
    this.#places.taken -= 1;
    clearTimeout(this.#timer);
    this.#gunzip.destroy();
  }

  cancel(): void {
    this.#gunzip.destroy();
  }

  divert(taker: AnswerTaker): DivertedAnswer | null {
    if (!this.#isAtHead) return null;
    this.#taker = taker;
    return this;
  }

  resume(): void {
    this.#gunzip.resume();
  }

  #unpack(packed: Buffer): void {
    this.#gunzip
      .on('data', (piece: Buffer) => this.#pass(piece))
      .once('end', () => this.#finish())
      .once('error', (error) => this.#fail(new GatewayError('gateway.bug', 'unreadable metrics', error)))
      .end(packed);
  }

  #pass(piece: Buffer): void {
    const x = this.#x;
    if (this.#taker !== null) {
      if (!this.#taker.take(piece)) this.#gunzip.pause();
      return;
    }
    if (x.ended) return;
    x.bytesOut += piece.length;
    if (x.downstream.write(piece)) return;
    this.#gunzip.pause();
    x.downstream.onDrain ??= () => this.resume();
  }

  #finish(): void {
    if (this.#taker !== null) this.#taker.finish();
    else if (!this.#x.ended) finishStream(this.#x);
  }

  #fail(error: GatewayError): void {
    if (this.#taker !== null) this.#taker.fail(error);
    else fail(this.#x, error);
  }

  #giveUp(): void {
    fail(this.#x, new GatewayError('client.gone', 'it does not read'));
  }
}
