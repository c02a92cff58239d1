// A connection that retries nothing and hides nothing: for a look at what is wrong with a Redis.

import type { RedisSettings } from '../../model/redis.ts';
import { tlsOptions } from './options.ts';

export type Reply = string | number | null | readonly Reply[];

export interface Talk {
  /** Rejects with `RedisSaidNo` when it is answered with an error, or as the connection does. */
  ask(command: string, ...words: string[]): Promise<Reply>;
  close(): void;
}

/** An error reply: at most 200 characters, without the command it answers. */
export class RedisSaidNo extends Error {}

export interface Place {
  readonly host: string;
  readonly port: number;
}

/** Milliseconds. */
const connectTimeout = 1_500;

/** Without AUTH. Rejects as the socket does; `signal` ends it. */
export async function openTalk(place: Place, tls: RedisSettings['tls'], signal: AbortSignal): Promise<Talk> {
  const { Redis } = await import('ioredis');
  const client = new Redis({
    ...place,
    ...(tls === null ? {} : { tls: tlsOptions(tls) }),
    lazyConnect: true,
    connectTimeout,
    disconnectTimeout: 50,
    retryStrategy: null,
    maxRetriesPerRequest: 0,
    enableReadyCheck: false,
    disableClientInfo: true,
    protocol: 2,
    replyMapping: 'legacy',
  });
  /** What ended it: the library's own calls say that the connection is closed, and not why. */
  let cause: Error | null = null;
  const end = (error: Error): void => {
    cause ??= error;
  };
  const abort = (): void => {
    end(new Error('no answer in time'));
    client.disconnect();
  };
  client.on('error', end);
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  const close = (): void => {
    signal.removeEventListener('abort', abort);
    client.disconnect();
  };
  try {
    await client.connect();
  } catch (error) {
    close();
    throw whatIsWrong(error, cause);
  }
  return {
    async ask(command, ...words) {
      try {
        return (await client.call(command, ...words)) as Reply;
      } catch (error) {
        throw whatIsWrong(error, cause);
      }
    },
    close,
  };
}

function whatIsWrong(error: unknown, cause: Error | null): unknown {
  const { name, message } = error as Error;
  if (name === 'ReplyError') return new RedisSaidNo(message.slice(0, 200));
  // Its words hold what was sent.
  if (/Unknown RESP type|Protocol error/.test(`${message}${cause?.message ?? ''}`))
    return new RedisSaidNo('what answers there is no Redis');
  return cause ?? error;
}
