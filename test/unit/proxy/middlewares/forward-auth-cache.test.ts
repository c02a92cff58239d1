// The dangers of keeping auth decisions, each with the test that shows that it does not happen.

import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { after, before, beforeEach, test } from 'node:test';
import type { Exchange } from '../../../../src/proxy/exchange.ts';
import { CONTINUE, type Hooks } from '../../../../src/proxy/hooks.ts';
import {
  type AuthServer,
  bearer,
  type Bench,
  bodyOf,
  exchange,
  FakeClient,
  header,
  jwt,
  openBench,
  pass,
  type RequestFacts,
  run,
  type SeenCall,
  startAuthServer,
  until,
} from '../../../support/forward-auth.ts';

let auth: AuthServer;
let bench: Bench;
let builds = 0;

before(async () => {
  auth = await startAuthServer(() => {});
  bench = openBench();
});
beforeEach(() => {
  auth.seen.length = 0;
  auth.answer = echo;
});
after(async () => {
  bench.close();
  await auth.close();
});

/** The answer names the whole question. */
function echo(call: SeenCall, response: ServerResponse): void {
  response
    .setHeader('x-user', Buffer.from(JSON.stringify(call)).toString('base64url').slice(0, 12_000))
    .end();
}

function build(
  cache: Record<string, unknown> = {},
  options: Record<string, unknown> = {},
  name = `m${builds++}@file`,
): Hooks {
  const all = {
    address: auth.address,
    authResponseHeaders: ['X-User'],
    cache: { ttl: '1h', ...cache },
    ...options,
  };
  return bench.build(all, name);
}

function stats(name = `m${builds - 1}@file`) {
  for (const [at, cache] of bench.deps.authCaches.entries()) if (at === name) return cache.stats;
  throw new Error('no such cache');
}

const ok =
  (headers: Record<string, string | string[]> = {}) =>
  (_: SeenCall, response: ServerResponse) =>
    void response.writeHead(200, headers).end();
const status =
  (code: number, headers: Record<string, string> = {}) =>
  (_: SeenCall, response: ServerResponse) =>
    void response.writeHead(code, headers).end('said');

test('the same token at the same place is asked once, and a hit needs no promise', async () => {
  const hooks = build();
  const first = await pass(hooks, bearer('t'));
  const x = exchange({ headers: bearer('t') });
  assert.equal(hooks.request?.(x), CONTINUE);
  assert.equal(header(x, 'x-user'), header(first, 'x-user'));
  assert.equal(auth.seen.length, 1);
  assert.deepEqual({ ...stats() }, { ...stats(), hits: 1, misses: 1 });
});

test('key too small: requests that differ in anything the auth server sees never share a decision', async () => {
  const hooks = build();
  const variants: [string[], RequestFacts][] = [
    [[], {}],
    [bearer('t'), {}],
    [bearer('u'), {}],
    [[...bearer('t'), 'cookie', 'a=1'], {}],
    [[...bearer('t'), 'x-tenant', 'a'], {}],
    [[...bearer('t'), 'x-tenant', ''], {}],
    [[...bearer('t'), 'x-tenant', 'a', 'x-tenant', 'b'], {}],
    [[...bearer('t'), 'x-tenant', 'a, b'], {}],
    [[...bearer('t'), 'x-forwarded-prefix', '/p'], {}],
    [bearer('t'), { method: 'POST' }],
    [bearer('t'), { scheme: 'https' }],
    [bearer('t'), { authority: 'other.test' }],
    [bearer('t'), { path: '/b' }],
    [bearer('t'), { path: '/a/' }],
    [bearer('t'), { search: '' }],
    [bearer('t'), { search: '?q=2' }],
    [bearer('t'), { peer: '10.1.1.2' }],
  ];
  const users = new Set<string | null>();
  for (const [headers, facts] of variants) users.add(header(await pass(hooks, headers, facts), 'x-user'));
  assert.equal(auth.seen.length, variants.length);
  assert.equal(users.size, variants.length);
  for (const [headers, facts] of variants)
    assert.equal(header(await pass(hooks, headers, facts), 'x-user') === null, false);
  assert.equal(auth.seen.length, variants.length);
});

