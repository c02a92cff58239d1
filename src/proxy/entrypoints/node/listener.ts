// An entry point served by Node: HTTP/1, and HTTP/2 by prior knowledge or by ALPN.

import {
  createServer as createHttp,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttp2, type Http2Server } from 'node:http2';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { TlsOptions, TLSSocket } from 'node:tls';
import type { EntryPoint } from '../entry-point.ts';
import { Intake } from '../intake.ts';
import type { Listener, ListenerHost, ListenerPlan } from '../listener.ts';
import { Stopwatch } from '../stopwatch.ts';
import type { Door } from './door.ts';
import { Http1, http1Options } from './http1.ts';
import { Http2, http2Options } from './http2.ts';
import { firstBytesTimeout } from './limits.ts';
import { recognise } from './preface.ts';

/** Certificates, versions and client authentication of an entry point; ALPN is the listener's. */
export type TlsMaterial = Omit<TlsOptions, 'ALPNProtocols' | 'ALPNCallback'>;

/** Rejects with a message that names entry point and address. */
export function listenNode(
  entryPoint: EntryPoint,
  host: ListenerHost,
  _plan: ListenerPlan,
): Promise<Listener> {
  const door: Door = { entryPoint, host, scheme: 'http' };
  const server = new NodeServer(door, null);
  return server.listen();
}

class NodeServer {
  readonly #door: Door;
  readonly #http1: Http1;
  readonly #http2: Http2;
  readonly #stopwatch: Stopwatch;
  /** Listens; speaks HTTP/1 on the connections it is given. */
  readonly #server: Server;
  /** Never listens. */
  readonly #sessions: Http2Server;
  readonly #sockets = new Set<Socket>();

  constructor(door: Door, tls: TlsMaterial | null) {
    const intake = new Intake(door.entryPoint);
    this.#door = door;
    this.#stopwatch = new Stopwatch(door.entryPoint.spec.transport);
    this.#http1 = new Http1(door, intake, this.#stopwatch);
    this.#http2 = new Http2(door, intake, this.#stopwatch);
    const options = http1Options(door.entryPoint);
    this.#server =
      tls === null
        ? createHttp(options)
        : createHttps({ ...tls, ...options, ALPNProtocols: ['h2', 'http/1.1'] });
    this.#sessions = createHttp2(http2Options(door.entryPoint));
    this.#handle(tls !== null);
  }

  async listen(): Promise<Listener> {
    const { host, port, name } = this.#door.entryPoint.spec;
    const server = this.#server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error: Error) => {
        this.#stopwatch.close();
        const message = `entry point "${name}" cannot listen on ${host}:${port}: the address is in use or not allowed`;
        reject(new Error(message, { cause: error }));
      });
      const address = host === '' ? { port } : { port, host };
      // The primary must never accept a client's connection.
      server.listen({ ...address, reusePort: process.platform === 'linux', exclusive: true }, resolve);
    });
    return {
      port: (server.address() as AddressInfo).port,
      update: () => {},
      stopAccepting: () => {
        server.close();
        this.#http2.stopAccepting();
      },
      close: () => this.#close(),
    };
  }

  #close(): void {
    this.#stopwatch.close();
    this.#server.close();
    this.#http2.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #handle(isTls: boolean): void {
    const server = this.#server;
    // Without a bound: lines beyond it would be dropped without a word. The head's bytes have one.
    server.maxHeadersCount = 0;
    // Who has sent all there is may still read: Node would cut off. Its types do not name it.
    (server as { httpAllowHalfOpen?: boolean }).httpAllowHalfOpen = true;
    const event = isTls ? 'secureConnection' : 'connection';
    const speakHttp1 = server.listeners(event).at(-1) as (this: Server, socket: Socket) => void;
    server.removeListener(event, speakHttp1);
    const http1 = (socket: Socket): void => {
      this.#http1.opened(socket);
      speakHttp1.call(server, socket);
    };
    server.on('connection', (socket: Socket) => this.#opened(socket, isTls ? null : http1));
    if (isTls)
      server.on('secureConnection', (socket: TLSSocket) => {
        if (socket.alpnProtocol === 'h2') this.#sessions.emit('connection', socket);
        else http1(socket);
      });
    server.on('request', (request: IncomingMessage, response: ServerResponse) =>
      this.#http1.request(request, response, false),
    );
    server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) =>
      this.#http1.request(request, response, true),
    );
    server.on('upgrade', (request, socket, head) => this.#http1.upgrade(request, socket as Socket, head));
    server.on('connect', (request, socket) => this.#http1.connect(request, socket as Socket));
    server.on('clientError', (error: Error, socket) => this.#http1.failed(error, socket as Socket));
    server.on('tlsClientError', (_error: Error, socket: TLSSocket) => socket.destroy());
    this.#sessions.on('session', (session) => this.#http2.opened(session));
    this.#sessions.on('sessionError', ignore);
  }

  /** `http1` is null where ALPN tells the protocols apart. */
  #opened(socket: Socket, http1: ((socket: Socket) => void) | null): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    if (http1 === null) return;
    const { readTimeout } = this.#door.entryPoint.spec.transport;
    recognise(socket, readTimeout === 0 ? firstBytesTimeout : readTimeout, (isHttp2) => {
      if (isHttp2) this.#sessions.emit('connection', socket);
      else http1(socket);
    });
  }
}

function ignore(): void {}
