// `state` of the static configuration: Redis as it may be written, and what cannot be.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { loadStatic } from '../../../../src/config/static/load.ts';
import { resolveRedis } from '../../../../src/config/static/resolve-state.ts';
import type { Diagnostic } from '../../../../src/model/diagnostic.ts';
import type { RedisSettings } from '../../../../src/model/redis.ts';

interface Result {
  readonly redis: RedisSettings | null;
  readonly diagnostics: readonly Diagnostic[];
}

const plain: RedisSettings = {
  endpoints: [{ host: '10.0.0.1', port: 6379 }],
  username: null,
  password: null,
  db: 0,
  tls: null,
  sentinel: null,
  cluster: false,
  keyPrefix: 'portcullis',
};

function folder(context: TestContext): string {
  const made = mkdtempSync(path.join(tmpdir(), 'portcullis-state-'));
  context.after(() => rmSync(made, { recursive: true }));
  return made;
}

function read(context: TestContext, ...argv: string[]): Result {
  const { config, diagnostics } = loadStatic({ argv, env: {}, cwd: folder(context) });
  assert.ok(config, JSON.stringify(diagnostics));
  const found: Diagnostic[] = [];
  return { redis: resolveRedis(config, found), diagnostics: found };
}

const flag = (name: string, value: string): string => `--state.redis.${name}=${value}`;

test('without `state.redis` there is none', (context) => {
  assert.deepEqual(read(context, '--ping'), { redis: null, diagnostics: [] });
});

test('an endpoint is host and port, a name alone, an IPv6 address, or a URL', (context) => {
  const cases: readonly (readonly [string, Partial<RedisSettings>])[] = [
    ['10.0.0.1:6380', { endpoints: [{ host: '10.0.0.1', port: 6380 }] }],
    ['redis.internal', { endpoints: [{ host: 'redis.internal', port: 6379 }] }],
    ['[::1]:7000', { endpoints: [{ host: '::1', port: 7000 }] }],
    ['redis://10.0.0.1', {}],
    ['redis://[::1]:7000', { endpoints: [{ host: '::1', port: 7000 }] }],
    ['redis://:p%40ss@10.0.0.1/4', { password: 'p@ss', db: 4 }],
    ['redis://me:pass@10.0.0.1', { username: 'me', password: 'pass' }],
    ['rediss://10.0.0.1', { tls: { ca: [], cert: null, key: null, insecureSkipVerify: false } }],
  ];
  for (const [written, more] of cases) {
    const { redis, diagnostics } = read(context, flag('endpoints', written));
    assert.deepEqual(diagnostics, [], written);
    assert.deepEqual(redis, { ...plain, ...more }, written);
  }
});

test('every key does what it says', (context) => {
  const dir = folder(context);
  const pem = (name: string): string => {
    const file = path.join(dir, name);
    writeFileSync(file, `-----BEGIN ${name}-----\n`);
    return file;
  };
  const { redis, diagnostics } = read(
    context,
    flag('endpoints', 'a:1,b'),
    flag('username', 'me'),
    flag('password', 'pass'),
    flag('db', '3'),
    flag('tls.ca', pem('CA')),
    flag('tls.cert', pem('CERT')),
    flag('tls.key', pem('KEY')),
    flag('tls.insecureSkipVerify', 'true'),
    flag('sentinel.masterName', 'main'),
    flag('sentinel.username', 'watcher'),
    flag('sentinel.password', 'word'),
    flag('keyPrefix', 'edge'),
  );
  assert.deepEqual(diagnostics, []);
  assert.deepEqual(redis, {
    endpoints: [
      { host: 'a', port: 1 },
      { host: 'b', port: 26_379 },
    ],
    username: 'me',
    password: 'pass',
    db: 3,
    tls: {
      ca: ['-----BEGIN CA-----\n'],
      cert: '-----BEGIN CERT-----\n',
      key: '-----BEGIN KEY-----\n',
      insecureSkipVerify: true,
    },
    sentinel: { masterName: 'main', username: 'watcher', password: 'word' },
    cluster: false,
    keyPrefix: 'edge',
  });
  const cluster = read(context, flag('endpoints', 'a,b'), flag('cluster', 'true'), '--state.redis.tls');
  assert.deepEqual(cluster.diagnostics, []);
  assert.equal(cluster.redis?.cluster, true);
  assert.deepEqual(cluster.redis?.tls?.ca, []);
});

test('what cannot be is told, with the key and without a secret', (context) => {
  const cases: readonly (readonly [readonly string[], string, RegExp])[] = [
    [[flag('db', '1')], 'endpoints', /names no `endpoints`/],
    [[flag('endpoints', 'a:0')], 'endpoints', /port is 0/],
    [[flag('endpoints', 'a:65536')], 'endpoints', /port is 65536/],
    [[flag('endpoints', 'redis://a:99999')], 'endpoints', /cannot be read/],
    [[flag('endpoints', 'me:canary@a:1')], 'endpoints', /need `redis:/],
    [[flag('endpoints', 'http://me:canary@a')], 'endpoints', /expected `redis:/],
    [[flag('endpoints', 'redis://me:canary@a/x')], 'endpoints', /number of a database/],
    [[flag('endpoints', 'redis://me:canary@a?x=1')], 'endpoints', /query/],
    [[flag('endpoints', '/run/redis.sock')], 'endpoints', /unix socket/],
    [[flag('endpoints', 'a b')], 'endpoints', /expected `host:port`/],
    [[flag('endpoints', 'a,b')], 'endpoints', /several endpoints need/],
    [[flag('endpoints', 'redis://a,rediss://b'), flag('cluster', 'true')], 'endpoints', /same|TLS/],
    [[flag('endpoints', 'redis://a'), '--state.redis.tls'], 'endpoints', /TLS/],
    [[flag('endpoints', 'redis://:canary1@a'), flag('password', 'canary2')], 'password', /twice/],
    [[flag('endpoints', 'a'), flag('username', 'me')], 'username', /no `password`/],
    [[flag('endpoints', 'a'), flag('db', '-1')], 'db', /0 to 65535/],
    [[flag('endpoints', 'a'), flag('db', '1'), flag('cluster', 'true')], 'db', /only database 0/],
    [
      [flag('endpoints', 'a'), flag('sentinel.masterName', 'm'), flag('cluster', 'true')],
      'cluster',
      /exclude each other/,
    ],
    [[flag('endpoints', 'a'), flag('sentinel.username', 'm')], 'sentinel', /no `masterName`/],
    [[flag('endpoints', 'a'), flag('keyPrefix', 'a{b}')], 'keyPrefix', /braces/],
    [[flag('endpoints', 'a'), flag('keyPrefix', '')], 'keyPrefix', /1 to 100/],
    [[flag('endpoints', 'a'), flag('tls.ca', '/canary/nowhere')], 'tls.ca', /neither/],
    [[flag('endpoints', 'a'), flag('tls.cert', '-----BEGIN X')], 'tls', /only of use together/],
  ];
  for (const [argv, key, message] of cases) {
    const { redis, diagnostics } = read(context, ...argv);
    assert.equal(redis, null, argv.join(' '));
    assert.equal(diagnostics.length, 1, JSON.stringify(diagnostics));
    assert.equal(diagnostics[0]?.where.path, `state.redis.${key}`);
    assert.equal(diagnostics[0]?.severity, 'error');
    assert.match(diagnostics[0]?.message ?? '', message);
    assert.doesNotMatch(JSON.stringify(diagnostics), /canary/);
  }
});