test('noise such as User-Agent is neither sent nor keyed, and sent again when the key is narrowed', async () => {
  const hooks = build();
  await pass(hooks, [
    ...bearer('t'),
    'user-agent',
    'a',
    'accept',
    '*/*',
    'traceparent',
    '00-1',
    'if-none-match',
    'e',
  ]);
  await pass(hooks, [...bearer('t'), 'user-agent', 'b', 'accept', 'text/html', 'traceparent', '00-2']);
  assert.equal(auth.seen.length, 1);
  assert.equal(auth.seen[0]?.headers['user-agent'], undefined);
  await pass(build({ key: ['header:Authorization'] }), [...bearer('t'), 'user-agent', 'a']);
  assert.equal(auth.seen[1]?.headers['user-agent'], 'a');
});

test('a narrowed key holds exactly what it lists', async () => {
  const hooks = build({ key: ['cookie:session', 'host'] });
  await pass(hooks, ['cookie', 'a=1; session=x'], { path: '/1', peer: '10.0.0.1' });
  await pass(hooks, ['cookie', 'session=x; b=2'], { path: '/2', peer: '10.0.0.2' });
  assert.equal(auth.seen.length, 1);
  await pass(hooks, ['cookie', 'session=x; session=y']);
  await pass(hooks, ['cookie', 'session=']);
  await pass(hooks, []);
  await pass(hooks, ['cookie', 'session=x'], { authority: 'other.test' });
  assert.equal(auth.seen.length, 5);
});

test('vary and cache-control: what the auth server forbids is asked again, max-age only shortens', async () => {
  const notKept = [
    { 'Cache-Control': 'no-store' },
    { 'Cache-Control': 'private, max-age=60' },
    { 'Cache-Control': 'public, no-cache="x"' },
    { 'Cache-Control': 'max-age=0' },
    { 'Cache-Control': 'max-age=soon' },
    { 'Cache-Control': 'max-age=60', Age: '60' },
    { Pragma: 'no-cache' },
    { Expires: '0' },
    { Expires: 'Thu, 01 Jan 1970 00:00:00 GMT' },
    { Vary: '*' },
    { Vary: 'Authorization, X-Tenant' },
    { 'Set-Cookie': 's=1' },
  ];
  const options = { authRequestHeaders: ['Authorization'] };
  for (const headers of notKept) {
    auth.answer = ok(headers as unknown as Record<string, string>);
    const hooks = build({}, options);
    await pass(hooks, bearer('t'));
    const before = auth.seen.length;
    await pass(hooks, bearer('t'));
    assert.equal(auth.seen.length, before + 1, JSON.stringify(headers));
  }
  for (const headers of [
    { Vary: 'Authorization, Accept-Encoding' },
    { 'Cache-Control': 'max-age=999999' },
    {},
  ]) {
    auth.answer = ok(headers as Record<string, string>);
    const hooks = build({}, options);
    await pass(hooks, bearer('t'));
    const before = auth.seen.length;
    await pass(hooks, bearer('t'));
    assert.equal(auth.seen.length, before, JSON.stringify(headers));
  }
});

test('token outlives itself: a decision ends a second before the exp of its token, also as a cookie', async () => {
  for (const carry of [bearer, (token: string) => ['cookie', `s=${token}`]]) {
    const exp = Date.now() / 1000 + 2.5;
    const headers = carry(jwt({ exp }));
    const hooks = build({ staleIfError: '1h' });
    auth.answer = ok();
    await pass(hooks, headers);
    const before = auth.seen.length;
    auth.answer = status(401);
    let x: Exchange | null = null;
    let lastAllowed = 0;
    await until(() => {
      const askedAt = Date.now() / 1000;
      const isAllowed = hooks.request?.((x = exchange({ headers }))) === CONTINUE;
      if (isAllowed) lastAllowed = askedAt;
      return !isAllowed;
    });
    assert.ok(lastAllowed <= exp - 1);
    await until(() => auth.seen.length > before && x?.status === 401);
  }
  const spent = build();
  auth.answer = ok();
  for (let i = 0; i < 2; i++) await pass(spent, bearer(jwt({ exp: Date.now() / 1000 + 0.5 })));
  for (let i = 0; i < 2; i++) await pass(spent, bearer(jwt({ exp: 'never' })));
  assert.equal(stats().hits, 0);
});

