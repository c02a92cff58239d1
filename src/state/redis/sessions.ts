// The table of sessions that nodes share, in Redis.

import type { SessionSpace, SessionTable } from '../sessions.ts';
import { redisBudget } from '../state.ts';
import type { RedisConnection } from './connect.ts';
import { RedisRefused } from './errors.ts';
import { findSession, forgetSession, learnSession } from './session-scripts.ts';

/** Sessions of one service in Redis, about 260 bytes each. */
const maxSessions = 1_000_000;

export interface RedisSessionsOptions {
  /** Milliseconds one question may take; 50 unless given. */
  readonly timeout?: number;
  readonly maxSessions?: number;
}

/** `connection` is not closed with it. */
export class RedisSessions implements SessionTable {
  readonly #connection: RedisConnection;
  readonly #timeout: number;
  readonly #max: number;
  readonly #channel: string;

  constructor(connection: RedisConnection, options: RedisSessionsOptions = {}) {
    this.#connection = connection;
    this.#timeout = options.timeout ?? redisBudget;
    this.#channel = `${connection.keyPrefix}:sessions`;
    this.#max = options.maxSessions ?? maxSessions;
  }

  async find({ space, ttl }: SessionSpace, key: string): Promise<string | null> {
    const found = await this.#connection.run(findSession, this.#keys(space), [key, ttl], this.#timeout);
    if (found === null || typeof found === 'string') return found;
    throw new RedisRefused('the answer of Redis cannot be read');
  }

  async learn({ space, ttl }: SessionSpace, key: string, target: string): Promise<void> {
    const args = [key, ttl, target, this.#max, this.#channel, `${space} ${key}`];
    await this.#connection.run(learnSession, this.#keys(space), args, this.#timeout).catch(ignore);
  }

  forget({ space }: SessionSpace, key: string): void {
    const args = [key, this.#channel, `${space} ${key}`];
    this.#connection.run(forgetSession, this.#keys(space), args, this.#timeout).catch(ignore);
  }

  close(): void {}

  /** One hash tag a service: its two keys lie on one node of a cluster, and services spread over all. */
  #keys(space: string): string[] {
    const prefix = `${this.#connection.keyPrefix}:sessions:{${space}}`;
    return [`${prefix}:targets`, `${prefix}:ends`];
  }
}

/** Whether Redis is reachable is told by the connection; the worker that learned it remembers it anyway. */
function ignore(): void {}
