// The API's answers: Traefik's shapes, pages, errors; no secrets; purges that a browser form cannot send.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ApiAnswer, PurgeSelector } from '../../../src/model/ipc.ts';
import type { MiddlewareSpec, Snapshot } from '../../../src/model/snapshot.ts';
import { createApi } from '../../../src/primary/api/api.ts';
import { router, service } from './support.ts';

const headers: MiddlewareSpec = {
  name: 'headers@file',
  provider: 'file',
  kind: 'headers',
  options: {
    customRequestHeaders: { Authorization: 'Bearer abc', 'X-Api-Key': 'k', 'X-Team': 'a<b&c>' },
    accessControlAllowHeaders: ['Authorization'],
  },
  errors: [],
};
const auth: MiddlewareSpec = {
  name: 'auth@file',
  provider: 'file',
  kind: 'forwardAuth',
  options: {
    address: 'http://user:pass@auth:8000/validate',
    authResponseHeaders: ['X-User-Id'],
    tls: { ca: 'CA', cert: 'CERT', key: 'PEM', insecureSkipVerify: false },
    cache: { ttl: 1000, key: ['header:Authorization'] },
  },
  errors: [],
};
const basic: MiddlewareSpec = {
  name: 'basic@file',
  provider: 'file',
  kind: 'basicAuth',
  options: { users: ['bob:$apr1$x'] },
  errors: ['not supported'],
};

const snapshot: Snapshot = {
  version: 7,
  hash: 'abc',
  routers: [
    router('a/b@file', { middlewares: ['auth@file', 'headers@file'], rule: 'Host(`x`) && PathPrefix(`/`)' }),
    router('broken@file', { errors: ['middleware "x@file" does not exist'] }),
    router('ping@internal', { service: 'ping@internal', priority: 9223372036854775807n }),
  ],
  middlewares: [auth, basic, headers],
  services: [
    service('api@file', ['http://10.0.0.1:80', 'http://10.0.0.2:80'], {
      headers: { Authorization: 'Basic x' },
    }),
    { kind: 'internal', name: 'ping@internal', provider: 'internal', target: 'ping', errors: [] },
  ],
  transports: [],
};

test('the version, the counts and the raw data have the keys of Traefik', async () => {
  const version = await body('/api/version');
  assert.equal(version['Version'], '1.2.3');
  assert.equal(version['startDate'], '2026-01-01T00:00:00Z');
  const overview = await body('/api/overview');
  assert.deepEqual(overview['http'], {
    routers: { total: 3, warnings: 0, errors: 1 },
    services: { total: 2, warnings: 0, errors: 0 },
    middlewares: { total: 3, warnings: 0, errors: 1 },
  });
  assert.deepEqual(overview['providers'], ['File']);
  const raw = await body('/api/rawdata');
  assert.deepEqual(Object.keys(raw), ['routers', 'middlewares', 'services']);
  assert.ok(!('name' in ((raw['routers'] as Record<string, object>)['broken@file'] ?? {})));
});

test('a router is found by its percent-encoded name and says what it uses', async () => {
  const found = await body('/api/http/routers/a%2Fb%40file');
  assert.equal(found['service'], 'api');
  assert.equal(found['status'], 'enabled');
  assert.equal(found['priorityStr'], '15');
  assert.deepEqual(found['using'], ['web']);
  assert.deepEqual(found['middlewares'], ['auth@file', 'headers@file']);
  const broken = await body('/api/http/routers/broken@file');
  assert.equal(broken['status'], 'disabled');
  assert.deepEqual(broken['error'], ['middleware "x@file" does not exist']);
  const ping = await body('/api/http/routers/ping@internal');
  assert.equal(ping['priorityStr'], '9223372036854775807');
});

test('a service shows its servers, their states and its users', async () => {
  const found = await body('/api/http/services/api@file');
  assert.equal(found['type'], 'loadbalancer');
  assert.deepEqual(found['usedBy'], ['a/b@file', 'broken@file']);
  assert.deepEqual(found['serverStatus'], { 'http://10.0.0.1:80': 'UP', 'http://10.0.0.2:80': 'DOWN' });
});

test('no secret of a middleware or a health check is shown', async () => {
  const all = [
    (await ask('/api/http/middlewares')).body,
    (await ask('/api/http/services')).body,
    (await ask('/api/rawdata')).body,
  ].join('\n');
  for (const secret of ['Bearer abc', '"k"', 'user:pass', 'PEM', 'CERT', '$apr1$', 'Basic x']) {
    assert.ok(!all.includes(secret), secret);
  }
  const shown = await body('/api/http/middlewares/auth@file');
  const options = shown['forwardAuth'] as Record<string, unknown>;
  assert.deepEqual(options['authResponseHeaders'], ['X-User-Id']);
  assert.deepEqual(options['cache'], { ttl: 1000, key: ['header:Authorization'] });
});

test('JSON has no character that HTML gives a meaning to', async () => {
  const { body: text } = await ask('/api/http/middlewares/headers@file');
  assert.ok(text.includes('a\\u003cb\\u0026c\\u003e'));
});