test('revocation: of 100 requests in flight none is admitted after the purge returned', async () => {
  const hooks = build();
  const held: ServerResponse[] = [];
  auth.answer = (_, response) => void held.push(response);
  const all = Array.from({ length: 100 }, (_, i) => pass(hooks, bearer(i < 50 ? 'bad' : 'good')));
  await until(() => held.length === 2);
  assert.equal(bench.deps.authCaches.purge({ by: 'token', token: 'bad' }), 0);
  auth.answer = (call, response) => {
    response.writeHead(call.headers.authorization === 'Bearer bad' ? 401 : 200).end();
  };
  for (const response of held) response.writeHead(200).end();
  const done = await Promise.all(all);
  assert.ok(done.slice(0, 50).every((x) => x.status === 401));
  assert.ok(done.slice(50).every((x) => x.status === 0));
  assert.equal((await pass(hooks, bearer('bad'))).status, 401);
  assert.equal((await pass(hooks, bearer('good'))).status, 0);
});

test('revocation: purge by bearer token, whole header value, cookie, response header, and all', async () => {
  const hooks = build();
  auth.answer = ok({ 'X-User': '17', 'X-User-Id': '17' });
  const headers = [...bearer('t'), 'cookie', 'a=1; session=s3'];
  const selectors = [
    { by: 'token', token: 't' },
    { by: 'token', token: 'Bearer t' },
    { by: 'token', token: 's3' },
    { by: 'header', name: 'x-user-ID', value: '17' },
    { by: 'all' },
  ] as const;
  for (const selector of selectors) {
    await pass(hooks, headers);
    const before = auth.seen.length;
    assert.equal(bench.deps.authCaches.purge({ by: 'token', token: 'other' }), 0);
    await pass(hooks, headers);
    assert.equal(auth.seen.length, before);
    assert.ok(bench.deps.authCaches.purge(selector) >= 1, JSON.stringify(selector));
    await pass(hooks, headers);
    assert.equal(auth.seen.length, before + 1);
  }
});

test('negative caching: a 401 is not kept, so that a login right after it succeeds at once', async () => {
  const hooks = build();
  auth.answer = status(401);
  assert.equal((await pass(hooks, bearer('t'))).status, 401);
  auth.answer = ok();
  assert.equal((await pass(hooks, bearer('t'))).status, 0);
});

test('negative caching: with negativeTtl a 401 is kept whole, but never for requests without credentials', async () => {
  const hooks = build({ negativeTtl: '1m' });
  auth.answer = status(401, { 'WWW-Authenticate': 'Bearer' });
  await pass(hooks, bearer('t'));
  const x = await pass(hooks, bearer('t'));
  assert.equal(auth.seen.length, 1);
  assert.deepEqual([x.status, Buffer.from(x.answerBody).toString()], [401, 'said']);
  assert.equal(stats().negative, 1);
  await pass(hooks, []);
  await pass(hooks, []);
  assert.equal(auth.seen.length, 3);
  auth.answer = status(502);
  for (let i = 0; i < 2; i++) assert.equal((await pass(hooks, bearer('u'))).status, 502);
  assert.equal(auth.seen.length, 5);
});

test('negative entries cannot push out positive ones, and random tokens not those in use', async () => {
  const hooks = build({ maxEntries: 100, negativeTtl: '1m' });
  const hot = Array.from({ length: 50 }, (_, i) => bearer(`hot${i}`));
  for (let i = 0; i < 200; i++) await pass(hooks, bearer(`before${i}`));
  for (const headers of hot) for (let i = 0; i < 2; i++) await pass(hooks, headers);
  for (let i = 0; i < 300; i++) await pass(hooks, bearer(`once${i}`));
  auth.answer = status(401);
  for (let i = 0; i < 1_200; i++) await pass(hooks, bearer(`bad${i}`));
  const before = auth.seen.length;
  for (const headers of hot) assert.equal((await pass(hooks, headers)).status, 0);
  assert.equal(auth.seen.length, before);
  assert.ok(stats().evicted >= 400);
});

