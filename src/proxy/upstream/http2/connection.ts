// One connection to a server, shared by many calls: each has a stream, and what arrives on a stream is its call's.

import type { ClientHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { GatewayError } from '../../errors.ts';
import { toGatewayError } from '../errors.ts';
import type { CallPlace, Http2Call, StreamOwner } from './call.ts';
import { checkChoice, type Http2Dialler, NoHttp2Error } from './dial.ts';
import * as limits from './limits.ts';
import { refused } from './loss.ts';
import { openSession } from './session.ts';

/** The pool, as a connection sees it. */
export interface ConnectionOwner {
  /** A place is free, or there are more of them. */
  freed(connection: Http2Connection): void;
  /** It serves nobody; the pool decides whether it is kept. */
  idle(connection: Http2Connection): void;
  /** It is closed, or about to be. Called once. */
  gone(connection: Http2Connection): void;
  /** It stands, so many milliseconds after it was begun. */
  dialled?(ms: number): void;
  /** A call has failed on a connection, or with it: `isLost`. */
  failed(isLost: boolean): void;
  /** The tick in `milliseconds` from now, rounded up; 0 for 0, which is never. */
  tickIn(milliseconds: number): number;
  readonly dialTimeout: number;
  readonly headTimeout: number;
}

export class Http2Connection implements CallPlace, StreamOwner {
  /** In ticks of the owner, 0 for none: the end of dialling, or of idleness. */
  deadline: number;
  /** Counts up in its pool. */
  readonly order: number;
  lastStream: number = Number.MAX_SAFE_INTEGER;
  readonly #owner: ConnectionOwner;
  readonly #dialler: Http2Dialler;
  readonly #socket: Socket;
  #session: ClientHttp2Session | null = null;
  #closeSession: (() => void) | null = null;
  /** With a stream that is not closed, or waiting for the connection to stand. */
  readonly #calls = new Set<Http2Call>();
  /** Calls it takes at a time. */
  #places = limits.assumedStreams;
  /** Calls so far. */
  #taken = 0;
  /** Heads that came. */
  #heard = 0;
  #isRetired = false;
  #isClosed = false;
  #isStanding = false;
  /** Of one call alone until it has answered something. */
  #isReserved = false;
  readonly #begunAt = performance.now();

  /** Throws when dialling cannot even begin. */
  constructor(owner: ConnectionOwner, dialler: Http2Dialler, order: number) {
    this.#owner = owner;
    this.order = order;
    this.#dialler = dialler;
    this.deadline = owner.tickIn(owner.dialTimeout);
    const socket = dialler.dial();
    this.#socket = socket;
    socket.once(dialler.scheme === 'https' ? 'secureConnect' : 'connect', () => this.#connected());
    socket.on('error', (error) => this.#lost(error));
    socket.on('close', () => this.#lost(null));
  }

  get calls(): number {
    return this.#calls.size;
  }

  get hasRoom(): boolean {
    if (this.#isRetired || this.#isReserved || this.#calls.size >= this.#places) return false;
    return this.#session === null || !(this.#session.closed || this.#session.destroyed);
  }

  get isReused(): boolean {
    return this.#heard > 0;
  }

  get isStanding(): boolean {
    return this.#isStanding;
  }

  get isLost(): boolean {
    return this.#session === null || this.#session.destroyed || this.#socket.destroyed;
  }

  get isReserved(): boolean {
    return this.#isReserved;
  }

  /** The server has said GOAWAY. */
  get #isLeft(): boolean {
    return this.lastStream !== Number.MAX_SAFE_INTEGER;
  }

  /** Takes no more calls. */
  get isRetired(): boolean {
    return this.#isRetired;
  }

  /** Takes `call`; only with room. */
  serve(call: Http2Call): void {
    this.#calls.add(call);
    this.#taken++;
    if (this.#taken >= limits.maxCallsPerConnection) this.#isRetired = true;
    if (this.#isStanding) {
      this.deadline = 0;
      this.#begin(call);
    } else {
      call.place = this;
      call.deadline = 0;
    }
  }

  /** Takes `call` and no other before the server has begun to answer or the call has left. */
  reserve(call: Http2Call): void {
    this.#isReserved = true;
    this.serve(call);
  }

  /** Takes no more calls, and closes once it has none. */
  retire(): void {
    this.#isRetired = true;
    if (this.#calls.size === 0 && (this.#isStanding || this.#isClosed)) this.close();
  }

  /** Only when it serves nobody. */
  close(): void {
    if (!this.#leave()) return;
    if (this.#closeSession === null) this.#socket.destroy();
    else this.#closeSession();
  }

  /** `deadline` has come. */
  expired(): void {
    this.deadline = 0;
    if (this.#isStanding) this.close();
    else this.#failDial(() => new GatewayError('upstream.connect_timeout'));
  }

  /** Fails the calls whose answer takes too long. */
  expireCalls(now: number): void {
    for (const call of this.#calls) if (call.deadline !== 0 && call.deadline <= now) call.expired();
  }

  drop(call: Http2Call): void {
    // A connection that nobody waits for any more is welcome all the same.
    this.#calls.delete(call);
    this.#isReserved = false;
  }

  // --- for calls with a stream ---

  headDeadline(): number {
    return this.#owner.tickIn(this.#owner.headTimeout);
  }

  heard(): void {
    this.#heard++;
    if (!this.#isReserved) return;
    this.#isReserved = false;
    if (!this.#isRetired) this.#owner.freed(this);
  }

  failed(): void {
    this.#owner.failed(this.isLost);
  }

  left(call: Http2Call): void {
    if (!this.#calls.delete(call)) return;
    this.#isReserved = false;
    if (this.#isClosed) return;
    if (this.#isRetired && this.#calls.size === 0) this.close();
    else if (!this.#isRetired) this.#owner.freed(this);
    if (!this.#isClosed && this.#calls.size === 0) this.#owner.idle(this);
  }

  // --- the connection ---

  #connected(): void {
    if (this.#isClosed) return;
    try {
      checkChoice(this.#socket);
    } catch (error) {
      this.#failDial(() => dialError(error));
      return;
    }
    const { session, close } = openSession(this.#socket, this.#dialler);
    this.#session = session;
    this.#closeSession = close;
    session.on('connect', () => this.#stands(session));
    session.on('remoteSettings', ({ maxConcurrentStreams }) => this.#allowed(maxConcurrentStreams));
    session.on('goaway', (_code, lastStream) => this.#goneAway(lastStream));
    session.on('error', (error) => this.#lost(error));
    session.on('close', () => {
      this.#lost(null);
      // Streams tell that they are closed within this turn.
      setImmediate(() => this.#endCalls());
    });
  }

  #stands(session: ClientHttp2Session): void {
    if (this.#isClosed) return;
    session.setLocalWindowSize(limits.connectionWindowBytes);
    this.#isStanding = true;
    this.#owner.dialled?.(performance.now() - this.#begunAt);
    this.deadline = 0;
    for (const call of this.#calls) this.#begin(call);
    if (this.#calls.size === 0) this.#owner.idle(this);
  }

  #begin(call: Http2Call): void {
    const session = this.#session as ClientHttp2Session;
    try {
      if (this.#isLeft || session.closed || session.destroyed) throw refused('the connection is ending');
      call.begin(session, this);
    } catch (error) {
      this.#calls.delete(call);
      call.place = null;
      process.nextTick(() => call.fail(toGatewayError(error)));
    }
  }

  #allowed(streams: number | undefined): void {
    this.#places = Math.min(streams ?? limits.maxStreamsPerConnection, limits.maxStreamsPerConnection);
    if (!this.#isRetired && !this.#isClosed) this.#owner.freed(this);
  }

  #goneAway(lastStream: number): void {
    this.lastStream = Math.min(this.lastStream, lastStream);
    this.#isRetired = true;
    // Its calls may still be answered; the last of them closes it.
    if (this.#calls.size === 0) this.close();
  }

  /** Failed, or closed by the server. */
  #lost(error: Error | null): void {
    if (this.#isStanding) this.#leave();
    else this.#failDial(() => dialError(error ?? new Error('closed')));
    if (error !== null) this.#session?.destroy(error);
  }

  /** When a connection has ended, every call on it has: none may wait for what cannot come. */
  #endCalls(): void {
    for (const call of this.#calls) {
      this.#calls.delete(call);
      call.fail(new GatewayError('upstream.reset', 'connection lost'));
    }
  }

  /** Before any request was sent. */
  #failDial(makeError: () => GatewayError): void {
    this.#leave();
    if (this.#session !== null && !this.#session.destroyed) this.#session.destroy();
    this.#socket.destroy();
    const calls = [...this.#calls];
    this.#calls.clear();
    for (const call of calls) {
      call.place = null;
      const error = makeError();
      error.unsent = true;
      call.fail(error);
    }
  }

  /** Out of the pool; false when it was before. */
  #leave(): boolean {
    if (this.#isClosed) return false;
    this.#isClosed = true;
    this.#isRetired = true;
    this.deadline = 0;
    this.#owner.gone(this);
    return true;
  }
}

function dialError(error: unknown): GatewayError {
  if (error instanceof NoHttp2Error) return new GatewayError('upstream.malformed', 'no HTTP/2', error);
  return toGatewayError(error);
}
