// HTTP/1.1 and HTTP/1.0 on Node: what its server calls us with, and what it is told to do.

import { type IncomingMessage, STATUS_CODES, ServerResponse, type ServerOptions } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { headTimeout } from '../head-timeout.ts';
import { headerSlop, type Intake } from '../intake.ts';
import type { IntakeHeaders } from '../intake-headers.ts';
import type { Stopwatch } from '../stopwatch.ts';
import { NodeBody } from './body.ts';
import { Connection } from './connection.ts';
import type { Door } from './door.ts';
import { Http1Downstream, NodeHandshake } from './downstream.ts';
import { maxHeaderPairs, slowHeadsEvery } from './limits.ts';
import { feedHttp1 } from './request-head.ts';
import { readWireTarget } from './request-target.ts';
import type { Secured } from './secured.ts';
import { asksToSwitch } from './upgrade.ts';

/** What of an entry point Node itself looks after. */
export function http1Options({ spec }: Door['entryPoint']): ServerOptions {
  const { transport, http } = spec;
  return {
    insecureHTTPParser: false,
    // Intake refuses it like any other framing that is none.
    requireHostHeader: false,
    maxHeaderSize: http.maxHeaderBytes + headerSlop,
    headersTimeout: headTimeout(transport),
    // For the body silence counts, not its whole time: see `Stopwatch`.
    requestTimeout: 0,
    connectionsCheckingInterval: slowHeadsEvery,
    keepAliveTimeout: transport.idleTimeout,
    noDelay: true,
    shouldUpgradeCallback: asksToSwitch,
  };
}

export class Http1 {
  readonly #door: Door;
  readonly #intake: Intake;
  readonly #stopwatch: Stopwatch;
  readonly #connections = new WeakMap<Duplex, Connection>();

  constructor(door: Door, intake: Intake, stopwatch: Stopwatch) {
    this.#door = door;
    this.#intake = intake;
    this.#stopwatch = stopwatch;
  }

  opened(socket: Socket, secured: Secured | null): void {
    this.#connections.set(socket, new Connection(socket, secured, this.#door));
  }

  request(request: IncomingMessage, response: ServerResponse, expectsContinue: boolean): void {
    const connection = this.#connections.get(request.socket);
    if (connection === undefined) {
      request.socket.destroy();
      return;
    }
    const read = this.#readHead(request, connection);
    const downstream = new Http1Downstream(request, response, connection, this.#door.host);
    if (read.wantsClose || read.engineCloses) downstream.mustClose = true;
    if (isGeneralOptions(request)) {
      connection.take(downstream, read.refuse === 0 ? 200 : read.refuse);
      return;
    }
    if (read.chunked || read.contentLength > 0) {
      downstream.body = new NodeBody(request, {
        length: read.chunked ? null : read.contentLength,
        wanted: expectsContinue ? () => response.writeContinue() : null,
      });
    }
    this.#take(request, connection, { read, downstream });
  }

  /** `early`: what came behind the head. */
  upgrade(request: IncomingMessage, socket: Socket, early: Buffer): void {
    const connection = this.#connections.get(socket);
    // Node has let go of the connection: an earlier answer that is still on its way could not be finished.
    if (connection === undefined || connection.isBusy) {
      socket.destroy();
      return;
    }
    socket.on('error', ignore);
    if (early.length > 0) {
      // Nobody may speak before the switch: what is said then could be meant for somebody else.
      this.#refuseRaw(socket, 400);
      return;
    }
    const response = new ServerResponse(request);
    response.assignSocket(socket);
    response.on('finish', () => socket.destroySoon());
    const read = this.#readHead(request, connection);
    // Bytes that are a body to one and a protocol to the other would reach the server inside the tunnel.
    if (read.chunked || read.contentLength > 0) read.refuse ||= 400;
    const protocol = request.headers.upgrade as string;
    const downstream = new NodeHandshake({ request, response, protocol }, connection, this.#door.host);
    this.#take(request, connection, { read, downstream });
  }

  connect(request: IncomingMessage, socket: Socket): void {
    void request;
    this.#refuseRaw(socket, 501);
  }

  /** What Node's parser or its timeouts refuse. */
  failed(error: Error & { code?: string }, socket: Socket): void {
    const connection = this.#connections.get(socket);
    // What came behind `Connection: close` is nobody's request; the one before it is still answered.
    if (error.code === 'HPE_CLOSED_CONNECTION' && connection?.isBusy === true) return;
    if (error.code === 'ECONNRESET' || !socket.writable || connection?.forsake() === false) socket.destroy();
    else if (error.code === 'HPE_HEADER_OVERFLOW') this.#refuseRaw(socket, 431);
    else if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') this.#refuseRaw(socket, 408);
    else this.#refuseRaw(socket, 400);
  }

  #readHead(request: IncomingMessage, connection: Connection): IntakeHeaders {
    this.#intake.begin(connection.peer, this.#door.host.managedNames());
    feedHttp1(this.#intake, request.rawHeaders);
    const read = this.#intake.finish();
    if (request.rawHeaders.length > maxHeaderPairs * 2) read.refuse ||= 431;
    if (request.httpVersionMajor !== 1) read.refuse ||= 505;
    if (request.httpVersionMinor === 0) {
      // RFC 9112 §6.1: HTTP/1.0 has no chunks, so who says both is not to be trusted with either.
      if (read.chunked) read.refuse ||= 400;
      // Health checkers send no Host: the address they have asked stands for it.
      const { localAddress = '', localPort = 0 } = request.socket;
      if (read.host === '') {
        read.host = localAddress.includes(':')
          ? `[${localAddress}]:${localPort}`
          : `${localAddress}:${localPort}`;
      }
    }
    return read;
  }

  #take(
    request: IncomingMessage,
    connection: Connection,
    { read, downstream }: { read: IntakeHeaders; downstream: Http1Downstream },
  ): void {
    const target = readWireTarget(request.url as string);
    if (target.authority !== null) read.host = target.authority;
    const wire = {
      method: request.method as string,
      rawPath: target.path,
      rawQuery: target.query,
      peer: connection.peer,
      scheme: connection.secured === null ? ('http' as const) : ('https' as const),
    };
    const isHandshake = downstream instanceof NodeHandshake;
    const x = this.#intake.build(wire, read, { downstream, body: downstream.body, isHandshake });
    if (typeof x === 'number') {
      connection.take(downstream, x);
      return;
    }
    const { secured } = connection;
    if (secured !== null) {
      if (this.#door.isMisdirected(x.host, secured)) {
        connection.take(downstream, 421);
        return;
      }
      x.clientCertificates = secured.certificates;
      x.tls = secured.facts;
    }
    downstream.exchange = x;
    if (request.httpVersionMinor === 0) x.protocol = 'HTTP/1.0';
    if (!isHandshake) this.#stopwatch.watch(downstream, x);
    connection.take(downstream, x);
  }

  #refuseRaw(socket: Socket, status: number): void {
    this.#door.host.refused(this.#door.entryPoint, status);
    const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`;
    socket.end(head, 'latin1', () => socket.destroy());
  }
}

/** RFC 9110 §9.3.7: a question about the gateway as a whole, which no router could be found for. */
function isGeneralOptions({ method, url }: IncomingMessage): boolean {
  return url === '*' && method === 'OPTIONS';
}

function ignore(): void {}
