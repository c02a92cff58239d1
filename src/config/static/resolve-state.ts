// `state` of the static configuration, as processes use it.

import type { Diagnostic } from '../../model/diagnostic.ts';
import type { RedisSettings } from '../../model/redis.ts';
import { staticError } from './problem.ts';
import { readPem } from './read-pem.ts';
import { parseRedisEndpoint, type RedisEndpoint } from './redis-endpoint.ts';
import type { StaticConfig } from './schema.ts';
import type { StaticRedis } from './state.ts';

const root = 'state.redis';
const maxEndpoints = 100;
const maxPrefix = 100;

/** Null: there is no Redis, or it cannot be used as written; why is pushed to `diagnostics`. */
export function resolveRedis({ state }: StaticConfig, diagnostics: Diagnostic[]): RedisSettings | null {
  const redis = state?.redis;
  if (redis === undefined) return null;
  const problems: Diagnostic[] = [];
  const endpoints = readEndpoints(redis, problems);
  const settings: RedisSettings = {
    endpoints: endpoints.map(({ host, port }) => ({ host, port })),
    username: one('username', redis.username ?? null, endpoints, problems),
    password: one('password', redis.password ?? null, endpoints, problems),
    db: one('db', redis.db === 0 ? null : redis.db, endpoints, problems) ?? 0,
    tls: readTls(redis, endpoints, problems),
    sentinel: readSentinel(redis, problems),
    cluster: redis.cluster,
    keyPrefix: redis.keyPrefix,
  };
  checkTogether(settings, problems);
  diagnostics.push(...problems);
  return problems.length === 0 ? settings : null;
}

/** Fewest characters: it is a key, not a password for people. */
const minSecret = 32;
const maxSecret = 4096;

export function resolveStateSecret({ state }: StaticConfig, diagnostics: Diagnostic[]): string | null {
  const secret = state?.secret?.trim() ?? '';
  if (secret === '') return null;
  if (secret.length >= minSecret && secret.length <= maxSecret) return secret;
  const message = `\`state.secret\` has ${secret.length} characters, expected ${minSecret} to ${maxSecret}`;
  diagnostics.push(staticError('state.secret', message, 'make one with `openssl rand -hex 32`'));
  return null;
}

function readEndpoints(redis: StaticRedis, problems: Diagnostic[]): RedisEndpoint[] {
  const path = `${root}.endpoints`;
  if (redis.endpoints.length === 0)
    problems.push(staticError(path, '`state.redis` names no `endpoints`', 'write `host:port` of the server'));
  if (redis.endpoints.length > maxEndpoints)
    problems.push(staticError(path, `there are more than ${maxEndpoints} endpoints`));
  const defaultPort = redis.sentinel === undefined ? 6379 : 26_379;
  return redis.endpoints.slice(0, maxEndpoints).flatMap((written, index) => {
    const endpoint = parseRedisEndpoint(written.trim(), defaultPort);
    if (typeof endpoint !== 'string') return endpoint;
    problems.push(staticError(path, `endpoint ${index + 1} cannot be used: ${endpoint}`));
    return [];
  });
}

/** What may be written beside the endpoints or in them, but only in one way. */
function one<K extends 'username' | 'password' | 'db'>(
  name: K,
  written: RedisEndpoint[K],
  endpoints: readonly RedisEndpoint[],
  problems: Diagnostic[],
): RedisEndpoint[K] {
  let value = written;
  for (const endpoint of endpoints) {
    if (endpoint[name] === null || endpoint[name] === value) continue;
    if (value === null) value = endpoint[name];
    else {
      problems.push(staticError(`${root}.${name}`, `\`${name}\` is written twice, and not the same`));
      break;
    }
  }
  return value;
}

function readTls(
  redis: StaticRedis,
  endpoints: readonly RedisEndpoint[],
  problems: Diagnostic[],
): RedisSettings['tls'] {
  const said = new Set(endpoints.flatMap(({ isTls }) => (isTls === null ? [] : [isTls])));
  if (said.size > 1 || (said.has(false) && redis.tls !== undefined)) {
    const message = 'some of it says TLS (`rediss://`, `tls`) and some says none (`redis://`)';
    problems.push(staticError(`${root}.endpoints`, message, 'write all endpoints with the same scheme'));
  }
  const { tls } = redis;
  if (tls === undefined)
    return said.has(true) ? { ca: [], cert: null, key: null, insecureSkipVerify: false } : null;
  const read = (name: string, value: string): string => {
    const pem = readPem(value);
    if (pem !== null) return pem;
    problems.push(
      staticError(`${root}.tls.${name}`, `\`${name}\` is neither a PEM text nor a file that holds one`),
    );
    return '';
  };
  if ((tls.cert === undefined) !== (tls.key === undefined))
    problems.push(staticError(`${root}.tls`, '`cert` and `key` are only of use together'));
  return {
    ca: tls.ca.map((value) => read('ca', value)),
    cert: tls.cert === undefined ? null : read('cert', tls.cert),
    key: tls.key === undefined ? null : read('key', tls.key),
    insecureSkipVerify: tls.insecureSkipVerify,
  };
}

function readSentinel({ sentinel }: StaticRedis, problems: Diagnostic[]): RedisSettings['sentinel'] {
  if (sentinel === undefined) return null;
  if (sentinel.masterName === undefined || sentinel.masterName === '') {
    const message = '`sentinel` names no `masterName`';
    problems.push(staticError(`${root}.sentinel`, message, 'write the name after `sentinel monitor`'));
  }
  return {
    masterName: sentinel.masterName ?? '',
    username: sentinel.username ?? null,
    password: sentinel.password ?? null,
  };
}

function checkTogether(settings: RedisSettings, problems: Diagnostic[]): void {
  const { cluster, sentinel, endpoints, db, keyPrefix, username, password } = settings;
  const refuse = (name: string, message: string, hint?: string): void => {
    problems.push(staticError(`${root}.${name}`, message, hint));
  };
  if (db < 0 || db > 65_535) refuse('db', `\`db\` is ${db}, expected 0 to 65535`);
  if (cluster && db !== 0) refuse('db', `\`db\` is ${db}: a cluster has only database 0`);
  if (cluster && sentinel !== null)
    refuse('cluster', '`cluster` and `sentinel` exclude each other', 'remove one of them');
  if (!cluster && sentinel === null && endpoints.length > 1)
    refuse(
      'endpoints',
      'several endpoints need `cluster` or `sentinel`',
      'write one of them, or one endpoint',
    );
  if (username !== null && password === null) refuse('username', '`username` has no `password`');
  // Braces say which part of a key decides where in a cluster it lies; a colon at the end would stand twice.
  if (!/^[^\s{}]+$/.test(keyPrefix) || keyPrefix.length > maxPrefix)
    refuse('keyPrefix', `\`keyPrefix\` must be 1 to ${maxPrefix} characters without spaces and braces`);
}
