// An HTTP Exchange to a server and back: streamed both ways, with back-pressure both ways.

import type { RequestBody } from '../body.ts';
import { GatewayError } from '../errors.ts';
import type { Cancellable, Exchange } from '../exchange.ts';
import { getHeader, type HeaderList } from '../headers.ts';
import { replayableBodyBytes } from '../limits.ts';
import { end, fail, isBodyless, runResponseHooks, sendWhole } from '../respond.ts';
import type { Server } from '../services/server.ts';
import { addSetCookie } from '../services/sticky-cookie.ts';
import type { UpstreamCall, UpstreamHandler, UpstreamRequest } from './http1/call.ts';
import { upstreamHeaders } from './request-headers.ts';

/** Sends `x` to `server` with `host` as Host header, and ends it. */
export function forward(x: Exchange, server: Server, host: string): void {
  const forwarding = new Forwarding(x, server, host);
  x.running = forwarding;
  const { body } = x;
  const isReplayable = body !== null && body.length !== null && body.length <= replayableBodyBytes;
  if (!isReplayable || body.collected !== null) {
    forwarding.send();
    return;
  }
  body.collect(replayableBodyBytes).then(
    () => forwarding.send(),
    () => fail(x, new GatewayError('client.gone')),
  );
}

// RFC 9110 §9.2.2: sending these twice does no more than sending them once.
const idempotent: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

class Forwarding implements UpstreamRequest, UpstreamHandler, Cancellable {
  readonly method: string;
  readonly path: string;
  readonly headers: HeaderList;
  readonly #x: Exchange;
  readonly #server: Server;
  readonly #sentAt: number;
  #call: UpstreamCall | null = null;
  /** The answer's Content-Length, -1 for chunked or until-close. */
  #length = -1;
  /** The head is read but waits for its body, so that both leave in one write. */
  #headPending = false;

  constructor(x: Exchange, server: Server, host: string) {
    this.#x = x;
    this.#server = server;
    this.method = x.method;
    this.path = server.path + x.path + x.search;
    this.headers = upstreamHeaders(x, host);
    this.#sentAt = performance.now();
  }

  get body(): Uint8Array | RequestBody | null {
    const { body } = this.#x;
    return body === null ? null : (body.collected ?? body);
  }

  send(): void {
    if (!this.#x.ended) this.#call = this.#server.pool.send(this, this, this.#x.retries > 0);
  }

  cancel(): void {
    this.#call?.abort();
  }

  onHead(status: number, headers: HeaderList, _length: number, isAlone: boolean): void {
    const x = this.#x;
    x.status = status;
    x.originStatus = status;
    x.responseHeaders = headers;
    if (x.entryPoint.keepsOriginHeaders) x.originHeaders = headers.slice();
    if (x.stickyCookie !== null) addSetCookie(headers, x.stickyCookie);
    if (runResponseHooks(x)) this.#beginAnswer(x, isAlone);
    else this.cancel();
  }

  onData(chunk: Uint8Array): boolean {
    const x = this.#x;
    x.bytesOut += chunk.length;
    if (this.#headPending) {
      this.#headPending = false;
      if (chunk.length === this.#length) {
        this.#noteOrigin(x);
        sendWhole(x, chunk);
        return true;
      }
      this.#sendHead(x);
    }
    if (x.downstream.write(chunk)) return true;
    x.downstream.onDrain ??= () => this.#call?.resume();
    return false;
  }

  onEnd(): void {
    const x = this.#x;
    if (x.ended) return;
    this.#noteOrigin(x);
    if (this.#headPending || isBodyless(x)) {
      sendWhole(x, '');
      return;
    }
    x.downstream.finish();
    end(x);
  }

  onError(error: GatewayError): void {
    const x = this.#x;
    if (x.ended) return;
    if (!x.headSent && this.#canRepeat(x, error)) {
      x.retries++;
      this.send();
      return;
    }
    this.#noteOrigin(x);
    fail(x, error);
  }

  #beginAnswer(x: Exchange, isAlone: boolean): void {
    if (isBodyless(x)) return;
    const length = getHeader(x.responseHeaders, 'content-length');
    this.#length = length === null ? -1 : Number(length);
    // A client shall not wait for the body to see the head; one that came with its body leaves with it.
    if (this.#length === -1 || (isAlone && this.#length > 0)) this.#sendHead(x);
    else this.#headPending = true;
  }

  #sendHead(x: Exchange): void {
    x.headSent = true;
    x.downstream.begin(x.status, x.responseHeaders, this.#length === -1 ? null : this.#length);
  }

  #noteOrigin(x: Exchange): void {
    x.originMs = performance.now() - this.#sentAt;
  }

  /** Once, on a fresh connection: a kept one died, and the server has seen nothing or may see it twice. */
  #canRepeat(x: Exchange, error: GatewayError): boolean {
    if (x.retries > 0 || error.retry !== 'fresh-connection') return false;
    const isHarmless = error.unsent || idempotent.has(x.method);
    return isHarmless && (x.body === null || x.body.collected !== null);
  }
}
