// Narrowed keys, revocation and hit paths of the auth cache, as someone would use them who wants another's decision.

import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import type { Hooks } from '../../../../src/proxy/hooks.ts';
import {
  type AuthServer,
  bearer,
  type Bench,
  bodyOf,
  exchange,
  header,
  jwt,
  openBench,
  pass,
  type RequestFacts,
  run,
  startAuthServer,
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
  auth.answer = (call, response) => {
    const { authorization, cookie, host } = call.headers;
    const place = call.headers['x-forwarded-uri'];
    response.setHeader('x-user', `${authorization ?? cookie ?? 'nobody'} at ${place} of ${host}`).end();
  };
});
after(async () => {
  bench.close();
  await auth.close();
});

function build(key: readonly string[], options: Record<string, unknown> = {}): Hooks {
  const cache = { ttl: '1h', key };
  const all = { address: auth.address, authResponseHeaders: ['X-User'], cache, ...options };
  return bench.build(all, `bypass${builds++}@file`);
}

test('a key that names a header the gateway writes follows what is written', async () => {
  const pairs: [string, RequestFacts, RequestFacts][] = [
    ['Host', { authority: 'a.test' }, { authority: 'b.test' }],
    ['X-Forwarded-Host', { authority: 'a.test' }, { authority: 'b.test' }],
    ['X-Forwarded-Uri', { path: '/open' }, { path: '/secret' }],
    ['X-Forwarded-Uri', { search: '?a=1' }, { search: '?a=2' }],
    ['X-Forwarded-Method', { method: 'GET' }, { method: 'DELETE' }],
    ['X-Forwarded-Proto', { scheme: 'http' }, { scheme: 'https' }],
    ['X-Forwarded-For', { peer: '10.0.0.1' }, { peer: '10.0.0.2' }],
  ];
  for (const [name, one, other] of pairs) {
    auth.seen.length = 0;
    const hooks = build(['header:Authorization', `header:${name}`]);
    await pass(hooks, bearer('t'), one);
    await pass(hooks, bearer('t'), other);
    assert.equal(auth.seen.length, 2, name);
    await pass(hooks, bearer('t'), one);
    assert.equal(auth.seen.length, 2, `${name} is kept`);
  }
});

test('a narrowed key never lets those who show something else share a decision', async () => {
  for (const key of [['header:Authorization'], ['cookie:session', 'host'], ['header:X-Api-Key', 'ip']]) {
    auth.seen.length = 0;
    const hooks = build(key);
    const alice = await pass(hooks, ['cookie', 'sid=alice']);
    const bob = await pass(hooks, ['cookie', 'sid=bob']);
    const nobody = await pass(hooks, []);
    assert.match(header(alice, 'x-user') ?? '', /alice/);
    assert.match(header(bob, 'x-user') ?? '', /bob/);
    assert.match(header(nobody, 'x-user') ?? '', /^nobody/);
    assert.equal(auth.seen.length, 3);
  }
  // What the auth server does not get to see cannot tell anyone apart.
  auth.seen.length = 0;
  const unseen = build(['header:Authorization'], { authRequestHeaders: ['Authorization'] });
  await pass(unseen, ['cookie', 'sid=alice'], { search: '' });
  await pass(unseen, ['cookie', 'sid=bob'], { search: '' });
  assert.equal(auth.seen.length, 1);
});

test('an empty credential shows nobody: whoever sends one beside another gives nobody his decision', async () => {
  const empty: readonly (readonly [key: string, headers: readonly string[]])[] = [
    ['header:Authorization', ['authorization', '']],
    ['header:Authorization', ['authorization', 'Bearer']],
    ['header:Authorization', ['authorization', 'basic ']],
    ['header:Authorization', ['authorization', 'Bearer undefined']],
    ['header:X-Api-Key', ['x-api-key', '', 'x-api-key', 'null']],
    ['cookie:session', ['cookie', 'session=']],
    ['cookie:session', ['cookie', 'a=1; session=""; session= ']],
  ];
  for (const [key, shown] of empty) {
    const hooks = build([key]);
    auth.answer = (call, response) => {
      const isBob = call.headers['x-session-token'] === 'bob';
      if (isBob) response.setHeader('x-user', 'bob');
      response.writeHead(isBob ? 200 : 401).end();
    };
    const what = JSON.stringify([key, shown]);
    assert.equal(header(await pass(hooks, [...shown, 'x-session-token', 'bob']), 'x-user'), 'bob', what);
    const stranger = await pass(hooks, [...shown]);
    assert.deepEqual([stranger.status, header(stranger, 'x-user')], [401, null], what);
  }
});