test('lists have pages, filters and an order', async () => {
  const first = await ask('/api/http/routers?per_page=2');
  assert.equal(JSON.parse(first.body).length, 2);
  assert.equal(header(first, 'X-Next-Page'), '2');
  const last = await ask('/api/http/routers?per_page=2&page=2');
  assert.equal(header(last, 'X-Next-Page'), '1');
  assert.deepEqual(await names('/api/http/routers?search=HOST('), ['a/b@file']);
  assert.deepEqual(await names('/api/http/routers?status=disabled'), ['broken@file']);
  assert.deepEqual(await names('/api/http/routers?middlewareName=auth@file'), ['a/b@file']);
  assert.deepEqual(await names('/api/http/routers?direction=desc'), [
    'ping@internal',
    'broken@file',
    'a/b@file',
  ]);
  for (const page of ['9', '0', '-1', 'x']) {
    const answer = await ask(`/api/http/routers?page=${page}`);
    assert.equal(answer.status, 400);
    assert.equal(JSON.parse(answer.body).message, `invalid request: page: ${page}, per_page: 100`);
  }
});

test('what is not there is 404, and reading with another method 405', async () => {
  const missing = await ask('/api/http/routers/x@y');
  assert.equal(missing.status, 404);
  assert.equal(JSON.parse(missing.body).message, 'router not found: x@y');
  assert.match(header(missing, 'Content-Type') ?? '', /^text\/plain/);
  for (const path of [
    '/',
    '/api',
    '/api/nothing',
    '/api/http',
    '/api/http/constructor',
    '/api/http/routers/%ff',
  ]) {
    assert.equal((await ask(path)).status, 404, path);
  }
  assert.equal((await ask('/api/overview', { method: 'POST' })).status, 405);
  assert.equal((await ask('/api/tcp/routers')).body, '[]\n');
});

test('a base path stands before every address', async () => {
  assert.equal((await ask('/gate/api/version', { basePath: '/gate' })).status, 200);
  assert.equal((await ask('/api/version', { basePath: '/gate' })).status, 404);
});

test('the status names the version, the workers and the diagnostics', async () => {
  assert.deepEqual(await body('/api/portcullis/status'), {
    version: 7,
    hash: 'abc',
    workers: [{ pid: 1, state: 'running', version: 7 }],
    diagnostics: [],
  });
});

test('a purge needs POST, JSON and a known selector', async () => {
  const path = '/api/portcullis/auth-cache/purge';
  const contentType = 'application/json; charset=utf-8';
  const good = await ask(path, { method: 'POST', contentType, text: '{"by":"token","token":"t"}' });
  assert.deepEqual(JSON.parse(good.body), { purged: 5 });
  assert.deepEqual(purged.at(-1), { by: 'token', token: 't' });
  const form = { method: 'POST', contentType: 'text/plain', text: '{"by":"all"}' };
  assert.equal((await ask(path, form)).status, 415);
  assert.equal((await ask(path)).status, 405);
  for (const text of [
    '',
    '{}',
    '[]',
    '{"by":"token"}',
    '{"by":"header","name":"X"}',
    '{"by":"everything"}',
  ]) {
    assert.equal((await ask(path, { method: 'POST', contentType, text })).status, 400, text);
  }
  const large = JSON.stringify({ by: 'token', token: 'x'.repeat(70_000) });
  assert.equal((await ask(path, { method: 'POST', contentType, text: large })).status, 413);
});

const purged: PurgeSelector[] = [];

interface Options {
  readonly method?: string;
  readonly contentType?: string;
  readonly text?: string;
  readonly basePath?: string;
}

function ask(target: string, options: Options = {}): Promise<ApiAnswer> {
  const api = createApi(
    {
      version: '1.2.3',
      startDate: '2026-01-01T00:00:00Z',
      basePath: options.basePath ?? '',
      entryPoints: [],
      providers: ['File'],
      accessLog: false,
    },
    {
      snapshot: () => snapshot,
      serverStates: (name) => (name === 'api@file' ? new Map([['http://10.0.0.2:80', false]]) : null),
      workers: () => [{ pid: 1, state: 'running', version: 7 }],
      diagnostics: () => [],
      purge: (selector) => {
        purged.push(selector);
        return Promise.resolve(5);
      },
    },
  );
  const { method = 'GET', contentType = '', text = '' } = options;
  return api({ method, target, contentType, body: text });
}

async function body(target: string): Promise<Record<string, unknown>> {
  const answer = await ask(target);
  assert.equal(answer.status, 200, answer.body);
  return JSON.parse(answer.body) as Record<string, unknown>;
}

async function names(target: string): Promise<readonly string[]> {
  return (JSON.parse((await ask(target)).body) as { readonly name: string }[]).map((item) => item.name);
}

function header(answer: ApiAnswer, name: string): string | undefined {
  const index = answer.headers.indexOf(name);
  return index === -1 ? undefined : answer.headers[index + 1];
}
