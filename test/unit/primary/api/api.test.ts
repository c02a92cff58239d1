// The API's answers: Traefik's shapes, pages, errors; no secrets; purges that a browser form cannot send.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask, body, flood, found, header, names, purged } from './support.ts';

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
  assert.deepEqual(options['cache'], { ttl: '1s', key: ['header:Authorization'] });
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
  for (const [query, message] of [
    ['page=9', 'invalid request: page: 9, per_page: 100'],
    ['page=0', 'invalid request: page: 0'],
    ['page=-1', 'invalid request: page: -1'],
    ['page=x', 'invalid request: page: 0'],
    ['page=0&per_page=-2', 'invalid request: per_page: -2'],
  ]) {
    const answer = await ask(`/api/http/routers?${query}`);
    assert.equal(answer.status, 400);
    assert.equal(JSON.parse(answer.body).message, message);
  }
});

test('what is not there is 404, and reading with another method 405', async () => {
  const missing = await ask('/api/http/routers/x@y');
  assert.equal(missing.status, 404);
  assert.equal(JSON.parse(missing.body).message, 'router not found: x@y');
  assert.match(header(missing, 'Content-Type') ?? '', /^text\/plain/);
  for (const path of [
    '/nothing',
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
    diagnostics: found,
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

test('routers are found by service and middleware, and sorted by what is asked for', async () => {
  assert.deepEqual(await names('/api/http/routers?serviceName=api@file'), ['a/b@file', 'broken@file']);
  assert.deepEqual(await names('/api/http/routers?serviceName=ping@internal'), ['ping@internal']);
  assert.deepEqual(await names('/api/http/routers?serviceName=ping'), []);
  const byPriority = await names('/api/http/routers?sortBy=priority&direction=desc');
  assert.equal(byPriority[0], 'ping@internal');
  assert.equal((await names('/api/http/services?sortBy=servers&direction=desc'))[0], 'api@file');
  assert.deepEqual(await names('/api/http/middlewares?sortBy=type'), [
    'basic@file',
    'auth@file',
    'headers@file',
  ]);
  assert.deepEqual(await names('/api/http/services?search=PING'), ['ping@internal']);
  assert.deepEqual(await names('/api/http/services?serviceName=nothing'), ['api@file', 'ping@internal']);
});

test('a router of the gateway itself names its service with the provider', async () => {
  assert.equal((await body('/api/http/routers/ping@internal'))['service'], 'ping@internal');
});

test('the version names the dashboard only when it has a name', async () => {
  assert.deepEqual(Object.keys(await body('/api/version')), ['Version', 'Codename', 'startDate']);
  const named = await body('/api/version', { facts: { dashboardName: 'Edge', disableDashboardAd: true } });
  assert.deepEqual([named['dashboardName'], named['disableDashboardAd']], ['Edge', true]);
});

test('entry points come in the order of their names, without what only objects of providers have', async () => {
  const list = JSON.parse((await ask('/api/entrypoints')).body) as Record<string, unknown>[];
  assert.deepEqual(
    list.map((point) => [point['name'], point['address']]),
    [
      ['admin', ':8080'],
      ['web', ':80'],
    ],
  );
  assert.ok(!('provider' in (list[0] ?? {})) && !('status' in (list[0] ?? {})));
  assert.equal((await body('/api/entrypoints/web'))['name'], 'web');
  const missing = await ask('/api/entrypoints/nothing');
  assert.deepEqual([missing.status, missing.body], [404, '{"message":"entry point not found: nothing"}\n']);
});

test('lists of what is not served are empty, and their members not found', async () => {
  for (const path of [
    '/api/tcp/routers',
    '/api/tcp/services',
    '/api/tcp/middlewares',
    '/api/udp/routers',
    '/api/udp/services',
    '/api/certificates',
  ]) {
    const answer = await ask(path);
    assert.deepEqual([answer.status, answer.body, header(answer, 'X-Next-Page')], [200, '[]\n', '1'], path);
    assert.equal((await ask(`${path}/x@y`)).status, 404);
  }
  assert.equal((await ask('/api/udp/middlewares')).status, 404);
});

test('diagnostics come with the errors first, and can be narrowed down', async () => {
  const all = JSON.parse((await ask('/api/diagnostics')).body) as { readonly code: string }[];
  assert.deepEqual(
    all.map(({ code }) => code),
    ['b', 'a'],
  );
  const one = JSON.parse((await ask('/api/diagnostics?severity=warning')).body) as object[];
  assert.deepEqual(one, [
    { severity: 'warning', code: 'a', message: 'odd', where: { source: 'f.yml', line: 3 } },
  ]);
  assert.equal((await ask('/api/diagnostics?search=F.YML&per_page=1')).body, `${JSON.stringify([all[0]])}\n`);
});

test('debugging data is there only when it is asked for, and pprof is refused by name', async () => {
  assert.equal((await ask('/debug/vars')).status, 404);
  const vars = await body('/debug/vars', { facts: { debug: true } });
  assert.equal(vars['pid'], process.pid);
  assert.ok(!JSON.stringify(vars).includes(process.execPath));
  const refused = await ask('/debug/pprof/heap', { facts: { debug: true } });
  assert.equal(refused.status, 501);
  assert.match(refused.body, /pprof/);
});

test('more requests than may wait are refused', async () => {
  const answers = await flood(300, '/api/rawdata');
  const refused = answers.filter(({ status }) => status === 503);
  assert.equal(refused.length, 300 - 256);
  assert.ok(answers.every(({ status }) => status === 200 || status === 503));
  assert.equal((await ask('/api/rawdata')).status, 200);
});
