// The few words of Redis's protocol a look at it takes: a connection that retries nothing shows what is wrong with it.

import net from 'node:net';
import type { RedisSettings } from '../../model/redis.ts';

export type Reply = string | number | null | readonly Reply[];

export interface Talk {
  /** Rejects with `RedisSaidNo` when it is answered with an error, or as the connection does. */
  ask(...words: string[]): Promise<Reply>;
  close(): void;
}

/** An error reply: at most 200 characters. What Redis repeats of a command is not in those this probe can get. */
export class RedisSaidNo extends Error {}

/** Bytes of one reply: `INFO` takes about 6,000. */
const maxReply = 256 * 1024;

export interface Place {
  readonly host: string;
  readonly port: number;
}

/** Rejects as the socket does; `signal` ends it. */
export async function openTalk(place: Place, tls: RedisSettings['tls'], signal: AbortSignal): Promise<Talk> {
  const socket = await connect(place, tls);
  const abort = (): void => void socket.destroy(new Error('no answer in time'));
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  let heard = Buffer.alloc(0);
  const waiting: PromiseWithResolvers<Reply>[] = [];
  const fail = (error: Error): void => {
    for (const { reject } of waiting.splice(0)) reject(error);
  };
  socket.on('error', fail);
  socket.on('close', () => fail(new Error('the connection was closed')));
  socket.on('data', (data: Buffer) => {
    heard = Buffer.concat([heard, data]);
    if (heard.length > maxReply) return socket.destroy(new Error('it talks too much'));
    for (let read = readReply(heard, 0); read !== null; read = readReply(heard, 0)) {
      heard = heard.subarray(read.end);
      const next = waiting.shift();
      if (read.error === undefined) next?.resolve(read.value);
      else next?.reject(new RedisSaidNo(read.error.slice(0, 200)));
    }
    return undefined;
  });
  return {
    ask(...words) {
      const asked = Promise.withResolvers<Reply>();
      if (socket.destroyed) return Promise.reject(new Error('the connection was closed'));
      waiting.push(asked);
      const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
      socket.write(`*${words.length}\r\n${parts.join('')}`);
      return asked.promise;
    },
    close() {
      signal.removeEventListener('abort', abort);
      socket.destroy();
    },
  };
}

async function connect({ host, port }: Place, tls: RedisSettings['tls']): Promise<net.Socket> {
  // Loaded with the first server that wants it.
  const secure = tls === null ? null : await import('node:tls');
  const socket =
    secure === null || tls === null
      ? net.connect({ host, port })
      : secure.connect({
          host,
          port,
          ...(net.isIP(host) === 0 ? { servername: host } : {}),
          ...(tls.ca.length === 0 ? {} : { ca: [...tls.ca] }),
          ...(tls.cert === null ? {} : { cert: tls.cert }),
          ...(tls.key === null ? {} : { key: tls.key }),
          rejectUnauthorized: !tls.insecureSkipVerify,
        });
  // Until somebody asks, an end of the connection is nobody's error.
  socket.on('error', () => {});
  socket.setNoDelay(true);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.once(secure === null ? 'connect' : 'secureConnect', () => resolve());
  socket.once('error', reject);
  socket.once('close', () => reject(new Error('the connection was closed')));
  const timer = setTimeout(() => socket.destroy(new Error('no connection in time')), 1_500);
  try {
    await promise;
  } finally {
    clearTimeout(timer);
  }
  return socket;
}

interface Read {
  readonly value: Reply;
  readonly error?: string;
  readonly end: number;
}

const maxDepth = 8;

/** Null: not all of it is there yet. */
function readReply(bytes: Buffer, start: number, depth = 0): Read | null {
  const line = bytes.indexOf('\r\n', start);
  if (line === -1 || depth > maxDepth) return null;
  const text = bytes.toString('utf8', start + 1, line);
  const after = line + 2;
  switch (bytes[start]) {
    case 0x2d: // -
      return { value: null, error: text, end: after };
    case 0x3a: // :
      return { value: Number(text), end: after };
    case 0x24: {
      // $
      const length = Number(text);
      if (!Number.isInteger(length)) return noRedis(bytes);
      if (length < 0) return { value: null, end: after };
      if (bytes.length < after + length + 2) return null;
      return { value: bytes.toString('utf8', after, after + length), end: after + length + 2 };
    }
    case 0x2a: {
      // *
      const length = Number(text);
      if (!Number.isInteger(length)) return noRedis(bytes);
      if (length < 0) return { value: null, end: after };
      const items: Reply[] = [];
      let end = after;
      for (let left = length; left > 0; left -= 1) {
        const item = readReply(bytes, end, depth + 1);
        if (item === null) return null;
        items.push(item.value);
        end = item.end;
      }
      return { value: items, end };
    }
    default:
      return { value: text, end: after };
  }
}

function noRedis(bytes: Buffer): Read {
  return { value: null, error: 'what answers there is no Redis', end: bytes.length };
}
