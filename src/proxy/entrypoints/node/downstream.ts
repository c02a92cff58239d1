// The client's side of an Exchange over HTTP/1 on Node: heads, bodies, trailers and back-pressure.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Downstream } from '../../downstream.ts';
import type { Exchange } from '../../exchange.ts';
import type { HeaderList } from '../../headers.ts';
import { statusText } from '../../status.ts';
import type { DrainState } from '../listener.ts';
import { answerFields, reportedLength } from './answer-head.ts';
import type { NodeBody } from './body.ts';
import type { Connection } from './connection.ts';
import { writePiece } from './pieces.ts';

export class Http1Downstream implements Downstream {
  onDrain: (() => void) | null = null;
  onAbort: (() => void) | null = null;
  aborted = false;
  body: NodeBody | null = null;
  /** This connection must not carry another request. */
  mustClose = false;
  /** Whose answer this is; null for a refusal. */
  exchange: Exchange | null = null;

  protected readonly response: ServerResponse;
  readonly #request: IncomingMessage;
  readonly #connection: Connection;
  readonly #host: DrainState;
  #finished = false;
  #isChunked = false;
  /** The answer ends with its connection. */
  #isOpenEnded = false;
  #listensForDrain = false;

  constructor(request: IncomingMessage, response: ServerResponse, connection: Connection, host: DrainState) {
    this.#request = request;
    this.response = response;
    this.#connection = connection;
    this.#host = host;
    this.mustClose = !response.shouldKeepAlive;
    // Of a client that is gone; it is noticed where its connection closes.
    response.on('error', ignore);
    response.on('finish', () => connection.answered(this));
  }

  get finished(): boolean {
    return this.#finished || this.aborted;
  }

  respond(status: number, headers: HeaderList, body: string | Uint8Array, bodyless: boolean): void {
    if (this.finished) return;
    // A copy: bytes may be a view of memory that the next read overwrites, and a string would take the head
    // along into its own encoding.
    const bytes = Buffer.from(body as string);
    this.#writeHead(status, headers, bodyless ? reportedLength(headers, status) : bytes.length);
    this.#finished = true;
    if (bodyless || bytes.length === 0) this.response.end();
    else this.response.end(bytes);
  }

  begin(status: number, headers: HeaderList, length: number | null): void {
    if (this.finished) return;
    // Only HTTP/1.1 has chunks; before it the end of the connection is the end of the answer.
    this.#isChunked = length === null && this.#request.httpVersionMinor === 1;
    this.#isOpenEnded = length === null && !this.#isChunked;
    this.mustClose ||= this.#isOpenEnded;
    this.#writeHead(status, headers, length);
    // A body's first bytes mostly follow at once, and leave in one write with the head.
    queueMicrotask(() => {
      if (!this.finished) this.response.flushHeaders();
    });
  }

  write(chunk: Uint8Array): boolean {
    if (chunk.length === 0 || this.finished) return true;
    if (writePiece(this.response, chunk)) return true;
    if (!this.#listensForDrain) {
      this.#listensForDrain = true;
      this.response.on('drain', () => this.onDrain?.());
    }
    return false;
  }

  finish(): void {
    if (this.finished) return;
    this.#finished = true;
    const trailers = this.exchange?.trailers ?? null;
    if (trailers !== null && this.#isChunked) this.response.addTrailers(pairs(trailers));
    this.response.end();
  }

  abort(): void {
    if (this.finished) return;
    this.#finished = true;
    this.#connection.cut(this.#isOpenEnded);
  }

  /** The connection is gone. */
  gone(): void {
    this.body?.abort();
    if (this.finished) return;
    this.aborted = true;
    this.onAbort?.();
  }

  /** Its head has left. */
  get hasBegun(): boolean {
    return this.response.headersSent;
  }

  #writeHead(status: number, headers: HeaderList, length: number | null): void {
    this.mustClose ||= this.#isUnread() || this.#connection.isSpent() || this.#host.isDraining();
    const fields = answerFields(headers, length);
    // RFC 9112 §9.3: to HTTP/1.1 that a connection stays goes without saying.
    if (this.mustClose) fields.push('connection', 'close');
    else if (this.#request.httpVersionMinor === 0) fields.push('connection', 'keep-alive');
    else this.response.removeHeader('connection');
    this.response.writeHead(status, statusText(status), fields);
  }

  /** What follows a body that was not read to its end cannot be told from it. */
  #isUnread(): boolean {
    return this.body !== null && !this.body.complete && !this.#request.complete;
  }
}

/** A client that asks for another protocol: answered like any request, or accepted. */
export class NodeHandshake extends Http1Downstream {
  /** What it asks for, as it was written. */
  readonly protocol: string;
  readonly #socket: Socket;
  readonly #cut: () => void;

  constructor(
    parts: { request: IncomingMessage; response: ServerResponse; protocol: string },
    connection: Connection,
    host: DrainState,
  ) {
    super(parts.request, parts.response, connection, host);
    this.protocol = parts.protocol;
    this.#socket = connection.socket;
    this.mustClose = true;
    // Who speaks before the switch, or goes, is not served; and unread nobody would notice either.
    this.#cut = () => connection.cut(false);
    this.#socket.on('data', this.#cut).on('end', this.#cut);
  }

  /** Says 101. From here on the socket is the caller's. */
  switchProtocols(headers: HeaderList): Socket {
    let head = 'HTTP/1.1 101 Switching Protocols\r\n';
    const fields = answerFields(headers, null);
    for (let i = 0; i < fields.length; i += 2) head += `${fields[i]}: ${fields[i + 1]}\r\n`;
    this.response.detachSocket(this.#socket);
    this.#socket.write(`${head}connection: Upgrade\r\nupgrade: ${this.protocol}\r\n\r\n`, 'latin1');
    this.#socket.pause();
    this.#socket.off('data', this.#cut).off('end', this.#cut);
    return this.#socket;
  }
}

function pairs(list: HeaderList): [string, string][] {
  const found: [string, string][] = [];
  for (let i = 0; i < list.length; i += 2) found.push([list[i] as string, list[i + 1] as string]);
  return found;
}

function ignore(): void {}
