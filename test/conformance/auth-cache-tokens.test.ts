// Tokens in every place a client may put one: none outlives its own end in the cache, and a purge finds each.

import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import type { Hooks } from '../../src/proxy/hooks.ts';
import {
  type AuthServer,
  type Bench,
  bearer,
  header,
  jwt,
  openBench,
  pass,
  type RequestFacts,
  startAuthServer,
} from '../support/forward-auth.ts';

type Carried = readonly [headers: string[], facts: RequestFacts];

let auth: AuthServer;
let bench: Bench;
let builds = 0;

before(async () => {
  auth = await startAuthServer((_, response) => void response.end());
  bench = openBench();
});
beforeEach(() => {
  auth.seen.length = 0;
});
after(async () => {
  bench.close();
  await auth.close();
});

function build(): Hooks {
  const all = { address: auth.address, cache: { ttl: '1h', staleIfError: '1h' } };
  return bench.build(all, `tokens${builds++}@file`);
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

function everyPlace(token: string): Record<string, Carried> {
  return {
    bearer: [bearer(token), {}],
    'without a scheme': [['authorization', token], {}],
    'another scheme': [['authorization', `DPoP ${token}`], {}],
    'a second Authorization': [[...bearer('opaque'), ...bearer(token)], {}],
    'password of Basic': [['authorization', `Basic ${base64(`git:${token}`)}`], {}],
    'name of Basic': [['authorization', `basic  ${base64(`${token}:x-oauth`)}`], {}],
    cookie: [['cookie', `a=1; session=${token}; b=2`], {}],
    'quoted cookie': [['cookie', `session="${token}"`], {}],
    'a header of its own': [['x-access-token', token], {}],
    'a header of its own, with a scheme': [['x-access-token', `Bearer ${token}`], {}],
    subprotocol: [['sec-websocket-protocol', token], {}],
    'one of two subprotocols': [['sec-websocket-protocol', `bearer, ${token}`], {}],
    'the first of three subprotocols': [['sec-websocket-protocol', `${token} ,chat,v2`], {}],
    query: [[], { search: `?a=1&access_token=${token}` }],
    'escaped query': [[], { search: `?access_token=${token.replaceAll('.', '%2e')}` }],
  };
}

async function asksOf({ 0: headers, 1: facts }: Carried, times = 3): Promise<number> {
  const hooks = build();
  auth.seen.length = 0;
  for (let i = 0; i < times; i++) await pass(hooks, [...headers], facts);
  return auth.seen.length;
}

test('a token that has ended is asked about each time, wherever it stands', async () => {
  const ended = everyPlace(jwt({ exp: Math.floor(Date.now() / 1000) - 5 }));
  const lasting = everyPlace(jwt({ exp: Math.floor(Date.now() / 1000) + 3600 }));
  for (const [place, carried] of Object.entries(ended)) assert.equal(await asksOf(carried), 3, place);
  for (const [place, carried] of Object.entries(lasting)) assert.equal(await asksOf(carried), 1, place);
});

test('a purge by token finds it wherever it stands, and leaves the others', async () => {
  const token = jwt({ sub: 'someone' });
  for (const [place, [headers, facts]] of Object.entries(everyPlace(token))) {
    const hooks = build();
    await pass(hooks, [...headers], facts);
    await pass(hooks, bearer('of somebody else'));
    assert.equal(bench.deps.authCaches.purge({ by: 'token', token }), 1, place);
    auth.seen.length = 0;
    await pass(hooks, bearer('of somebody else'));
    assert.equal(auth.seen.length, 0, place);
    await pass(hooks, [...headers], facts);
    assert.equal(auth.seen.length, 1, place);
    bench.deps.authCaches.purge({ by: 'all' });
  }
});

test('white space in the head of a token hides its end from nobody', async () => {
  const exp = Math.floor(Date.now() / 1000) - 5;
  const payload = Buffer.from(JSON.stringify({ exp })).toString('base64url');
  for (const head of ['{"alg":"none"}', '{\n  "alg": "none"\n}', '{\t"alg":"none"}', '{ "alg":"none"}']) {
    const token = `${Buffer.from(head).toString('base64url')}.${payload}.c2ln`;
    assert.equal(await asksOf([bearer(token), {}]), 3, JSON.stringify(head));
  }
});

test('a token too long to be looked into is not kept at all', async () => {
  const exp = Math.floor(Date.now() / 1000) - 5;
  for (const size of [8_000, 12_000, 12_500, 40_000]) {
    const token = jwt({ roles: 'r'.repeat(size), exp });
    assert.equal(await asksOf([bearer(token), {}]), 3, `${token.length}`);
  }
  // What is no token at all may be as long as it likes.
  assert.equal(await asksOf([bearer('o'.repeat(40_000)), {}]), 1);
});

test('tokens around every length stay apart, whatever part of them is the same', async () => {
  const hooks = build();
  let asked = 0;
  for (const length of [55, 56, 63, 64, 65, 127, 128, 4_095, 4_096, 8_191, 8_192, 16_383, 16_384, 60_000]) {
    const stem = 'x'.repeat(length - 1);
    for (const token of [`${stem}a`, `${stem}b`, `a${stem}`, `${stem}aa`]) {
      await pass(hooks, bearer(token));
      assert.equal(auth.seen.length, ++asked, `${length}`);
    }
    await pass(hooks, bearer(`${stem}a`));
    assert.equal(auth.seen.length, asked);
  }
});

test('who shows nothing that a narrowed key holds gets nobody’s decision, wherever that one showed his token', async () => {
  auth.answer = (call, response) => {
    const { cookie, 'x-session-token': own, 'sec-websocket-protocol': sub } = call.headers;
    const uri = String(call.headers['x-forwarded-uri']);
    const cert = call.headers['x-forwarded-tls-client-cert'];
    const shown = [cookie, own, sub, cert, uri].some((text) => text?.includes('bob') === true);
    if (shown) response.setHeader('x-user', 'bob');
    response.writeHead(shown ? 200 : 401).end();
  };
  const bobs: Carried[] = [
    [['cookie', 'sid=bob'], {}],
    [['x-session-token', 'bob'], {}],
    [['sec-websocket-protocol', 'bearer, bob'], {}],
    [['x-forwarded-tls-client-cert', 'bob'], {}],
    [[], { search: '?access_token=bob' }],
  ];
  for (const key of [
    ['header:Authorization'],
    ['header:Authorization', 'path', 'method', 'ip'],
    ['cookie:s', 'host'],
  ]) {
    for (const [headers, facts] of bobs) {
      const cache = { ttl: '1h', key };
      const hooks = bench.build(
        { address: auth.address, authResponseHeaders: ['X-User'], cache },
        `narrow${builds++}@file`,
      );
      const what = JSON.stringify([key, headers, facts]);
      assert.equal(header(await pass(hooks, [...headers], { search: '', ...facts }), 'x-user'), 'bob', what);
      const stranger = await pass(hooks, [], { search: '' });
      assert.deepEqual([stranger.status, header(stranger, 'x-user')], [401, null], what);
    }
  }
});
