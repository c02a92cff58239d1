// What uWebSockets.js hands over, request by request, for the first room.

import type { HttpRequest, HttpResponse, TemplatedApp, us_socket_context_t } from 'uWebSockets.js';
import type { Exchange } from '../../exchange.ts';
import { joinHeader } from '../../headers.ts';
import type { EntryPoint } from '../entry-point.ts';
import { Intake } from '../intake.ts';
import type { IntakeHeaders, ManagedNames } from '../intake-headers.ts';
import { dropManaged } from '../late-names.ts';
import type { ListenerHost } from '../listener.ts';
import { Stopwatch } from '../stopwatch.ts';
import { UwsBody } from './body.ts';
import { UwsDownstream } from './downstream.ts';
import { Peers } from './peers.ts';
import { type ClientSocketData, clientBehavior, clientBounds, UwsHandshake } from './websocket.ts';

/** What the engine's typings leave out. */
type LimitedApp = TemplatedApp & {
  /** For a new connection, until its first head is whole; bytes do not start it again. */
  setIdleTimeout(seconds: number): void;
  /** For the next head after an answer, and for a client that reads nothing of one. */
  setResponseTimeout(seconds: number): void;
};

/** One for each listener, however many apps it has. */
export class UwsRequests {
  readonly #entryPoint: EntryPoint;
  readonly #host: ListenerHost;
  readonly #scheme: 'http' | 'https';
  readonly #intake: Intake;
  readonly #stopwatch: Stopwatch;
  readonly peers = new Peers();

  /** Told of connections by whoever hears of them; undefined: nobody counts. */
  readonly connected: ListenerHost['connected'];

  constructor(entryPoint: EntryPoint, host: ListenerHost, scheme: 'http' | 'https') {
    this.#entryPoint = entryPoint;
    this.#host = host;
    this.connected = host.connected;
    this.#scheme = scheme;
    this.#intake = new Intake(entryPoint);
    this.#stopwatch = new Stopwatch(entryPoint.spec.transport);
  }

  /** `socketClosed` is told of each WebSocket that is gone. */
  register(app: TemplatedApp, socketClosed?: () => void): void {
    limitHeads(app as LimitedApp, this.#entryPoint.spec.transport.readHeaderTimeout ?? 0);
    app.any('/*', (res, req) => this.#request(res, req));
    const { close } = clientBehavior;
    app.ws<ClientSocketData>('/*', {
      ...clientBehavior,
      ...clientBounds(this.#entryPoint.spec.http.maxWebSocketMessage),
      upgrade: (res, req, context) => this.#upgrade(res, req, context),
      ...(socketClosed === undefined
        ? {}
        : {
            close: (ws, code, message) => {
              socketClosed();
              close?.(ws, code, message);
            },
          }),
    });
  }

  close(): void {
    this.#stopwatch.close();
  }

  #request(res: HttpResponse, req: HttpRequest): void {
    const peer = this.peers.of(res);
    this.#plain(res, req, { peer, read: this.#readHeaders(req, peer) });
  }

  #upgrade(res: HttpResponse, req: HttpRequest, context: us_socket_context_t): void {
    const peer = this.peers.of(res);
    const read = this.#readHeaders(req, peer);
    // The engine takes whatever has a key for a handshake: without `Upgrade` it is a request like any other.
    if (!read.isUpgrade) {
      this.#plain(res, req, { peer, read });
      return;
    }
    const handshake = new UwsHandshake(res, this.#host, context, {
      key: req.getHeader('sec-websocket-key'),
      // Of the cleaned list: the server gets what the auth server has seen, all lines of it.
      protocols: joinHeader(read.headers, 'sec-websocket-protocol') ?? '',
    });
    const sides = { downstream: handshake, body: null, isHandshake: true };
    this.#run(handshake, this.#admitted(this.#intake.build(this.#wire(req, peer), read, sides)));
  }

  #plain(res: HttpResponse, req: HttpRequest, { peer, read }: { peer: string; read: IntakeHeaders }): void {
    const downstream = new UwsDownstream(res, this.#host, read.engineCloses);
    // A chunked body's end may hide a second request: see the engine's gaps in ARCHITECTURE.md.
    downstream.mustClose = read.chunked || read.wantsClose;
    const hasBody = read.chunked || read.contentLength > 0;
    const body = hasBody
      ? new UwsBody(res, read.chunked ? null : read.contentLength, performance.now())
      : null;
    downstream.body = body;
    const sides = { downstream, body, isHandshake: false };
    const x = this.#admitted(this.#intake.build(this.#wire(req, peer), read, sides));
    if (typeof x !== 'number') this.#stopwatch.watch(downstream, x);
    this.#run(downstream, x);
  }

  /** This engine asks nobody for a certificate: a host that does from now on is reached by a new connection alone. */
  #admitted(x: Exchange | number): Exchange | number {
    if (this.#scheme === 'http' || typeof x === 'number') return x;
    return this.#host.demands?.().areMetBy(null, x.host) === false ? 421 : x;
  }

  /** Serves `x`, or refuses with the status that it is. */
  #run(downstream: UwsDownstream, x: Exchange | number): void {
    if (typeof x === 'number') downstream.mustClose = true;
    else if (!downstream.mustClose && downstream.body === null) {
      this.#host.serve(x);
      downstream.inCallback = false;
      return;
    }
    // Answered within the callback, the engine would run what follows in the same read as a request before
    // it closes the connection: the tail of a refused framing would reach a server. Unanswered, it closes.
    downstream.inCallback = false;
    const managed = this.#host.managedNames();
    setImmediate(() => this.#runLater(downstream, typeof x === 'number' ? x : this.#asOfNow(x, managed)));
  }

  /** Another configuration may have come within the turn. */
  #asOfNow(x: Exchange, managed: ManagedNames): Exchange | number {
    const now = this.#host.managedNames();
    if (now !== managed) dropManaged(x.headers, now);
    return this.#admitted(x);
  }

  #runLater(downstream: UwsDownstream, x: Exchange | number): void {
    if (typeof x === 'number') {
      downstream.mustClose = true;
      downstream.respond(x, [], '', false);
      this.#host.refused(this.#entryPoint, x);
    } else if (downstream.aborted) {
      this.#host.refused(this.#entryPoint, 499);
    } else {
      this.#host.serve(x);
    }
  }

  #readHeaders(req: HttpRequest, peer: string): IntakeHeaders {
    this.#intake.begin(peer, this.#host.managedNames());
    req.forEach(this.#intake.header);
    return this.#intake.finish();
  }

  #wire(req: HttpRequest, peer: string) {
    return {
      method: req.getCaseSensitiveMethod(),
      rawPath: req.getUrl(),
      rawQuery: req.getQuery() ?? '',
      peer,
      scheme: this.#scheme,
    };
  }
}

/** Seconds of the engine's own: in a tunnel a client may well read nothing for less. */
const leastSilence = 30;

function limitHeads(app: LimitedApp, milliseconds: number): void {
  if (milliseconds === 0) return;
  // The engine counts in steps of 4 s: less than two may be none, and it has room for 240.
  const seconds = Math.min(Math.max(Math.ceil(milliseconds / 1000), 5), 900);
  app.setIdleTimeout(seconds);
  app.setResponseTimeout(Math.max(seconds, leastSilence));
}
