// Connections to test servers, with what they told the log.

import type { TestContext } from 'node:test';
import type { ResolverSettings } from '../../src/model/acme.ts';
import type { RedisSettings } from '../../src/model/redis.ts';
import type { Log } from '../../src/observability/log.ts';
import { openRedisStorage, type RedisStorageOptions } from '../../src/primary/acme/storage-redis.ts';
import type { AcmeStorage } from '../../src/primary/acme/storage.ts';
import { connectRedis, type RedisConnection } from '../../src/state/redis/connect.ts';

export interface TestConnection {
  readonly connection: RedisConnection;
  /** `message {fields}`, in order. */
  readonly lines: string[];
}

export function connect(context: TestContext, settings: RedisSettings): TestConnection {
  const lines: string[] = [];
  const connection = connectRedis(settings, linesLog(lines));
  context.after(() => connection.close());
  return { connection, lines };
}

export async function storageOn(
  context: TestContext,
  connection: RedisConnection,
  { file = 'no-such-folder/acme.json', ...options }: RedisStorageOptions & { readonly file?: string } = {},
): Promise<AcmeStorage> {
  const resolver = { ...resolverNamed('le'), storage: file };
  const storage = await openRedisStorage(connection, resolver, linesLog([]), options);
  context.after(async () => await storage.close());
  return storage;
}

export function linesLog(lines: string[]): Log {
  const method = (first: unknown, message?: string): void => {
    lines.push(message === undefined ? String(first) : `${message} ${JSON.stringify(first)}`);
  };
  const log: Log = {
    trace: method,
    debug: method,
    info: method,
    warn: method,
    error: method,
    fatal: method,
    level: 'debug',
    child: () => log,
    reopen: () => {},
    flush: async () => {},
    flushSync: () => {},
  };
  return log;
}

function resolverNamed(name: string): ResolverSettings {
  return {
    name,
    email: 'a@example.com',
    caServer: 'https://127.0.0.1/directory',
    storage: 'acme.json',
    keyType: 'EC256',
    eab: null,
    preferredChain: null,
    profile: null,
    emailAddresses: [],
    disableCommonName: false,
    clientTimeout: 1000,
    clientResponseHeaderTimeout: 1000,
    certificateTimeout: 1000,
    caCertificates: [],
    caSystemCertPool: false,
    caServerName: null,
    httpChallenge: null,
    tlsChallenge: null,
    dnsChallenge: null,
  };
}
