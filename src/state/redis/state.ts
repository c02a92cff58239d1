// The state in Redis: exact for all nodes and workers that use it.

import { randomBytes } from 'node:crypto';
import type { Lender, Lent, Wish } from '../lending.ts';
import { type BucketSpec, maxKeysPerSpace, redisBudget, type State, type Take } from '../state.ts';
import type { RedisConnection } from './connect.ts';
import { RedisRefused, RedisUnreachable } from './errors.ts';
import { lendTokens } from './lend-script.ts';
import type { RedisScript } from './script.ts';
import { countRunning, takeToken } from './state-scripts.ts';

export interface RedisStateOptions {
  /** Milliseconds after which what a process that died ran is given back; 30,000 unless given. */
  readonly holdFor?: number;
  /** Milliseconds one call may take; 50 unless given. */
  readonly timeout?: number;
}

/** All that is needed of a connection. */
export type RedisScripts = Pick<RedisConnection, 'keyPrefix' | 'run'>;

interface Held {
  readonly key: string;
  /** As counted here: entered, or on the way. */
  running: number;
  /** Redis may not know the number. */
  isOff: boolean;
}

/** Every call rejects, as the connection's do, when Redis cannot be asked; `connection` is not closed with it. */
export class RedisState implements State, Lender {
  readonly #connection: RedisScripts;
  readonly #holdFor: number;
  readonly #timeout: number;
  /** Which of the counts are this process's. */
  readonly #holder = randomBytes(8).toString('hex');
  /** Keys of which something runs here: 65,536 of them at most. */
  readonly #held = new Map<string, Held>();
  readonly #timer: NodeJS.Timeout;
  #calls = 0;

  constructor(connection: RedisScripts, options: RedisStateOptions = {}) {
    this.#connection = connection;
    this.#holdFor = options.holdFor ?? 30_000;
    this.#timeout = options.timeout ?? redisBudget;
    this.#timer = setInterval(() => this.renew(), this.#holdFor / 3).unref();
  }

  /** Keys of which something runs, or Redis has not heard yet that nothing does. */
  get size(): number {
    return this.#held.size;
  }

  async take(bucket: BucketSpec, key: string): Promise<Take> {
    const { rate, burst, maxDelay } = bucket;
    const answer = await this.#ask(takeToken, bucket, key, [rate, burst, maxDelay]);
    const [wait, remaining] = numbersIn(answer, 2) as [number, number];
    requireWhole(remaining, Number.MAX_SAFE_INTEGER);
    return { wait, remaining };
  }

  async lend(bucket: BucketSpec, key: string, { need, extra, back }: Wish): Promise<Lent> {
    const { rate, burst, maxDelay } = bucket;
    const answer = await this.#ask(lendTokens, bucket, key, [rate, burst, maxDelay, need, extra, back]);
    const numbers = numbersIn(answer, 5) as [number, number, number, number, number];
    const [granted, late, wait, following, remaining] = numbers;
    requireWhole(granted, need + extra);
    requireWhole(late, need);
    requireWhole(remaining, Number.MAX_SAFE_INTEGER);
    return { granted, late, wait, following, remaining };
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

  #ask(script: RedisScript, { space }: BucketSpec, key: string, args: readonly number[]): Promise<unknown> {
    const name = `${this.#connection.keyPrefix}:bucket:${space}:${key}`;
    return this.#connection.run(script, [name], args, this.#timeout);
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

  /** Says all numbers again: now and then by itself, and when Redis is back. */
  renew(): void {
    for (const held of this.#held.values()) this.#say(held);
  }
}

/** As the scripts say numbers. Nothing, an empty text and a list would be 0 to `Number`, and 0 lets in. */
function numbersIn(answer: unknown, count: number): readonly number[] {
  if (!Array.isArray(answer) || answer.length !== count) throw unreadable();
  return answer.map((one: unknown) => {
    if (typeof one !== 'string' || !/^\d{1,300}(?:\.\d{1,20})?$/.test(one)) throw unreadable();
    return Number(one);
  });
}

function requireWhole(number: number, most: number): void {
  if (!Number.isSafeInteger(number) || number > most) throw unreadable();
}

function unreadable(): RedisRefused {
  return new RedisRefused('the answer of Redis cannot be read');
}
