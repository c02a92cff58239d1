// An entry point served by Node: HTTP/1, and HTTP/2 by prior knowledge or by ALPN, in cleartext and over TLS.

import {
  createServer as createHttp,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttp2, type Http2Server } from 'node:http2';
import { type AddressInfo, Server as NetServer, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { EntryPoint } from '../entry-point.ts';
import { headTimeout } from '../head-timeout.ts';
import { Intake } from '../intake.ts';
import type { Listener, ListenerHost, ListenerPlan } from '../listener.ts';
import { Stopwatch } from '../stopwatch.ts';
import type { Door } from './door.ts';
import { type Beginning, recognise } from './first-bytes.ts';
import { Http1, http1Options } from './http1.ts';
import { Http2, http2Options } from './http2.ts';
import type { Arriving } from './http2-session.ts';
import { firstBytesTimeout, handshakeTimeout } from './limits.ts';
import { Handshakes, refuseCleartext, sendAlert, socketUnder } from './openings.ts';
import type { Secured } from './secured.ts';
import { alerts, TlsTerms } from './tls-terms.ts';

const stopListening = NetServer.prototype.close;

/** Rejects with a message that names entry point and address. */
export function listenNode(
  entryPoint: EntryPoint,
  host: ListenerHost,
  plan: ListenerPlan,
): Promise<Listener> {
  return new NodeServer(entryPoint, host, plan).listen();
}

class NodeServer {
  readonly #entryPoint: EntryPoint;
  readonly #side: ListenerPlan['spec']['side'];
  readonly #http1: Http1;
  readonly #http2: Http2;
  readonly #stopwatch: Stopwatch;
  readonly #terms: TlsTerms;
  readonly #handshakes = new Handshakes();
  /** Listens; speaks HTTP/1 on the connections it is given. */
  readonly #server: Server;
  /** Never listens. */
  readonly #sessions: Http2Server;
  readonly #sockets = new Set<Socket>();
  readonly #connected: ListenerHost['connected'];
  readonly #speakHttp1: (socket: Socket) => void;
  /** Of the session that is being opened. */
  #arriving: Arriving | null = null;

  constructor(entryPoint: EntryPoint, host: ListenerHost, plan: ListenerPlan) {
    const intake = new Intake(entryPoint);
    this.#entryPoint = entryPoint;
    this.#connected = host.connected;
    this.#side = plan.spec.side;
    this.#terms = new TlsTerms(plan, {
      bootSecret: host.bootSecret,
      warn: (message) => host.warn?.(message),
      secured: (socket, secured) => this.#secured(socket, secured),
    });
    const door: Door = {
      entryPoint,
      host,
      isMisdirected: (name, { options, asked }) =>
        this.#terms.optionsFor(name) !== options || host.demands?.().areMetBy(asked, name) === false,
    };
    this.#stopwatch = new Stopwatch(entryPoint.spec.transport);
    this.#http1 = new Http1(door, intake, this.#stopwatch);
    this.#http2 = new Http2(door, intake, this.#stopwatch);
    this.#server = createHttp(http1Options(entryPoint));
    this.#sessions = createHttp2(http2Options(entryPoint));
    this.#speakHttp1 = this.#takeOver();
    this.#handle();
  }

  async listen(): Promise<Listener> {
    const { host, port, name } = this.#entryPoint.spec;
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
      update: (plan) => this.#terms.update(plan),
      stopAccepting: () => {
        // Not as an HTTP server: that one cuts idle connections at once, on which a request may be on its way. They
        // are told with their next answer, and end with the process.
        stopListening.call(server);
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

  /** Connections come to us first; what Node would have done with them at once. */
  #takeOver(): (socket: Socket) => void {
    const server = this.#server;
    const speak = server.listeners('connection').at(-1) as (this: Server, socket: Socket) => void;
    server.removeListener('connection', speak);
    return (socket) => speak.call(server, socket);
  }

  #handle(): void {
    const server = this.#server;
    // Without a bound: lines beyond it would be dropped without a word. The head's bytes have one.
    server.maxHeadersCount = 0;
    // Who has sent all there is may still read: Node would cut off. Its types do not name it.
    (server as { httpAllowHalfOpen?: boolean }).httpAllowHalfOpen = true;
    server.on('connection', (socket: Socket) => this.#opened(socket));
    server.on('request', (request: IncomingMessage, response: ServerResponse) =>
      this.#http1.request(request, response, false),
    );
    server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) =>
      this.#http1.request(request, response, true),
    );
    server.on('upgrade', (request, socket, head) => this.#http1.upgrade(request, socket as Socket, head));
    server.on('connect', (request, socket) => this.#http1.connect(request, socket as Socket));
    server.on('clientError', (error: Error, socket) => this.#http1.failed(error, socket as Socket));
    this.#sessions.on('session', (session) => {
      if (this.#arriving !== null) this.#http2.opened(session, this.#arriving);
    });
    this.#sessions.on('sessionError', ignore);
  }

  #opened(socket: Socket): void {
    this.#sockets.add(socket);
    this.#connected?.(1);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      this.#connected?.(-1);
    });
    const patience = headTimeout(this.#entryPoint.spec.transport) || firstBytesTimeout;
    const timeout = this.#side === 'tls' ? Math.min(patience, handshakeTimeout) : patience;
    recognise(socket, { side: this.#side, timeout }, (beginning) => this.#begun(socket, beginning));
  }

  #begun(socket: Socket, beginning: Beginning): void {
    if (beginning === 'http1' || beginning === 'http2') this.#speak(socket, beginning, null);
    else if (beginning === 'no-tls') refuseCleartext(socket);
    else if (beginning === 'broken-hello') sendAlert(socket, alerts.decodeError);
    else {
      const chosen = this.#terms.choose(beginning, socket.localAddress ?? '');
      if (typeof chosen === 'number') sendAlert(socket, chosen);
      else this.#handshakes.begin(socket, chosen);
    }
  }

  #secured(socket: TLSSocket, secured: Secured): void {
    this.#handshakes.ended(socketUnder(socket), socket);
    this.#speak(socket, socket.alpnProtocol === 'h2' ? 'http2' : 'http1', secured);
  }

  #speak(socket: Socket, protocol: 'http1' | 'http2', secured: Secured | null): void {
    if (protocol === 'http2') {
      // Half of a session is none: its streams would go on for a client that has left.
      socket.allowHalfOpen = false;
      // Within the call the session is made, which takes what was put back by itself.
      this.#arriving = { socket, secured };
      this.#sessions.emit('connection', socket);
      this.#arriving = null;
      return;
    }
    this.#http1.opened(socket, secured);
    this.#speakHttp1(socket);
    if (secured === null) socket.resume();
  }
}

function ignore(): void {}