test('auth server down: fails closed once the life of a decision is over, older ones only by staleIfError', async () => {
  auth.answer = ok({ 'Cache-Control': 'max-age=1' });
  const strict = build();
  const lenient = build({ staleIfError: '1m' });
  const careful = build({ staleIfError: '1m' });
  await pass(strict, bearer('t'));
  await pass(lenient, bearer('t'));
  auth.answer = ok({ 'Cache-Control': 'max-age=1, must-revalidate' });
  await pass(careful, bearer('t'));
  auth.answer = (_, response) => void response.destroy();
  for (const hooks of [strict, lenient, careful]) {
    await until(() => hooks.request?.(exchange({ headers: bearer('t') })) !== CONTINUE);
  }
  assert.equal((await pass(strict, bearer('t'))).status, 500);
  assert.equal((await pass(lenient, bearer('t'))).status, 0);
  assert.equal((await pass(careful, bearer('t'))).status, 500);
  auth.answer = status(503);
  assert.equal((await pass(lenient, bearer('t'))).status, 0);
  auth.answer = status(403);
  assert.equal((await pass(lenient, bearer('t'))).status, 403);
  auth.answer = status(503);
  assert.equal((await pass(lenient, bearer('t'))).status, 503);
});

test('set-cookie and one-shot answers are neither kept nor shared with those who waited', async () => {
  const hooks = build({}, { addAuthCookiesToResponse: ['s'] });
  let given = 0;
  auth.answer = (_, response) => void response.writeHead(200, { 'Set-Cookie': `s=${++given}` }).end();
  const all = await Promise.all(Array.from({ length: 5 }, () => pass(hooks, bearer('t'))));
  for (const x of all) void hooks.response?.(x);
  assert.equal(new Set(all.map((x) => x.responseHeaders[1])).size, 5);
});

test('a spoofed identity header is gone on miss and hit alike, when auth does not set it', async () => {
  const hooks = build();
  auth.answer = ok();
  for (let i = 0; i < 2; i++) {
    const x = await pass(hooks, [...bearer('t'), 'x_user', 'root']);
    assert.deepEqual(x.headers, bearer('t'));
  }
  assert.equal(auth.seen.length, 1);
});

test('listed auth response headers reach the client on hits too', async () => {
  const hooks = build({}, { authClientResponseHeaders: ['X-Plan'], headerField: 'X-Who' });
  auth.answer = ok({ 'X-Plan': 'pro', 'X-Who': 'ann' });
  for (let i = 0; i < 2; i++) {
    const x = await pass(hooks, bearer('t'));
    void hooks.response?.(x);
    assert.deepEqual([x.responseHeaders, x.username], [['x-plan', 'pro'], 'ann']);
  }
  assert.equal(auth.seen.length, 1);
});

test('stampede: 200 cold requests at once are one auth call, at expiry too', async () => {
  const hooks = build({ ttl: '300ms' });
  const slow = (_: SeenCall, response: ServerResponse) => void setTimeout(() => response.end(), 30);
  auth.answer = slow;
  const burst = () => Promise.all(Array.from({ length: 200 }, () => pass(hooks, bearer('t'))));
  assert.ok((await burst()).every((x) => x.status === 0));
  assert.equal(auth.seen.length, 1);
  const { misses } = stats();
  await new Promise((resolve) => setTimeout(resolve, 350));
  assert.ok((await burst()).every((x) => x.status === 0));
  assert.equal(auth.seen.length, 2);
  assert.equal(stats().misses, misses + 200);
});

