// An HTTP Exchange to a server and back: streamed both ways, with back-pressure both ways.

import type { RequestBody } from '../body.ts';
import { GatewayError } from '../errors.ts';
import type { AnswerNote, AnswerTaker, DivertedAnswer, Running } from '../exchange-work.ts';
import type { Exchange } from '../exchange.ts';
import { getHeader, type HeaderList } from '../headers.ts';
import { maxServerAttempts, replayableBodyBytes } from '../limits.ts';
import { fail, failWithBug, runResponseHooks } from '../pipeline.ts';
import { finishStream, isBodyless, sendHead, sendWhole } from '../respond.ts';
import type { Server, ServerSource } from '../services/server.ts';
import { addSetCookie } from '../services/sticky-cookie.ts';
import { AnswerKeeper } from './answer-keeper.ts';
import { HeldAnswer } from './held-answer.ts';
import type { UpstreamCall, UpstreamHandler, UpstreamRequest } from './http1/call.ts';
import { upstreamHeaders } from './request-headers.ts';

/** Sends `x` to `server`, or to another of `source` when that one cannot take it, and ends it. */
export function forward(x: Exchange, server: Server, source: ServerSource): void {
  const forwarding = new Forwarding(x, server, source);
  x.running = forwarding;
  const { body } = x;
  const isReplayable = body !== null && body.length !== null && body.length <= replayableBodyBytes;
  if (!isReplayable || body.collected !== null) {
    forwarding.send(false);
    return;
  }
  body.collect(replayableBodyBytes).then(
    () => forwarding.send(false),
    () => fail(x, new GatewayError('client.gone')),
  );
}

// RFC 9110 §9.2.2: sending these twice does no more than sending them once.
const idempotent: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

class Forwarding implements UpstreamRequest, UpstreamHandler, Running, DivertedAnswer {
  readonly method: string;
  path: string;
  readonly headers: HeaderList;
  readonly #x: Exchange;
  readonly #source: ServerSource;
  readonly #sentAt: number;
  #server: Server;
  #call: UpstreamCall | null = null;
  /** Sent more than once already: by how much. */
  #repeats = 0;
  /** With the server, as its watch sees it. */
  #isInside = false;
  /** The answer's Content-Length, -1 for chunked or until-close. */
  #length = -1;
  /** The head is read but waits for its body, so that both leave in one write. */
  #headPending = false;
  /** The response hooks see the head at this moment. */
  #isAtHead = false;
  /** Takes the body when a response hook does not let the answer go out as it is. */
  #keeper: AnswerTaker | null = null;
  /** Takes what comes behind a head that waits for those who are told of it. */
  #held: HeldAnswer | null = null;
  /** The answer is nobody's any more; another attempt may be under way for the same Exchange. */
  #isDropped = false;

  constructor(x: Exchange, server: Server, source: ServerSource) {
    this.#x = x;
    this.#source = source;
    this.#server = server;
    this.method = x.method;
    this.path = server.path + x.path + x.search;
    this.headers = upstreamHeaders(x, source.hostFor(x, server));
    this.#sentAt = performance.now();
  }

  get body(): Uint8Array | RequestBody | null {
    const { body } = this.#x;
    return body === null ? null : (body.collected ?? body);
  }

