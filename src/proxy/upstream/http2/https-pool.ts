// A server behind TLS: HTTP/1.1, except for calls that need HTTP/2 and servers that speak nothing else.

import type { TransportSpec } from '../../../model/snapshot.ts';
import type { GatewayError } from '../../errors.ts';
import type { HeaderList } from '../../headers.ts';
import type { UpstreamCall, UpstreamHandler, UpstreamRequest } from '../http1/call.ts';
import { Http1Pool } from '../http1/pool.ts';
import type { PoolFigures } from '../pool-figures.ts';
import type { ServerPool } from '../server-pool.ts';
import { NoHttp2Error } from './dial.ts';
import { askAgainAfter } from './limits.ts';
import { Http2Pool } from './pool.ts';
import { isGrpc } from './request-fields.ts';

/**
 * HTTP/1.1 costs about half the CPU time of `node:http2` and shares no connection between clients, and a server
 * that speaks both gives the same answers over either: so HTTP/2 is spoken where it makes a difference. What the
 * server chooses is learned once, by the first call that finds out.
 */
export class HttpsPool implements ServerPool {
  readonly figures: readonly PoolFigures[];
  readonly #http1: Http1Pool;
  readonly #http2: Http2Pool;
  /** What the server has refused to speak. */
  #refused: 'http1' | 'http2' | null = null;
  /** It has answered over HTTP/1.1. */
  #speaksHttp1 = false;
  #askAgainAt = 0;

  constructor(url: string, transport: TransportSpec) {
    this.#http1 = new Http1Pool(url, transport);
    this.#http2 = new Http2Pool(url, transport);
    this.figures = [this.#http1, this.#http2];
  }

  send(request: UpstreamRequest, handler: UpstreamHandler, fresh = false): UpstreamCall {
    const wantsHttp2 = this.#refused === 'http1' || (isGrpc(request.headers) && this.#mayAsk());
    if (!wantsHttp2 && this.#speaksHttp1) return this.#http1.send(request, handler, fresh);
    const attempt = wantsHttp2
      ? new Attempt(request, handler, { other: this.#http1, learn: (error) => this.#hasNoHttp2(error) })
      : new Attempt(request, handler, {
          other: this.#http2,
          learn: (error) => this.#hasNoHttp1(error),
          answered: () => (this.#speaksHttp1 = true),
        });
    attempt.begin(wantsHttp2 ? this.#http2 : this.#http1, fresh);
    return attempt;
  }

  close(): void {
    this.#http1.close();
    this.#http2.close();
  }

  #mayAsk(): boolean {
    return this.#refused !== 'http2' || performance.now() >= this.#askAgainAt;
  }

  #hasNoHttp2(error: GatewayError): boolean {
    if (!error.unsent || !(error.cause instanceof NoHttp2Error)) return false;
    this.#refused = 'http2';
    this.#askAgainAt = performance.now() + askAgainAfter;
    return true;
  }

  #hasNoHttp1(error: GatewayError): boolean {
    const { code } = (error.cause ?? {}) as { code?: unknown };
    if (!error.unsent || code !== noProtocolAlert) return false;
    this.#refused = 'http1';
    return true;
  }
}

/** RFC 7301 §3.2: what a server says that speaks none of the protocols it was offered. */
const noProtocolAlert = 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL';

interface Choice {
  readonly other: ServerPool;
  /** Whether `error` says that the call belongs to `other`: nothing of it was sent then. */
  learn(error: GatewayError): boolean;
  answered?(): void;
}

/** A call that may turn out to be for the other protocol: once. */
class Attempt implements UpstreamCall, UpstreamHandler {
  readonly #request: UpstreamRequest;
  readonly #handler: UpstreamHandler;
  readonly #choice: Choice;
  #call!: UpstreamCall;

  constructor(request: UpstreamRequest, handler: UpstreamHandler, choice: Choice) {
    this.#request = request;
    this.#handler = handler;
    this.#choice = choice;
  }

  begin(pool: ServerPool, fresh: boolean): void {
    this.#call = pool.send(this.#request, this, fresh);
  }

  abort(): void {
    this.#call.abort();
  }

  resume(): void {
    this.#call.resume();
  }

  onHead(status: number, headers: HeaderList, length: number, isAlone: boolean): void {
    this.#choice.answered?.();
    this.#handler.onHead(status, headers, length, isAlone);
  }

  onData(chunk: Uint8Array): boolean {
    return this.#handler.onData(chunk);
  }

  onTrailers(trailers: HeaderList): void {
    this.#handler.onTrailers?.(trailers);
  }

  onEnd(): void {
    this.#handler.onEnd();
  }

  onError(error: GatewayError): void {
    const { other, learn } = this.#choice;
    if (learn(error)) this.#call = other.send(this.#request, this.#handler, false);
    else this.#handler.onError(error);
  }
}
