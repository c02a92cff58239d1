// Connections to one server over HTTP/1.1, and the calls that want one.

import type { TransportSpec } from '../../../model/snapshot.ts';
import { maxConnectionsPerServer } from '../../limits.ts';
import { toGatewayError } from '../errors.ts';
import { failLater, queueFull } from '../fail-later.ts';
import { maxIdleConnections } from '../max-idle.ts';
import { PoolCounts, type PoolFigures } from '../pool-figures.ts';
import { Call, type UpstreamCall, type UpstreamHandler, type UpstreamRequest } from './call.ts';
import { Clock } from './clock.ts';
import { Connection, type ConnectionOwner, idle } from './connection.ts';
import { createDialler, type Dialler } from './dial.ts';
import { maxWaitingCalls } from './limits.ts';
import { Resting } from './resting.ts';
import { Waiting } from './waiting.ts';

export interface PoolBounds {
  /** Open connections. */
  readonly connections: number;
  /** Calls that wait for one. */
  readonly waiting: number;
}

const bounds: PoolBounds = { connections: maxConnectionsPerServer, waiting: maxWaitingCalls };

export class Http1Pool implements ConnectionOwner {
  readonly counts = new PoolCounts();
  readonly figures: readonly [PoolFigures] = [this];
  readonly dialTimeout: number;
  readonly headTimeout: number;
  readonly #dialler: Dialler;
  readonly #idleTimeout: number;
  /** Idle connections kept; 0 keeps none. */
  readonly #maxIdle: number;
  readonly #maxOpen: number;
  /** Every open connection, dialling ones included. */
  readonly #open = new Set<Connection>();
  /** Used last, taken first, so that what is left over grows old and is closed. */
  readonly #idle: Connection[] = [];
  readonly #waiting: Waiting;
  readonly #resting = new Resting((connection) => this.#settle(connection));
  readonly #clock: Clock;
  #isClosed = false;

  /** `url`: `http://host:port`, `https://host:port` or `unix:/path`. Throws `TypeError` for others. */
  constructor(url: string, transport: TransportSpec, { connections, waiting } = bounds) {
    this.#maxOpen = connections;
    this.#waiting = new Waiting(waiting);
    this.#dialler = createDialler(url, transport);
    this.dialTimeout = transport.dialTimeout;
    this.headTimeout = transport.responseHeaderTimeout;
    this.#idleTimeout = transport.idleConnTimeout;
    this.#maxIdle = maxIdleConnections(transport);
    this.#clock = new Clock([this.dialTimeout, this.headTimeout, this.#idleTimeout], () => this.#expire());
  }

  /** Open connections, those being dialled included. */
  get connections(): number {
    return this.#open.size;
  }

  get idleConnections(): number {
    return this.#idle.length;
  }

  get waitingCalls(): number {
    return this.#waiting.size;
  }

  get keepsConnections(): boolean {
    return this.#maxIdle > 0 && !this.#isClosed;
  }

  /**
   * Sends `request` on a kept connection or a new one; `fresh` takes a new one that serves nothing else.
   * Never throws and never calls `handler` before it returns. A closed pool still sends.
   */
  send(request: UpstreamRequest, handler: UpstreamHandler, fresh = false): UpstreamCall {
    let call: Call;
    try {
      call = new Call(request, handler, fresh);
    } catch (error) {
      return failLater(handler, toGatewayError(error));
    }
    const connection = fresh ? null : this.#takeIdle();
    if (connection !== null) {
      this.counts.reused++;
      connection.serve(call);
    } else if (this.#hasRoom(fresh)) this.#dial(call);
    else if (!this.#waiting.push(call, this.tickIn(this.dialTimeout))) return failLater(handler, queueFull());
    return call;
  }

  /** Running and waiting calls finish; nothing is kept after that. */
  close(): void {
    this.#isClosed = true;
    this.#resting.close();
    for (let last = this.#idle.pop(); last !== undefined; last = this.#idle.pop()) last.close();
  }

  // --- for connections ---

  rest(connection: Connection): void {
    if (this.#isClosed) connection.close();
    else this.#resting.add(connection);
  }

  gone(connection: Connection): void {
    this.#open.delete(connection);
    const place = this.#idle.lastIndexOf(connection);
    if (place !== -1) this.#idle.splice(place, 1);
    if (this.#waiting.size > 0 && this.#hasRoom(false)) this.#dial(this.#waiting.shift() as Call);
    else if (this.#open.size === 0 && this.#waiting.size === 0) this.#clock.stop();
  }

  dialled(ms: number): void {
    this.counts.dials.observe(ms / 1000);
  }

  tickIn(milliseconds: number): number {
    return this.#clock.in(milliseconds);
  }

  // --- choosing ---

  #takeIdle(): Connection | null {
    for (;;) {
      const connection = this.#idle.pop();
      if (connection === undefined) return null;
      if (connection.isUsable) return connection;
      connection.close();
    }
  }

  /** Whether one more connection may be opened; an idle one gives way to a call that wants its own. */
  #hasRoom(fresh: boolean): boolean {
    if (this.#open.size < this.#maxOpen) return true;
    if (!fresh || this.#waiting.size > 0) return false;
    const oldest = this.#idle[0];
    oldest?.close();
    return oldest !== undefined;
  }

  #dial(call: Call): void {
    this.#clock.start();
    try {
      this.#open.add(new Connection(this, this.#dialler, call));
    } catch (error) {
      call.place = null;
      const failure = toGatewayError(error);
      failure.unsent = true;
      process.nextTick(() => call.fail(failure));
    }
  }

  #settle(connection: Connection): void {
    const call = this.#waiting.first;
    if (call === null) this.#keep(connection);
    // Its place is taken by a connection for that call.
    else if (call.fresh) connection.close();
    else {
      this.counts.reused++;
      connection.serve(this.#waiting.shift() as Call);
    }
  }

  #keep(connection: Connection): void {
    connection.state = idle;
    const { keepAlive } = connection;
    const isHinted = keepAlive !== -1 && (this.#idleTimeout === 0 || keepAlive < this.#idleTimeout);
    connection.deadline = this.tickIn(isHinted ? keepAlive : this.#idleTimeout);
    this.#idle.push(connection);
    if (this.#idle.length > this.#maxIdle) this.#idle[0]?.close();
  }

  #expire(): void {
    const { now } = this.#clock;
    for (const connection of this.#open) {
      if (connection.deadline !== 0 && connection.deadline <= now) connection.expired();
    }
    this.#waiting.expire(now);
  }
}
