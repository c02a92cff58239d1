// The primary's connection to Redis: one for all its parts, opened when the first of them wants it.

import type { RedisSettings } from '../model/redis.ts';
import type { Log } from '../observability/log.ts';
import type { RedisConnection } from '../state/redis/connect.ts';

export interface RedisLink {
  /** The same one each time; after `close` it is closed, too. */
  open(): Promise<RedisConnection>;
  /** At once; what still waits for an answer rejects. */
  close(): void;
}

export function createRedisLink(settings: RedisSettings, log: Log): RedisLink {
  let connection: Promise<RedisConnection> | null = null;
  let isClosed = false;
  const connect = async (): Promise<RedisConnection> => {
    // Megabytes, which only a gateway with Redis pays for.
    const { connectRedis } = await import('../state/redis/connect.ts');
    const opened = connectRedis(settings, log.child('redis'));
    if (isClosed) opened.close();
    return opened;
  };
  return {
    open: () => (connection ??= connect()),
    close() {
      isClosed = true;
      connection?.then(
        (opened) => opened.close(),
        () => {},
      );
    },
  };
}