test('a key that tells nobody apart keeps nothing about those who show who they are, unless it goes by address', async () => {
  auth.answer = (call, response) => {
    const who = String(call.headers.authorization ?? 'nobody').replace('Bearer ', '');
    response.setHeader('x-user', who).writeHead(200).end();
  };
  for (const key of [['uri'], ['host', 'path', 'method', 'scheme']]) {
    const hooks = build(key);
    for (const who of ['ann', 'bob', null, 'ann']) {
      const seen = await pass(hooks, who === null ? [] : bearer(who));
      assert.equal(header(seen, 'x-user'), who ?? 'nobody', key.join());
    }
  }
  const byAddress = build(['ip']);
  auth.seen.length = 0;
  for (const who of ['ann', 'bob']) await pass(byAddress, bearer(who));
  assert.equal(auth.seen.length, 1);
});

test('a purge finds a token however it was sent', async () => {
  const token = 'tok+en/1=';
  const sent: [string[], RequestFacts][] = [
    [['authorization', `Bearer\t${token}`], {}],
    [['authorization', `bearer   ${token}`], {}],
    [['authorization', token], {}],
    [['authorization', 'Bearer other', 'authorization', `Bearer ${token}`], {}],
    [['cookie', `a=1; session="${token}"`], {}],
    [['cookie', `session=${encodeURIComponent(token)}`], {}],
    [['x-session-token', token], {}],
    [[], { search: `?a=1&access_token=${encodeURIComponent(token)}` }],
    [[], { search: `?access_token=${token}` }],
  ];
  for (const [headers, facts] of sent) {
    auth.seen.length = 0;
    const hooks = build([]);
    await pass(hooks, headers, facts);
    await pass(hooks, headers, facts);
    assert.equal(auth.seen.length, 1);
    assert.equal(bench.deps.authCaches.purge({ by: 'token', token }), 1, JSON.stringify([headers, facts]));
    await pass(hooks, headers, facts);
    assert.equal(auth.seen.length, 2);
    bench.deps.authCaches.purge({ by: 'all' });
  }
});

test('a purge by a name beyond ASCII finds it', async () => {
  auth.answer = (_, response) => {
    response.setHeader('x-user', Buffer.from('José').toString('latin1')).end();
  };
  const hooks = build([]);
  await pass(hooks, bearer('t'));
  assert.equal(bench.deps.authCaches.purge({ by: 'header', name: 'X-User', value: 'José' }), 1);
  await pass(hooks, ['authorization', Buffer.from('Bearer naïve').toString('latin1')]);
  assert.equal(bench.deps.authCaches.purge({ by: 'token', token: 'naïve' }), 1);
});

test('a token ends at its own time wherever it stands', async () => {
  const token = jwt({ exp: Math.floor(Date.now() / 1000) - 5 });
  const sent: [string[], RequestFacts][] = [
    [['authorization', `Bearer\t${token}`], {}],
    [['authorization', token], {}],
    [['x-auth-request-access-token', token], {}],
    [['cookie', `s="${token}"`], {}],
    [[], { search: `?access_token=${token}` }],
  ];
  for (const [headers, facts] of sent) {
    auth.seen.length = 0;
    const hooks = build([]);
    await pass(hooks, headers, facts);
    await pass(hooks, headers, facts);
    assert.equal(auth.seen.length, 2, JSON.stringify(headers));
  }
});

test('a preflight with a body asks the auth server like anything else', async () => {
  auth.answer = (_, response) => void response.writeHead(401).end();
  const hooks = build([], { skipPreflight: true });
  const headers = ['origin', 'https://a.test', 'access-control-request-method', 'PUT'];
  const preflight = await pass(hooks, [...headers], { method: 'OPTIONS' });
  assert.equal(preflight.status, 0);
  assert.equal(auth.seen.length, 0);
  const x = exchange({ method: 'OPTIONS', headers: [...headers], body: bodyOf('x') });
  await run(hooks, x);
  assert.equal(x.status, 401);
});

test('a cache that is closed gives nothing to a request that was still on its way to it', async () => {
  const own = openBench();
  const hooks = own.build({
    address: auth.address,
    authResponseHeaders: ['X-User'],
    cache: { ttl: '1h' },
  });
  await pass(hooks, bearer('t'));
  assert.equal(auth.seen.length, 1);
  own.close();
  auth.answer = (_, response) => void response.writeHead(403).end();
  const late = exchange({ headers: bearer('t') });
  await run(hooks, late);
  assert.notEqual(late.status, 0);
  assert.equal(header(late, 'x-user'), null);
});
