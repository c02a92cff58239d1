// rateLimit.redis: a Redis of the limit's own, in the words of Traefik.

import type { z } from 'zod';
import type { RedisSettings } from '../../../model/redis.ts';
import { bool, duration, int, list, secret, section, text } from '../fields.ts';

export const limitRedis = section({
  endpoints: list.default(['localhost:6379']),
  username: text.optional(),
  password: secret(text.optional()),
  db: int.refine((value) => value >= 0 && value <= 65_535, 'expected 0 to 65535').default(0),
  poolSize: int.default(0),
  minIdleConns: int.default(0),
  maxActiveConns: int.default(0),
  readTimeout: duration.optional(),
  writeTimeout: duration.optional(),
  dialTimeout: duration.optional(),
  tls: section({
    ca: secret(text.optional()),
    cert: secret(text.optional()),
    key: secret(text.optional()),
    insecureSkipVerify: bool.default(false),
  }).optional(),
});

export type LimitRedis = z.output<typeof limitRedis>;

const maxEndpoints = 100;
/** Milliseconds: the longest that a request can be made to wait for Redis. */
const longestBudget = 5000;

/** Several endpoints are nodes of a cluster. Throws `Error` for what cannot work. */
export function redisSettings(redis: LimitRedis): RedisSettings {
  const { endpoints, tls, username, password, db } = redis;
  if (endpoints.length === 0 || endpoints.length > maxEndpoints)
    throw new Error(`redis.endpoints: expected 1 to ${maxEndpoints} addresses`);
  const cluster = endpoints.length > 1;
  if (cluster && db !== 0) throw new Error('redis.db: several endpoints are a cluster, which has only 0');
  if (username !== undefined && password === undefined)
    throw new Error('redis.username: there is no password');
  if ((tls?.cert === undefined) !== (tls?.key === undefined))
    throw new Error('redis.tls: `cert` and `key` are only of use together');
  return {
    endpoints: endpoints.map(endpoint),
    username: username ?? null,
    password: password ?? null,
    db,
    tls: tls === undefined ? null : tlsSettings(tls),
    sentinel: null,
    cluster,
    keyPrefix: 'portcullis',
  };
}

/** Milliseconds a request waits for Redis; undefined: as long as elsewhere. */
export function budgetOf({ readTimeout }: LimitRedis): number | undefined {
  if (readTimeout === undefined || readTimeout <= 0) return undefined;
  return Math.min(Math.max(1, Math.ceil(readTimeout)), longestBudget);
}

/** The PEM texts in place of their files. */
export function withPemFiles(redis: LimitRedis, readFile: (path: string) => string): LimitRedis {
  const { tls } = redis;
  if (tls === undefined) return redis;
  const pem = (value: string | undefined): string | undefined =>
    value === undefined || value.includes('-----BEGIN') ? value : readFile(value);
  return { ...redis, tls: { ...tls, ca: pem(tls.ca), cert: pem(tls.cert), key: pem(tls.key) } };
}

function tlsSettings(tls: NonNullable<LimitRedis['tls']>): NonNullable<RedisSettings['tls']> {
  return {
    ca: tls.ca === undefined ? [] : [tls.ca],
    cert: tls.cert ?? null,
    key: tls.key ?? null,
    insecureSkipVerify: tls.insecureSkipVerify,
  };
}

function endpoint(written: string): RedisSettings['endpoints'][number] {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:/@[\]]+))(?::(\d{1,5}))?$/.exec(written);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3] ?? 6379);
  // What was written may hold a password.
  if (host === undefined || port < 1 || port > 65_535)
    throw new Error('redis.endpoints: expected `host:port`');
  return { host, port };
}
