// An HTTP Exchange to a server and back: streamed both ways, with back-pressure both ways.

import type { Dispatcher } from 'undici';
import { GatewayError } from '../errors.ts';
import type { Cancellable, Exchange } from '../exchange.ts';
import { getHeader, type HeaderList } from '../headers.ts';
import { replayableBodyBytes } from '../limits.ts';
import { end, fail, isBodyless, runResponseHooks, sendWhole } from '../respond.ts';
import type { Server } from '../services/server.ts';
import { addSetCookie } from '../services/sticky-cookie.ts';
import { BodyStream } from './body-stream.ts';
import { toGatewayError } from './errors.ts';
import { upstreamHeaders } from './request-headers.ts';
import { readResponseHeaders } from './response-headers.ts';

/** Sends `x` to `server` with `host` as Host header, and ends it. */
export function forward(x: Exchange, server: Server, host: string): void {
  const forwarding = new Forwarding(x, server, host);
  x.running = forwarding;
  const body = x.body;
  if (body === null || body.collected !== null) {
    forwarding.send();
  } else if (body.length !== null && body.length <= replayableBodyBytes) {
    body.collect(replayableBodyBytes).then(
      () => forwarding.send(),
      () => fail(x, new GatewayError('client.gone')),
    );
  } else {
    forwarding.send();
  }
}

// RFC 9110 §9.2.2: sending these twice does no more than sending them once.
const idempotent: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

class Forwarding implements Dispatcher.DispatchHandler, Cancellable {
  readonly #x: Exchange;
  readonly #server: Server;
  readonly #headers: HeaderList;
  readonly #sentAt: number;
  #controller: Dispatcher.DispatchController | null = null;
  /** The answer's Content-Length, -1 for chunked or until-close. */
  #length = -1;
  /** The head is read but waits for its body, so that both leave in one write. */
  #headPending = false;

  constructor(x: Exchange, server: Server, host: string) {
    this.#x = x;
    this.#server = server;
    this.#headers = upstreamHeaders(x, host);
    this.#sentAt = performance.now();
  }

  send(): void {
    if (this.#x.ended) return;
    const { pool } = this.#server;
    try {
      if (this.#x.retries === 0) pool.dispatch(this.#request(), this);
      else pool.dispatchFresh(this.#request(), this);
    } catch (error) {
      fail(this.#x, toGatewayError(error));
    }
  }

  cancel(): void {
    this.#controller?.abort(new GatewayError('client.gone'));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#x.ended) controller.abort(new GatewayError('client.gone'));
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    // 100 and 103 are hints to us; the answer is still to come.
    if (status < 200) return;
    const x = this.#x;
    if (x.ended) return;
    x.status = status;
    x.originStatus = status;
    x.responseHeaders = readResponseHeaders((controller.rawHeaders ?? []) as (Buffer | string)[]);
    if (x.entryPoint.keepsOriginHeaders) x.originHeaders = x.responseHeaders.slice();
    if (x.stickyCookie !== null) addSetCookie(x.responseHeaders, x.stickyCookie);
    if (!runResponseHooks(x)) {
      this.cancel();
      return;
    }
    this.#beginAnswer(x);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    const x = this.#x;
    if (x.ended || isBodyless(x)) return;
    x.bytesOut += chunk.length;
    if (this.#headPending) {
      this.#headPending = false;
      if (chunk.length === this.#length) {
        this.#ended(x);
        sendWhole(x, chunk);
        return;
      }
      this.#sendHead(x);
    }
    if (x.downstream.write(chunk)) return;
    controller.pause();
    x.downstream.onDrain = () => controller.resume();
  }

  onResponseEnd(): void {
    const x = this.#x;
    if (x.ended) return;
    this.#ended(x);
    if (this.#headPending || isBodyless(x)) {
      sendWhole(x, '');
      return;
    }
    x.downstream.finish();
    end(x);
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    const x = this.#x;
    if (x.ended) return;
    if (x.headSent) {
      fail(x, new GatewayError('upstream.reset_body', '', error));
      return;
    }
    const failure = toGatewayError(error);
    if (failure.retry === 'fresh-connection' && this.#canRepeat(x)) {
      x.retries++;
      this.send();
      return;
    }
    this.#ended(x);
    fail(x, failure);
  }

  #beginAnswer(x: Exchange): void {
    if (isBodyless(x)) return;
    const length = getHeader(x.responseHeaders, 'content-length');
    this.#length = length === null ? -1 : Number(length);
    if (this.#length === -1) {
      this.#sendHead(x);
      return;
    }
    this.#headPending = true;
    if (this.#length > 0) process.nextTick(flushHead, this);
  }

  /** The body did not come with the head: the client shall not wait for it to see the head. */
  flushHead(): void {
    if (!this.#headPending || this.#x.ended) return;
    this.#headPending = false;
    this.#sendHead(this.#x);
  }

  #sendHead(x: Exchange): void {
    x.headSent = true;
    x.downstream.begin(x.status, x.responseHeaders, this.#length === -1 ? null : this.#length);
  }

  #ended(x: Exchange): void {
    x.originMs = performance.now() - this.#sentAt;
  }

  #canRepeat(x: Exchange): boolean {
    return x.retries === 0 && idempotent.has(x.method) && (x.body === null || x.body.collected !== null);
  }

  #request(): Dispatcher.DispatchOptions {
    const { body, method, path, search } = this.#x;
    const headers = this.#headers;
    let payload: Dispatcher.DispatchOptions['body'] = null;
    if (body !== null && body.collected !== null) {
      payload = Buffer.from(body.collected.buffer, body.collected.byteOffset, body.collected.byteLength);
    } else if (body !== null) {
      payload = new BodyStream(body);
      if (body.length !== null) headers.push('content-length', String(body.length));
    }
    return {
      method: method as Dispatcher.HttpMethod,
      path: this.#server.path + path + search,
      headers,
      body: payload,
    };
  }
}

function flushHead(forwarding: Forwarding): void {
  forwarding.flushHead();
}
