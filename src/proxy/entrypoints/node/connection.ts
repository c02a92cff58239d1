// One HTTP/1 connection on Node: its requests are served one after the other, in the order they came.

import type { Socket } from 'node:net';
import type { EntryPoint } from '../entry-point.ts';
import type { Exchange } from '../../exchange.ts';
import type { ManagedNames } from '../intake-headers.ts';
import { dropManaged } from '../late-names.ts';
import type { ListenerHost } from '../listener.ts';
import type { Door } from './door.ts';
import type { Http1Downstream } from './downstream.ts';
import { halfClosedSilence, maxPipelined } from './limits.ts';
import { peerOf } from './peer-address.ts';
import type { Secured } from './secured.ts';

interface Waiting {
  readonly downstream: Http1Downstream;
  /** The Exchange, or the status to refuse with. */
  readonly what: Exchange | number;
  /** What it was read under. */
  readonly managed: ManagedNames;
}

export class Connection {
  readonly socket: Socket;
  /** Null in cleartext. */
  readonly secured: Secured | null;
  readonly peer: string;
  readonly #door: Door;
  readonly #entryPoint: EntryPoint;
  readonly #host: ListenerHost;
  readonly #openedAt = performance.now();
  #requests = 0;
  #isHalfClosed = false;
  #running: Http1Downstream | null = null;
  readonly #waiting: Waiting[] = [];

  constructor(socket: Socket, secured: Secured | null, door: Door) {
    this.socket = socket;
    this.secured = secured;
    this.peer = peerOf(socket);
    this.#door = door;
    this.#entryPoint = door.entryPoint;
    this.#host = door.host;
    socket.once('close', () => this.#closed());
    socket.once('end', () => this.#halfClosed());
  }

  get isBusy(): boolean {
    return this.#running !== null;
  }

  /** Ends what runs, so that something else can be said; false when an answer has begun. */
  forsake(): boolean {
    if (this.#running?.hasBegun === true) return false;
    this.#running?.gone();
    return true;
  }

  /** It has served as long, or as many requests, as the entry point lets it; or no request can follow. */
  isSpent(): boolean {
    const { keepAliveMaxRequests, keepAliveMaxTime } = this.#entryPoint.spec.transport;
    if (this.#isHalfClosed) return true;
    if (keepAliveMaxRequests > 0 && this.#requests >= keepAliveMaxRequests) return true;
    return keepAliveMaxTime > 0 && performance.now() - this.#openedAt >= keepAliveMaxTime;
  }

  /** Serves, or refuses, in its turn. */
  take(downstream: Http1Downstream, what: Exchange | number): void {
    if (this.#running === null) {
      this.#run(downstream, what);
      return;
    }
    this.#waiting.push({ downstream, what, managed: this.#host.managedNames() });
    if (this.#waiting.length > maxPipelined) this.cut(false);
  }

  /** The answer's last byte is with the system. */
  answered(downstream: Http1Downstream): void {
    if (this.#running !== downstream) return;
    // What follows an answer that ends the connection is nobody's request.
    if (downstream.mustClose) return;
    this.#running = null;
    const next = this.#waiting.shift();
    if (next !== undefined) this.#run(next.downstream, this.#asOfNow(next));
  }

  /** It may have waited for as long as its client liked, and the configuration that serves it be another one. */
  #asOfNow({ what, managed }: Waiting): Exchange | number {
    if (typeof what === 'number') return what;
    if (this.secured !== null && this.#door.isMisdirected(what.host, this.secured)) return 421;
    const now = this.#host.managedNames();
    if (now !== managed) dropManaged(what.headers, now);
    return what;
  }

  /** `isOpenEnded`: the end of the connection would be the end of an answer, and must not look like one. */
  cut(isOpenEnded: boolean): void {
    if (isOpenEnded && this.secured === null) this.socket.resetAndDestroy();
    else this.socket.destroy();
  }

  #run(downstream: Http1Downstream, what: Exchange | number): void {
    this.#running = downstream;
    this.#requests += 1;
    if (typeof what === 'number') downstream.mustClose = true;
    // Within the callback the bytes behind the head are not read yet: a body that has come with it would
    // look like one that is still on its way.
    if (typeof what === 'number' || downstream.body !== null)
      queueMicrotask(() => this.#serve(downstream, what));
    else this.#host.serve(what);
  }

  #serve(downstream: Http1Downstream, what: Exchange | number): void {
    if (typeof what === 'number') {
      downstream.respond(what, [], '', false);
      this.#host.refused(this.#entryPoint, what);
    } else if (downstream.aborted) {
      this.#host.refused(this.#entryPoint, 499);
    } else {
      this.#host.serve(what);
    }
  }

  /** Who has sent all there is may still read; who is gone altogether looks the same, and is not waited for. */
  #halfClosed(): void {
    this.#isHalfClosed = true;
    this.socket.setTimeout(halfClosedSilence, () => this.socket.destroy());
  }

  #closed(): void {
    this.#running?.gone();
    for (const { downstream, what } of this.#waiting) {
      downstream.gone();
      this.#host.refused(this.#entryPoint, typeof what === 'number' ? what : 499);
    }
    this.#waiting.length = 0;
  }
}
