// The state in Redis: exact for all nodes and workers that use it.

import { randomBytes } from 'node:crypto';
import { type BucketSpec, maxKeysPerSpace, type State, type Take } from '../state.ts';
import type { RedisConnection } from './connect.ts';
import { RedisRefused, RedisUnreachable } from './errors.ts';
import { countRunning, takeToken } from './state-scripts.ts';

export interface RedisStateOptions {
  /** Milliseconds after which what a process that died ran is given back; 30,000 unless given. */
  readonly holdFor?: number;
  /** Milliseconds one call may take; 50 unless given. */
  readonly timeout?: number;
}

interface Held {
  readonly key: string;
  /** As counted here: entered, or on the way. */
  running: number;
  /** Redis may not know the number. */
  isOff: boolean;
}

/** Every call rejects, as the connection's do, when Redis cannot be asked; `connection` is not closed with it. */
export class RedisState implements State {
  readonly #connection: RedisConnection;
  readonly #holdFor: number;
  readonly #timeout: number;
  /** Which of the counts are this process's. */
  readonly #holder = randomBytes(8).toString('hex');
  /** Keys of which something runs here: 65,536 of them at most. */
  readonly #held = new Map<string, Held>();
  readonly #timer: NodeJS.Timeout;
  #calls = 0;

  constructor(connection: RedisConnection, options: RedisStateOptions = {}) {
    this.#connection = connection;
    this.#holdFor = options.holdFor ?? 30_000;
    this.#timeout = options.timeout ?? 50;
    this.#timer = setInterval(() => this.#renew(), this.#holdFor / 3).unref();
  }

  /** Keys of which something runs, or Redis has not heard yet that nothing does. */
  get size(): number {
    return this.#held.size;
  }

  async take({ space, rate, burst, maxDelay }: BucketSpec, key: string): Promise<Take> {
    const name = `${this.#connection.keyPrefix}:bucket:${space}:${key}`;
    const answer = await this.#connection.run(takeToken, [name], [rate, burst, maxDelay], this.#timeout);
    if (!Array.isArray(answer)) throw new RedisRefused('the answer of Redis cannot be read');
    const wait = Number(answer[0]);
    const remaining = Number(answer[1]);
    if (!Number.isFinite(wait) || !Number.isFinite(remaining))
      throw new RedisRefused('the answer of Redis cannot be read');
    return { wait, remaining };
  }

  async enter(space: string, limit: number, key: string): Promise<boolean> {
    if (limit <= 0) return false;
    const held = this.#hold(`${this.#connection.keyPrefix}:running:${space}:${key}`);
    // Before it is asked: a renewal between question and answer must not say one too few.
    held.running += 1;
    try {
      if ((await this.#count(held, limit)) === 1) return true;
      this.#release(held);
      return false;
    } catch (error) {
      held.running -= 1;
      // It may have been counted all the same.
      held.isOff = true;
      throw error;
    }
  }

  leave(space: string, key: string): void {
    const held = this.#held.get(`${this.#connection.keyPrefix}:running:${space}:${key}`);
    if (held === undefined || held.running === 0) return;
    held.running -= 1;
    this.#say(held);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #hold(key: string): Held {
    let held = this.#held.get(key);
    if (held === undefined) {
      if (this.#held.size >= maxKeysPerSpace)
        throw new RedisUnreachable('requests of too many keys run, or Redis has not heard of their end');
      held = { key, running: 0, isOff: false };
      this.#held.set(key, held);
    }
    return held;
  }

  #release(held: Held): void {
    held.running -= 1;
    if (held.running === 0 && !held.isOff) this.#forget(held);
  }

  #forget(held: Held): void {
    // An answer that comes late must not take what was entered since.
    if (this.#held.get(held.key) === held) this.#held.delete(held.key);
  }

  #count(held: Held, limit: number | ''): Promise<unknown> {
    this.#calls += 1;
    const args = [this.#holder, this.#holdFor, this.#calls, limit, held.running];
    return this.#connection.run(countRunning, [held.key], args, this.#timeout);
  }

  /** Tells Redis the number that runs here; what it does not hear is said again at the next renewal. */
  #say(held: Held): void {
    held.isOff = true;
    const said = held.running;
    this.#count(held, '').then(
      () => {
        if (held.running !== said) return;
        held.isOff = false;
        if (held.running === 0) this.#forget(held);
      },
      () => {},
    );
  }

  #renew(): void {
    for (const held of this.#held.values()) this.#say(held);
  }
}