  send(fresh: boolean): void {
    if (this.#x.ended) return;
    const { watch } = this.#server;
    if (watch !== null) {
      this.#isInside = true;
      watch.began();
    }
    this.#call = this.#server.pool.send(this, this, fresh);
  }

  cancel(): void {
    this.#leave();
    this.#call?.abort();
  }

  divert(taker: AnswerTaker): DivertedAnswer | null {
    if (!this.#isAtHead) return null;
    this.#keeper = taker;
    return this;
  }

  resume(): void {
    this.#call?.resume();
  }

  onHead(status: number, headers: HeaderList, length: number, isAlone: boolean): void {
    const x = this.#x;
    x.status = status;
    x.originStatus = status;
    x.trace?.answered(status, headers);
    x.responseHeaders = headers;
    this.#server.watch?.answered(status, performance.now() - this.#sentAt);
    if (x.entryPoint.keepsOriginHeaders) x.originHeaders = headers.slice();
    const told = x.answerNotes === null ? null : tellAll(x.answerNotes, x);
    if (told === null) this.#passHead(headers, length, isAlone);
    else this.#holdHead(told, () => this.#passHead(headers, length, isAlone));
  }

  #holdHead(told: Promise<unknown>, pass: () => void): void {
    const held = new HeldAnswer();
    this.#held = held;
    const release = (): void => {
      this.#held = null;
      if (this.#x.ended) return;
      pass();
      held.release(this);
    };
    told.then(release, release).catch((error: unknown) => {
      failWithBug(this.#x, error);
      // Held back, its connection has no deadline any more.
      this.cancel();
    });
  }

  #passHead(headers: HeaderList, length: number, isAlone: boolean): void {
    const x = this.#x;
    if (x.stickyCookies !== null) for (const line of x.stickyCookies) addSetCookie(headers, line);
    this.#isAtHead = true;
    const isFree = runResponseHooks(x);
    this.#isAtHead = false;
    if (isFree) this.#beginAnswer(x, isAlone);
    else if (this.#keeper === null) {
      this.#isDropped = true;
      this.#keeper = AnswerKeeper.forDropped(this, length);
    }
  }

  onData(chunk: Uint8Array): boolean {
    if (this.#held !== null) return this.#held.take(chunk);
    if (this.#keeper !== null) return this.#keeper.take(chunk);
    const x = this.#x;
    x.bytesOut += chunk.length;
    if (this.#headPending) {
      this.#headPending = false;
      if (chunk.length === this.#length) {
        this.#noteOrigin(x);
        sendWhole(x, chunk);
        return true;
      }
      sendHead(x, this.#length);
    }
    if (x.downstream.write(chunk)) return true;
    x.downstream.onDrain ??= () => this.#call?.resume();
    return false;
  }

  onTrailers(trailers: HeaderList): void {
    // Those of a dropped answer would end the next one's.
    if (!this.#isDropped) this.#x.trailers = trailers;
  }

  onEnd(): void {
    if (this.#held !== null) {
      this.#held.finish();
      return;
    }
    this.#leave();
    const x = this.#x;
    if (x.ended) return;
    if (!this.#isDropped) this.#noteOrigin(x);
    if (this.#keeper !== null) this.#keeper.finish();
    else if (this.#headPending || isBodyless(x)) sendWhole(x, '');
    else finishStream(x);
  }

  onError(error: GatewayError): void {
    if (this.#held !== null) {
      this.#held.fail(error);
      return;
    }
    const x = this.#x;
    // A client that breaks off, or sends what cannot be sent on, must not have a server taken for dead.
    if (this.#keeper === null && this.#isInside && error.blame === 'server') this.#server.watch?.failed();
    this.#leave();
    if (x.ended) return;
    if (this.#keeper !== null) {
      this.#keeper.fail(error);
      return;
    }
    x.trace?.failed(error.code);
    if (!x.headSent && this.#repeat(x, error)) return;
    this.#noteOrigin(x);
    fail(x, error);
  }

  #beginAnswer(x: Exchange, isAlone: boolean): void {
    if (isBodyless(x)) return;
    const length = getHeader(x.responseHeaders, 'content-length');
    this.#length = length === null ? -1 : Number(length);
    // A client shall not wait for the body to see the head; one that came with its body leaves with it.
    if (this.#length === -1) sendHead(x, null);
    else if (isAlone && this.#length > 0) sendHead(x, this.#length);
    else this.#headPending = true;
  }

  #noteOrigin(x: Exchange): void {
    x.originMs = performance.now() - this.#sentAt;
  }

  #leave(): void {
    if (!this.#isInside) return;
    this.#isInside = false;
    this.#server.watch?.left();
  }

  /** Whether the request is on its way once more. */
  #repeat(x: Exchange, error: GatewayError): boolean {
    if (error.retry === 'never') return false;
    // Nothing of it was sent: any server will do. Else it must bear being seen twice, and not oftener: what
    // kills one server shall not go through all of them.
    const isHarmless = error.unsent || (this.#repeats === 0 && idempotent.has(x.method));
    if (!isHarmless || this.#repeats >= maxServerAttempts - 1) return false;
    if (x.body !== null && x.body.collected === null && x.body.isPiped) return false;
    // A server that ends one connection after the other, gracefully, has refused and not failed.
    if (error.retry === 'other-server' || (this.#repeats > 0 && !error.unsent)) {
      const other = this.#source.another(x, this.#server);
      if (other === null) return false;
      this.#turnTo(x, other);
    }
    this.#repeats++;
    x.retries++;
    x.trace?.ask(x, this.headers);
    this.send(true);
    return true;
  }

  #turnTo(x: Exchange, server: Server): void {
    this.#server = server;
    x.server = server;
    this.path = server.path + x.path + x.search;
    // `upstreamHeaders` puts the Host field first.
    this.headers[1] = this.#source.hostFor(x, server);
  }
}

/** Null: nobody has to be waited for. */
function tellAll(notes: readonly AnswerNote[], x: Exchange): Promise<unknown> | null {
  let told: Promise<unknown> | null = null;
  for (const note of notes) {
    const one = note.answered(x);
    if (one !== null) told = told === null ? one : Promise.all([told, one]);
  }
  return told;
}
