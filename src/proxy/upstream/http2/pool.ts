// Connections to one server over HTTP/2, and the calls that want a place on one.

import type { TransportSpec } from '../../../model/snapshot.ts';
import { GatewayError } from '../../errors.ts';
import { toGatewayError } from '../errors.ts';
import { failLater, queueFull } from '../fail-later.ts';
import type { UpstreamCall, UpstreamHandler, UpstreamRequest } from '../http1/call.ts';
import { Clock } from '../http1/clock.ts';
import { maxIdleConnections } from '../max-idle.ts';
import { PoolCounts, type PoolFigures } from '../pool-figures.ts';
import type { ServerPool } from '../server-pool.ts';
import { type CallPlace, Http2Call } from './call.ts';
import { type ConnectionOwner, Http2Connection } from './connection.ts';
import { createHttp2Dialler, type Http2Dialler } from './dial.ts';
import { maxConnections, maxReserved, maxWaitingCalls } from './limits.ts';

export interface Http2Bounds {
  /** Connections that take calls; as many again may be on their way out. */
  readonly connections: number;
  /** Calls that wait for a place. */
  readonly waiting: number;
}

const bounds: Http2Bounds = { connections: maxConnections, waiting: maxWaitingCalls };

export class Http2Pool implements ServerPool, ConnectionOwner, CallPlace {
  readonly counts = new PoolCounts();
  readonly figures: readonly [PoolFigures] = [this];
  readonly dialTimeout: number;
  readonly headTimeout: number;
  readonly #dialler: Http2Dialler;
  readonly #idleTimeout: number;
  /** Idle connections kept; 0 keeps none. */
  readonly #maxIdle: number;
  readonly #bounds: Http2Bounds;
  /** Every open connection, those being dialled and those on their way out included. */
  readonly #open = new Set<Http2Connection>();
  /** First come, first served; one that is aborted leaves at once. */
  readonly #waiting = new Set<Http2Call>();
  readonly #clock: Clock;
  #isClosed = false;
  #dialled = 0;
  /** The youngest connection that stood when a call failed last: what troubled one may trouble all of its age. */
  #suspect = 0;
  /** The call that has failed last did so with its connection, and may be what its connection was lost for. */
  #mistrusts = false;

  /** `url`: `h2c://host:port` or `https://host:port`. Throws `TypeError` for others. */
  constructor(url: string, transport: TransportSpec, most = bounds) {
    this.#bounds = most;
    this.#dialler = createHttp2Dialler(url, transport);
    this.dialTimeout = transport.dialTimeout;
    this.headTimeout = transport.responseHeaderTimeout;
    this.#idleTimeout = transport.idleConnTimeout;
    this.#maxIdle = maxIdleConnections(transport);
    this.#clock = new Clock([this.dialTimeout, this.headTimeout, this.#idleTimeout], () => this.#expire());
  }

  get connections(): number {
    return this.#open.size;
  }

  /** Streams that are open, and calls that have a place on a connection being dialled. */
  get runningCalls(): number {
    let calls = 0;
    for (const connection of this.#open) calls += connection.calls;
    return calls;
  }

  get idleConnections(): number {
    let idle = 0;
    for (const connection of this.#open) if (connection.calls === 0) idle++;
    return idle;
  }

  get waitingCalls(): number {
    return this.#waiting.size;
  }

  send(request: UpstreamRequest, handler: UpstreamHandler, fresh = false): UpstreamCall {
    let call: Http2Call;
    try {
      call = new Http2Call(request, this.#dialler.scheme, handler);
    } catch (error) {
      return failLater(handler, toGatewayError(error));
    }
    const isAlone = fresh && this.#mistrusts && this.#mayReserve();
    this.#mistrusts = false;
    const connection = isAlone ? null : this.#find(fresh);
    if (connection !== null) {
      this.counts.reused++;
      connection.serve(call);
    } else if (isAlone) this.#dial(call, true);
    else if (this.#hasRoom) this.#dial(call);
    else if (fresh && this.#find(false) !== null) this.#find(false)?.serve(call);
    else if (this.#waiting.size < this.#bounds.waiting) this.#wait(call);
    else return failLater(handler, queueFull());
    return call;
  }

  close(): void {
    this.#isClosed = true;
    for (const connection of this.#open) if (connection.calls === 0) connection.close();
  }

  // --- for connections and calls ---

  freed(connection: Http2Connection): void {
    for (const call of this.#waiting) {
      if (!connection.hasRoom) return;
      this.#waiting.delete(call);
      connection.serve(call);
    }
  }

  idle(connection: Http2Connection): void {
    if (connection.calls > 0) return;
    if (this.#isClosed || this.idleConnections > this.#maxIdle) connection.close();
    else connection.deadline = this.tickIn(this.#idleTimeout);
  }

  gone(connection: Http2Connection): void {
    this.#open.delete(connection);
    for (const call of this.#waiting) {
      if (!this.#hasRoom) break;
      this.#waiting.delete(call);
      this.#dial(call);
      // What else waits finds a place on that one as soon as it stands.
      break;
    }
    if (this.#open.size === 0 && this.#waiting.size === 0) this.#clock.stop();
  }

  dialled(ms: number): void {
    this.counts.dials.observe(ms / 1000);
  }

  failed(isLost: boolean): void {
    this.#mistrusts = isLost;
    for (const { order, isStanding } of this.#open)
      if (isStanding && order > this.#suspect) this.#suspect = order;
  }

  drop(call: Http2Call): void {
    this.#waiting.delete(call);
  }

  tickIn(milliseconds: number): number {
    return this.#clock.in(milliseconds);
  }

  // --- choosing ---

  /** The first with room, so that what is left over grows idle and is closed. */
  #find(fresh: boolean): Http2Connection | null {
    for (const connection of this.#open)
      if (connection.hasRoom && (!fresh || connection.order > this.#suspect)) return connection;
    return null;
  }

  get #hasRoom(): boolean {
    const { connections } = this.#bounds;
    if (this.#open.size < connections) return true;
    if (this.#open.size >= 2 * connections) return false;
    let taking = 0;
    for (const connection of this.#open) if (!connection.isRetired) taking++;
    return taking < connections;
  }

  /**
   * Whether a call that has lost its connection may have the next one to itself, so that one which costs every
   * connection does not take those along that have lost theirs with it, a second time.
   */
  #mayReserve(): boolean {
    let reserved = 0;
    for (const connection of this.#open) if (connection.isReserved) reserved++;
    return reserved < maxReserved && this.#hasRoom;
  }

  #dial(call: Http2Call, isAlone = false): void {
    this.#clock.start();
    try {
      const connection = new Http2Connection(this, this.#dialler, ++this.#dialled);
      this.#open.add(connection);
      if (isAlone) connection.reserve(call);
      else connection.serve(call);
    } catch (error) {
      const failure = toGatewayError(error);
      failure.unsent = true;
      process.nextTick(() => call.fail(failure));
    }
  }

  #wait(call: Http2Call): void {
    call.place = this;
    call.deadline = this.tickIn(this.dialTimeout);
    this.#waiting.add(call);
  }

  #expire(): void {
    const { now } = this.#clock;
    for (const connection of this.#open) {
      if (connection.deadline !== 0 && connection.deadline <= now) connection.expired();
      connection.expireCalls(now);
    }
    for (const call of this.#waiting) {
      if (call.deadline === 0 || call.deadline > now) break;
      const error = new GatewayError('upstream.connect_timeout', 'no connection had a place');
      error.unsent = true;
      call.fail(error);
    }
  }
}
