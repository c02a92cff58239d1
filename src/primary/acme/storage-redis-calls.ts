// A resolver's corner of Redis: its keys, its channel, and calls that wait a moment for a connection.

import { randomBytes } from 'node:crypto';
import type { RedisArgument, RedisConnection } from '../../state/redis/connect.ts';
import type { RedisScript } from '../../state/redis/script.ts';

/** Milliseconds: for a connection to come about, and then for one call. */
const patience = 2000;

export class RedisCalls {
  /** Tells what this node has written itself from what others have. */
  readonly node = randomBytes(12).toString('hex');
  readonly channel: string;
  readonly #connection: RedisConnection;
  readonly #prefix: string;

  constructor(connection: RedisConnection, resolver: string) {
    this.#connection = connection;
    this.#prefix = acmePrefix(connection.keyPrefix, resolver);
    this.channel = `${this.#prefix}changed`;
  }

  key(name: string): string {
    return this.#prefix + name;
  }

  async call(command: string, args: readonly RedisArgument[]): Promise<unknown> {
    await this.#connection.whenReachable(patience);
    return await this.#connection.call(command, args, patience);
  }

  /** `timeout` in milliseconds. */
  async run(
    script: RedisScript,
    keys: readonly string[],
    args: readonly RedisArgument[],
    timeout: number = patience,
  ): Promise<unknown> {
    await this.#connection.whenReachable(patience);
    return await this.#connection.run(script, keys, args, timeout);
  }
}

/** Begins all keys of the resolver; one hash tag, so that they lie in one slot. */
export function acmePrefix(keyPrefix: string, resolver: string): string {
  return `${keyPrefix}:{acme:${resolver}}:`;
}
