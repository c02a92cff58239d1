// A WebSocket Exchange to a server: its answer to the handshake decides, then messages pass both ways.

import type { ClientRequest, IncomingMessage } from 'node:http';
import WebSocket from 'ws';
import type { Running } from '../exchange-work.ts';
import type { Exchange } from '../exchange.ts';
import { maxMessageBytes, tunnelSlack } from '../limits.ts';
import { answer, fail, runResponseHooks } from '../pipeline.ts';
import { end } from '../respond.ts';
import type { Server } from '../services/server.ts';
import type { Handshake, TunnelEnd, TunnelEvents } from '../tunnel.ts';
import { toGatewayError } from './errors.ts';
import { connect, handshakeError, limitAnswer, limitDial, offered, toHeaderMap } from './handshake.ts';
import { pin } from './pin.ts';
import { isRawHandshake, rawTunnel } from './raw-tunnel.ts';
import { readRefusal } from './refusal.ts';
import { tlsOptions } from './tls-options.ts';
import { upstreamHeaders } from './request-headers.ts';
import { readResponseHeaders } from './response-headers.ts';

/** Opens a tunnel for `x` to `server` with `host` as Host header; `x` ends when the tunnel does. */
export function tunnel(x: Exchange, server: Server, host: string): void {
  if (isRawHandshake(x.downstream)) {
    rawTunnel(x, server, host);
    return;
  }
  const handshake = x.downstream as Handshake;
  const running = new Tunnel(x, server, handshake);
  x.running = running;
  running.open(host);
}

/** Close codes that may stand in a close frame (RFC 6455 §7.4). */
function isSendable(code: number): boolean {
  if (code >= 3000 && code <= 4999) return true;
  return code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006;
}

class Tunnel implements Running, TunnelEvents {
  readonly #x: Exchange;
  readonly #server: Server;
  readonly #handshake: Handshake;
  #socket: WebSocket | null = null;
  #client: TunnelEnd | null = null;
  #answer: IncomingMessage | null = null;
  #protocol = '';
  #closed = false;
  /** Bytes. */
  readonly #maxMessage: number;
  readonly #askedAt = performance.now();

  constructor(x: Exchange, server: Server, handshake: Handshake) {
    this.#x = x;
    this.#server = server;
    this.#handshake = handshake;
    this.#maxMessage = x.entryPoint.spec.http.maxWebSocketMessage ?? maxMessageBytes;
  }

