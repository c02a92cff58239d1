// The state that nodes share, and what stands in for it while it is away.

import type { StateOnError } from '../model/settings.ts';
import { Circuit } from './circuit.ts';
import { Leases } from './leases.ts';
import type { RedisConnection } from './redis/connect.ts';
import type { RedisLog } from './redis/reachability.ts';
import { RedisState } from './redis/state.ts';
import { takeToken } from './redis/state-scripts.ts';
import { Standing } from './standing.ts';
import { type BucketSpec, redisBudget, type State, StateClosed, type Take } from './state.ts';

export interface SharedOptions {
  readonly onError: StateOnError;
  /** Counts alone while Redis is away; not closed with this. */
  readonly near: State;
  readonly log: RedisLog;
  /** Milliseconds a request waits for Redis, all included; 50 unless given. */
  readonly budget?: number;
}

/** `redis`: what Redis says holds. Else it is away, and what is done instead. */
export type StateMode = 'redis' | StateOnError;

/** Milliseconds a connection has to come, from the start, before Redis counts as away. */
const arrivalTimeout = 1000;
/** Rate, burst and longest wait of a bucket that is there to be asked about: what cannot write is of no use. */
const probe = [1, 1000, 0];

/** No call waits longer than the budget, and what `near` takes. */
export class SharedState implements State {
  readonly #connection: RedisConnection;
  readonly #options: SharedOptions;
  readonly #budget: number;
  readonly #circuit: Circuit;
  readonly #far: RedisState;
  readonly #leases: Leases;
  /** What was entered while Redis was away. */
  readonly #standing = new Standing();
  /** Redis is there, or has had its time to come; never rejects. */
  readonly arrived: Promise<void>;
  #isArriving = true;

  constructor(connection: RedisConnection, options: SharedOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#budget = options.budget ?? redisBudget;
    this.#circuit = new Circuit({
      probe: () => connection.run(takeToken, [`${connection.keyPrefix}:probe`], probe, this.#budget),
      isConnected: () => connection.isReachable,
      changed: (isAway) => this.#changed(isAway),
    });
    const { keyPrefix } = connection;
    const timeout = this.#budget;
    this.#far = new RedisState(
      { keyPrefix, run: (...call) => this.#circuit.watch(connection.run(...call)) },
      { timeout },
    );
    this.#leases = new Leases(this.#far);
    this.arrived = this.#arrive();
  }

  get mode(): StateMode {
    return this.#circuit.isAway ? this.#options.onError : 'redis';
  }

  take(bucket: BucketSpec, key: string): Take | Promise<Take> {
    if (this.#circuit.isAway) return this.#takeAlone(bucket, key);
    if (this.#isArriving)
      return this.#whenThere(() => this.#takeFar(bucket, key)).catch(() => this.#takeAlone(bucket, key));
    const taken = this.#takeFar(bucket, key);
    return taken instanceof Promise ? taken.catch(() => this.#takeAlone(bucket, key)) : taken;
  }

  enter(space: string, limit: number, key: string): boolean | Promise<boolean> {
    if (this.#circuit.isAway) return this.#enterAlone(space, limit, key);
    const entered = this.#isArriving
      ? this.#whenThere(() => this.#far.enter(space, limit, key))
      : this.#far.enter(space, limit, key);
    return entered.catch(() => this.#enterAlone(space, limit, key));
  }

  leave(space: string, key: string): void {
    // Which of a key's requests leaves is the same to the count, as long as all sides together are right.
    const where = this.#standing.leave(space, key);
    if (where === 'near') this.#options.near.leave(space, key);
    else if (where === null) this.#far.leave(space, key);
  }

  /** The connection is its maker's to close. */
  close(): void {
    this.#circuit.close();
    this.#leases.close();
    this.#far.close();
  }

  #takeFar(bucket: BucketSpec, key: string): Take | Promise<Take> {
    return bucket.mode === 'strict' ? this.#far.take(bucket, key) : this.#leases.take(bucket, key);
  }

  #takeAlone(bucket: BucketSpec, key: string): Take | Promise<Take> {
    const { onError, near } = this.#options;
    if (onError === 'local') return near.take(bucket, key);
    if (onError === 'open') return { wait: 0, remaining: bucket.burst };
    return Promise.reject(new StateClosed('the shared state is away'));
  }

  #enterAlone(space: string, limit: number, key: string): boolean | Promise<boolean> {
    const { onError, near } = this.#options;
    if (onError === 'closed') return Promise.reject(new StateClosed('the shared state is away'));
    if (onError === 'open') return this.#standing.enter('nowhere', space, key);
    const entered = near.enter(space, limit, key);
    const settle = (isIn: boolean): boolean => isIn && this.#standing.enter('near', space, key);
    return entered instanceof Promise ? entered.then(settle) : settle(entered);
  }

  /** At the start Redis is not away yet, it only has to be reached. */
  async #whenThere<T>(ask: () => T | Promise<T>): Promise<T> {
    await this.#connection.whenReachable(this.#budget);
    return await ask();
  }

  async #arrive(): Promise<void> {
    try {
      await this.#connection.whenReachable(arrivalTimeout);
    } catch {
      this.#circuit.leave();
    }
    this.#isArriving = false;
  }

  #changed(isAway: boolean): void {
    const { log, onError } = this.#options;
    if (isAway) log.warn({ mode: onError }, `Redis is away: ${meanwhile[onError]}`);
    else {
      log.info({ mode: 'redis' }, 'Redis is back: limits hold for all nodes together again');
      this.#far.renew();
    }
  }
}

const meanwhile: Readonly<Record<StateOnError, string>> = {
  local: 'limits hold for this node alone meanwhile',
  open: 'requests are let through uncounted meanwhile',
  closed: 'requests that are to be counted are refused meanwhile',
};
