// An Exchange that leaves HTTP behind: the server is asked for the same protocol, then bytes pass both ways as
// they are. For engines that hand over the client's socket.

import { createHash } from 'node:crypto';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { Socket } from 'node:net';
import type { Downstream } from '../downstream.ts';
import { GatewayError } from '../errors.ts';
import type { Running } from '../exchange-work.ts';
import type { Exchange } from '../exchange.ts';
import { getHeader, type HeaderList } from '../headers.ts';
import { maxResponseHeaderBytes } from '../limits.ts';
import { answer, fail, runResponseHooks } from '../pipeline.ts';
import { end } from '../respond.ts';
import type { Server } from '../services/server.ts';
import { limitAnswer, limitDial } from './handshake.ts';
import { toGatewayError } from './errors.ts';
import { pin } from './pin.ts';
import { readRefusal } from './refusal.ts';
import { upstreamHeaders } from './request-headers.ts';
import { readResponseHeaders } from './response-headers.ts';
import { tlsOptions } from './tls-options.ts';

// Not imported, for the reason in `proxy/status.ts`.
const { request: requestHttp } = process.getBuiltinModule('node:http');

/** A client that asks for another protocol, on an engine that hands over its socket. */
export interface RawHandshake extends Downstream {
  /** What it asks for, as it was written. */
  readonly protocol: string;
  /** Says 101. From here on the socket is the caller's. */
  switchProtocols(headers: HeaderList): Socket;
}

export function isRawHandshake(downstream: Downstream): downstream is RawHandshake {
  return 'switchProtocols' in downstream;
}

/** Opens a tunnel for `x` to `server` with `host` as Host header; `x` ends when the tunnel does. */
export function rawTunnel(x: Exchange, server: Server, host: string): void {
  const running = new RawTunnel(x, x.downstream as RawHandshake);
  x.running = running;
  running.open(server, host);
}

/** Milliseconds one side may still be written to after the other has ended. */
const farewell = 5_000;
// RFC 6455 §1.3.
const acceptSuffix = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
// RFC 6455 §5.5.1: 1001, "going away"; a client's frames are masked.
const goingAway = Buffer.from([0x88, 0x02, 0x03, 0xe9]);
const goingAwayMasked = Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe9]);

class RawTunnel implements Running {
  readonly #x: Exchange;
  readonly #handshake: RawHandshake;
  #request: ClientRequest | null = null;
  #client: Socket | null = null;
  #server: Socket | null = null;
  readonly #askedAt = performance.now();

  constructor(x: Exchange, handshake: RawHandshake) {
    this.#x = x;
    this.#handshake = handshake;
  }

  open(server: Server, host: string): void {
    const x = this.#x;
    const { transport } = server;
    const url = new URL(server.url.replace(/^h2c:/, 'http:'));
    const isTls = url.protocol === 'https:';
    const headers = upstreamHeaders(x, host);
    headers.push('connection', 'Upgrade', 'upgrade', this.#handshake.protocol);
    if (x.method !== 'GET' && x.method !== 'HEAD') headers.push('content-length', '0');
    const request = (isTls ? requestHttps : requestHttp)({
      host: url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname,
      port: Number(url.port) || (isTls ? 443 : 80),
      method: x.method,
      path: server.path + x.path + x.search,
      headers,
      agent: false,
      setHost: false,
      maxHeaderSize: maxResponseHeaderBytes,
      ...(isTls ? tlsOptions(transport) : {}),
    });
    this.#request = request;
    limitDial(request, transport.dialTimeout);
    limitAnswer(request, transport.responseHeaderTimeout);
    request.on('upgrade', (response, socket, early) => this.#switching(response, socket as Socket, early));
    request.on('response', (response) => this.#refused(response));
    request.on('error', (error) => this.#failed(error));
    request.end();
  }

  /** The client went away before the handshake was answered, or the gateway is going. */
  cancel(): void {
    if (this.#client === null || this.#server === null) {
      this.#request?.destroy();
      return;
    }
    if (this.#handshake.protocol.toLowerCase() === 'websocket') {
      this.#client.write(goingAway);
      this.#server.write(goingAwayMasked);
    }
    this.#client.end();
    this.#server.end();
    this.#leave();
  }

  #switching(response: IncomingMessage, server: Socket, early: Buffer): void {
    const x = this.#x;
    server.on('error', ignore);
    if (x.ended) {
      server.destroy();
      return;
    }
    if (!this.#isWanted(response)) {
      server.destroy();
      this.#failed(new GatewayError('upstream.bad_upgrade', 'the 101 does not match the request'));
      return;
    }
    x.status = 101;
    x.originStatus = 101;
    x.responseHeaders = readResponseHeaders(response.rawHeaders);
    if (x.entryPoint.keepsOriginHeaders) x.originHeaders = x.responseHeaders.slice();
    pin(x);
    if (!runResponseHooks(x)) {
      server.destroy();
      return;
    }
    x.headSent = true;
    this.#told();
    const client = this.#handshake.switchProtocols(x.responseHeaders);
    this.#client = client;
    this.#server = server;
    if (early.length > 0) server.unshift(early);
    this.#splice(client, server, (bytes) => (x.bytesIn += bytes));
    this.#splice(server, client, (bytes) => (x.bytesOut += bytes));
  }

  /** RFC 9110 §7.8: a server must not switch to what nobody has asked for. */
  #isWanted({ headers }: IncomingMessage): boolean {
    const asked = this.#handshake.protocol.toLowerCase();
    if (headers.upgrade?.toLowerCase() !== asked) return false;
    if (asked !== 'websocket') return true;
    const key = getHeader(this.#x.headers, 'sec-websocket-key') ?? '';
    return (
      headers['sec-websocket-accept'] ===
      createHash('sha1')
        .update(key + acceptSuffix)
        .digest('base64')
    );
  }

  #splice(from: Socket, to: Socket, count: (bytes: number) => void): void {
    from.on('data', (chunk: Buffer) => {
      count(chunk.length);
      if (!to.write(chunk)) from.pause();
    });
    to.on('drain', () => from.resume());
    from.on('end', () => {
      to.end();
      this.#leave();
    });
    from.on('close', () => {
      to.destroySoon();
      end(this.#x);
    });
    from.resume();
  }

  /** One side has ended: the other is not waited for without end. */
  #leave(): void {
    setTimeout(() => {
      this.#client?.destroy();
      this.#server?.destroy();
    }, farewell).unref();
  }

  /** The server's own 4xx or 5xx reaches the client as it is. */
  #refused(response: IncomingMessage): void {
    const x = this.#x;
    const whole = (body: Buffer): void => {
      if (x.ended) return;
      x.originStatus = response.statusCode ?? 502;
      this.#told();
      x.answer(x.originStatus, readResponseHeaders(response.rawHeaders), body);
      pin(x);
      answer(x);
    };
    readRefusal(response, whole, (error) => this.#failed(error));
  }

  #failed(error: Error): void {
    if (this.#x.ended || this.#x.headSent) return;
    this.#told();
    fail(this.#x, toGatewayError(error));
  }

  /** The server has had its say: the log is told how long that took. */
  #told(): void {
    this.#x.originMs = performance.now() - this.#askedAt;
  }
}

function ignore(): void {}