  /** Throws `GatewayError` for a handshake no server could answer. */
  open(host: string): void {
    const x = this.#x;
    const { transport } = this.#server;
    // A server of the scheme h2c is asked in HTTP/1.1: the switch of protocols is one of that version.
    const url = this.#server.url.replace(/^(?:http|h2c)/, 'ws');
    const target = this.#server.path + x.path + x.search;
    const socket = connect(url, offered(this.#handshake.protocols), {
      ...tlsOptions(transport),
      headers: toHeaderMap(upstreamHeaders(x, host)),
      followRedirects: false,
      perMessageDeflate: false,
      maxPayload: this.#maxMessage,
      autoPong: false,
      finishRequest: (request: ClientRequest) => {
        limitDial(request, transport.dialTimeout);
        limitAnswer(request, transport.responseHeaderTimeout);
        // Past the library's URL parser, which takes `\` for `/` and resolves dots: the server must get
        // the path that the router and the auth server were asked about.
        request.path = target;
        request.end();
      },
    });
    this.#socket = socket;
    socket.on('upgrade', (response) => this.#switching(response));
    socket.on('open', () => this.#accepted());
    socket.on('unexpected-response', (_request, response) => this.#refused(response));
    socket.on('error', (error) => this.#failed(error));
    socket.on('message', (data, isBinary) => this.#fromServer(data as Buffer, isBinary));
    socket.on('ping', (data) => this.#client?.ping(data));
    socket.on('pong', (data) => this.#client?.pong(data));
    socket.on('close', (code, reason) => this.#serverClosed(code, reason.toString('utf8')));
  }

  /** The client went away before the handshake was answered, or the gateway is going. */
  cancel(): void {
    if (this.#client === null) this.#socket?.terminate();
    else this.#close(1001, 'going away', 'both');
  }

  // --- from the client ---

  message(data: Uint8Array, isBinary: boolean): void {
    const socket = this.#socket as WebSocket;
    if (socket.readyState !== WebSocket.OPEN) return;
    this.#x.bytesIn += data.length;
    socket.send(data, { binary: isBinary });
    // The listener cannot hold a client back: a server that does not read costs its tunnel, not our memory.
    if (socket.bufferedAmount <= this.#maxMessage + tunnelSlack) return;
    this.#close(1013, 'the server does not keep up', 'client');
    socket.terminate();
  }

  ping(data: Uint8Array): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.ping(data);
  }

  pong(data: Uint8Array): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.pong(data);
  }

  closed(code: number, reason: string): void {
    this.#close(code, reason, 'server');
  }

  drained(): void {
    this.#socket?.resume();
  }

  // --- from the server ---

  /** Comes before the library has checked the answer. */
  #switching(response: IncomingMessage): void {
    this.#answer = response;
    const protocol = response.headers['sec-websocket-protocol'];
    this.#protocol = protocol ?? '';
    // A server may leave the offer aside, and what to think of that is the client's business: the library
    // would refuse.
    const [first] = offered(this.#handshake.protocols);
    if (protocol === undefined && first !== undefined) response.headers['sec-websocket-protocol'] = first;
  }

  #accepted(): void {
    const x = this.#x;
    const response = this.#answer;
    if (x.ended || response === null) {
      this.#socket?.terminate();
      return;
    }
    x.status = 101;
    x.originStatus = 101;
    x.responseHeaders = readResponseHeaders(response.rawHeaders).filter(isOurs);
    if (x.entryPoint.keepsOriginHeaders) x.originHeaders = x.responseHeaders.slice();
    pin(x);
    if (!runResponseHooks(x)) {
      this.#socket?.terminate();
      return;
    }
    x.headSent = true;
    this.#client = this.#handshake.accept(x.responseHeaders, this.#protocol, this);
  }

  /** The server's own 4xx or 5xx reaches the client as it is. */
  #refused(response: IncomingMessage): void {
    const x = this.#x;
    const whole = (body: Buffer): void => {
      if (x.ended) return;
      x.originStatus = response.statusCode ?? 502;
      this.#told();
      x.answer(x.originStatus, readResponseHeaders(response.rawHeaders).filter(isNoLength), body);
      pin(x);
      answer(x);
    };
    readRefusal(response, whole, (error) => fail(x, toGatewayError(error)));
  }

  #fromServer(data: Buffer, isBinary: boolean): void {
    this.#x.bytesOut += data.length;
    if (this.#client?.send(data, isBinary) === false) this.#socket?.pause();
  }

  #failed(error: Error): void {
    if (this.#x.headSent) this.#close(messageTooBig(error) ? 1009 : 1006, '', 'client');
    else {
      this.#told();
      fail(this.#x, handshakeError(error));
    }
  }

  #serverClosed(code: number, reason: string): void {
    if (this.#x.headSent) this.#close(code, reason, 'client');
  }

  #close(code: number, reason: string, whom: 'client' | 'server' | 'both'): void {
    if (this.#closed) return;
    this.#closed = true;
    if (whom !== 'client') closeSocket(this.#socket as WebSocket, code, reason);
    if (whom !== 'server') this.#client?.close(isSendable(code) || code === 1005 ? code : 1006, reason);
    this.#told();
    end(this.#x);
  }

  /** The server has had its say: the log is told how long that took. */
  #told(): void {
    this.#x.originMs = performance.now() - this.#askedAt;
  }
}

function messageTooBig(error: Error): boolean {
  return (error as { code?: string }).code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH';
}

function closeSocket(socket: WebSocket, code: number, reason: string): void {
  // Held back, it would never read the server's own close frame, and keep the connection for half a minute.
  socket.resume();
  if (code === 1005) socket.close();
  else if (isSendable(code)) socket.close(code, reason);
  else socket.terminate();
}

// Both predicates see a flat list: a value stays when its name does.
function isOurs(_: string, i: number, list: readonly string[]): boolean {
  return !(list[i - (i % 2)] as string).startsWith('sec-websocket-') && isNoLength(_, i, list);
}

function isNoLength(_: string, i: number, list: readonly string[]): boolean {
  return list[i - (i % 2)] !== 'content-length';
}