test('refresh ahead: a decision in use is asked for again before it ends, once, and nobody waits', async (t) => {
  // A machine that stalls for the whole last part of the life misses it: then once more.
  for (let attempt = 1; ; attempt++) {
    const hooks = build({ ttl: '1s' });
    auth.answer = (_, response) => void setTimeout(() => response.end(), 5);
    await pass(hooks, bearer(`t${attempt}`));
    const asked = auth.seen.length;
    await until(
      () =>
        hooks.request?.(exchange({ headers: bearer(`t${attempt}`) })) !== CONTINUE ||
        auth.seen.length > asked,
    );
    const { misses } = stats();
    const stopAt = performance.now() + 300;
    while (performance.now() < stopAt) {
      await pass(hooks, bearer(`t${attempt}`));
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (misses === 1 && stats().misses === 1) {
      assert.equal(auth.seen.length, asked + 1);
      return;
    }
    assert.ok(attempt < 5, 'never asked ahead');
    t.diagnostic('stalled, again');
  }
});

test('a follower that goes away cancels nobody, and the last one out ends the call', async () => {
  const hooks = build();
  const held: ServerResponse[] = [];
  auth.answer = (_, response) => void held.push(response);
  const clients = [new FakeClient(), new FakeClient(), new FakeClient()];
  const all = clients.map((client) => pass(hooks, bearer('t'), { client }));
  await until(() => held.length === 1);
  clients[0]?.leave();
  clients[1]?.leave();
  held[0]?.writeHead(200).end();
  const done = await Promise.all(all);
  assert.deepEqual(
    done.map((x) => x.error?.code ?? 'ok'),
    ['client.gone', 'client.gone', 'ok'],
  );
  let closed = false;
  auth.answer = (_, response) => void response.on('close', () => (closed = true));
  const client = new FakeClient();
  const alone = pass(hooks, bearer('u'), { client });
  await until(() => auth.seen.length === 2);
  client.leave();
  await alone;
  await until(() => closed);
});

test('the failure of one who asked does not deny those who waited: they ask once more, together', async () => {
  const hooks = build();
  auth.answer = (_, response) => {
    auth.answer = ok();
    response.writeHead(200, { 'Content-Length': 9 });
    response.write('x');
    setTimeout(() => response.destroy(), 20);
  };
  const all = await Promise.all(Array.from({ length: 50 }, () => pass(hooks, bearer('t'))));
  assert.equal(all.filter((x) => x.status === 500).length, 1);
  assert.equal(all.filter((x) => x.status === 0).length, 49);
  assert.equal(auth.seen.length, 2);
});

test('200 requests with one bad token are two auth calls and 200 refusals', async () => {
  const hooks = build();
  auth.answer = (_, response) => void setTimeout(() => response.writeHead(401).end(), 20);
  const all = await Promise.all(Array.from({ length: 200 }, () => pass(hooks, bearer('t'))));
  assert.ok(all.every((x) => x.status === 401));
  assert.equal(auth.seen.length, 2);
});

test('a request whose body went to the auth server is not kept', async () => {
  const hooks = build({}, { forwardBody: true });
  for (let i = 0; i < 2; i++) await pass(hooks, bearer('t'), { method: 'POST', body: bodyOf('x') });
  assert.equal(auth.seen.length, 2);
});

test('too large a decision is used but not kept', async () => {
  const hooks = build({}, { authResponseHeaders: ['X-A', 'X-B'] });
  auth.answer = ok({ 'X-A': 'x'.repeat(8_000), 'X-B': 'y'.repeat(8_000) });
  for (let i = 0; i < 2; i++) assert.equal((await pass(hooks, bearer('t'))).status, 0);
  assert.equal(auth.seen.length, 1);
  auth.answer = ok({ 'X-A': 'x'.repeat(8_000), 'X-B': 'y'.repeat(9_000) });
  for (let i = 0; i < 2; i++) assert.equal((await pass(hooks, bearer('u'))).status, 0);
  assert.equal(auth.seen.length, 3);
});

test('reload: the same options keep the decisions, changed ones never see the old', async () => {
  const name = 'reloaded@file';
  await pass(build({}, {}, name), bearer('t'));
  await pass(build({}, {}, name), bearer('t'));
  assert.equal(auth.seen.length, 1);
  await pass(build({}, { authResponseHeaders: ['X-User', 'X-More'] }, name), bearer('t'));
  assert.equal(auth.seen.length, 2);
  await pass(build({}, {}, 'other@file'), bearer('t'));
  assert.equal(auth.seen.length, 3);
});

test('the wait is bounded: a silent auth server costs each request its timeout and no more', async () => {
  const hooks = build({}, { timeout: '150ms', statusOnError: 504 });
  auth.answer = () => {};
  const startedAt = performance.now();
  const all = await Promise.all(Array.from({ length: 20 }, () => pass(hooks, bearer('t'))));
  assert.ok(all.every((x) => x.status === 504 && x.error?.code === 'auth.timeout'));
  // Twenty timeouts one after the other would take three seconds.
  assert.ok(performance.now() - startedAt < 2_500);
  assert.equal(await run(build(), exchange({ client: gone() })), 1);
});

function gone(): FakeClient {
  const client = new FakeClient();
  client.leave();
  return client;
}
