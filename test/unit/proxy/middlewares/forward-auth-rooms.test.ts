// The rooms of forwardAuth by themselves: keys, lifetimes, the store, coalescing.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Exchange } from '../../../../src/proxy/exchange.ts';
import type { Allow } from '../../../../src/proxy/middlewares/forward-auth/auth-answer.ts';
import { AuthRequest } from '../../../../src/proxy/middlewares/forward-auth/auth-request.ts';
import { AuthCache } from '../../../../src/proxy/middlewares/forward-auth/cache.ts';
import { CacheKey } from '../../../../src/proxy/middlewares/forward-auth/cache-key.ts';
import { Flights } from '../../../../src/proxy/middlewares/forward-auth/flight.ts';
import { lifeOf, type LifeFacts, tokenEnd } from '../../../../src/proxy/middlewares/forward-auth/lifetime.ts';
import { forwardAuthSchema } from '../../../../src/proxy/middlewares/forward-auth/options.ts';
import { Tagger } from '../../../../src/proxy/middlewares/forward-auth/tags.ts';
import { exchange, jwt } from '../../../support/forward-auth.ts';

const secret = 'ab'.repeat(32);

function keyOf(options: Record<string, unknown> = {}, scope: Record<string, string> = {}) {
  const parsed = forwardAuthSchema.parse({ address: 'http://a.test', cache: { ttl: '1m' }, ...options });
  const base = { name: 'a@file', optionsHash: 'h', address: 'http://a.test', bootSecret: secret };
  return new CacheKey({ ...base, ...scope, narrow: parsed.cache?.key ?? [] }, new AuthRequest(parsed));
}

// Few characters, among them every separator a key could be built with: collisions are likely if possible.
const tricky = fc.string({
  unit: fc.constantFrom('a', 'b', ':', '1', '2', ',', ' ', ';', '=', '/', '|'),
  maxLength: 6,
});
const names = fc.constantFrom('authorization', 'cookie', 'x-a', 'x-ab', 'x-forwarded-prefix');
const requests = fc.record({
  headers: fc.array(fc.tuple(names, tricky), { maxLength: 4 }),
  method: fc.constantFrom('GET', 'POST'),
  authority: tricky,
  path: tricky.map((text) => `/${text}`),
  search: tricky.map((text) => (text === '' ? '' : `?${text}`)),
  peer: fc.constantFrom('10.0.0.1', '10.0.0.11'),
});

test('property: two requests have one key only when the auth server sees the same question', () => {
  for (const trustForwardHeader of [undefined, false, true]) {
    const options = trustForwardHeader === undefined ? {} : { trustForwardHeader };
    const key = keyOf(options);
    const asked = new AuthRequest(
      forwardAuthSchema.parse({ address: 'http://a.test', cache: { ttl: '1m' }, ...options }),
    );
    const property = fc.property(requests, requests, (one, other) => {
      const a = exchange({ ...one, headers: one.headers.flat() });
      const b = exchange({ ...other, headers: other.headers.flat() });
      const question = (x: Exchange) => JSON.stringify([x.method, asked.headers(x), x.authority]);
      const same = question(a) === question(b);
      assert.equal(key.of(a) === key.of(b), same);
    });
    fc.assert(property, { numRuns: 2_000 });
  }
});

test('property: a narrowed key separates its parts, whatever stands in them', () => {
  const key = keyOf({ cache: { ttl: '1m', key: ['header:X-A', 'header:X-B', 'cookie:c'] } });
  const values = fc.array(fc.tuple(fc.constantFrom('x-a', 'x-b'), tricky), { maxLength: 4 });
  const property = fc.property(values, values, (one, other) => {
    const parts = (list: [string, string][]) =>
      ['x-a', 'x-b'].map((name) => list.filter(([at]) => at === name));
    const same = JSON.stringify(parts(one)) === JSON.stringify(parts(other));
    assert.equal(
      key.of(exchange({ headers: one.flat() })) === key.of(exchange({ headers: other.flat() })),
      same,
    );
  });
  fc.assert(property, { numRuns: 2_000 });
});

test('a key is 32 bytes and another one under another name, options, address or boot', () => {
  const x = exchange({ headers: ['authorization', 'Bearer t'] });
  const keys = [
    {},
    { name: 'b@file' },
    { optionsHash: 'i' },
    { address: 'http://b.test' },
    { bootSecret: 'cd'.repeat(32) },
  ];
  const all = keys.map((scope) => keyOf({}, scope).of(x));
  assert.equal(new Set(all).size, keys.length);
  assert.ok(all.every((key) => key.length === 32));
});

const facts: LifeFacts = {
  status: 200,
  headers: [],
  covers: () => true,
  tokens: [],
  hasCredentials: true,
  delay: 0,
  wallClock: 1_000_000,
};
const limits = { ttl: 10_000, negativeTtl: 2_000, staleIfError: 60_000 };

test('a life is the shortest of ttl, max-age less age and delay, Expires, and exp less a second', () => {
  const fresh = (some: Partial<LifeFacts>) => lifeOf({ ...facts, ...some }, limits).fresh;
  assert.equal(fresh({}), 10_000);
  assert.equal(fresh({ headers: ['cache-control', 'max-age=4'] }), 4_000);
  assert.equal(
    fresh({ headers: ['cache-control', 'max-age=8, s-maxage="3"', 'age', '1'], delay: 500 }),
    1_500,
  );
  assert.equal(fresh({ headers: ['cache-control', 'max-age=8', 'cache-control', 'No-Store'] }), 0);
  const expires = new Date(1_000_000 + 7_000).toUTCString();
  assert.equal(fresh({ headers: ['expires', expires] }), 7_000);
  assert.equal(fresh({ tokens: [jwt({ exp: 1_005 }), jwt({ exp: 9_999 }), 'opaque'] }), 4_000);
  assert.equal(fresh({ tokens: [jwt({ exp: 1_000 })] }), 0);
  assert.equal(fresh({ status: 401 }), 2_000);
  assert.equal(fresh({ status: 401, hasCredentials: false }), 0);
  for (const status of [100, 302, 404, 429, 500, 503]) assert.equal(fresh({ status }), 0);
});

test('staleness never passes exp and is not for those who must revalidate', () => {
  assert.equal(lifeOf(facts, limits).stale, 70_000);
  assert.equal(lifeOf({ ...facts, tokens: [jwt({ exp: 1_021 })] }, limits).stale, 20_000);
  assert.equal(lifeOf({ ...facts, headers: ['cache-control', 'must-revalidate'] }, limits).stale, 10_000);
  assert.equal(lifeOf({ ...facts, status: 401 }, limits).stale, 2_000);
});

test('anything may stand where a JWT is expected', () => {
  fc.assert(fc.property(fc.string(), (text) => void tokenEnd(`ey${text}`)));
  for (const claims of ['null', '[]', '{"exp":"1"}', '{"exp":1e999}', '{']) {
    const end = tokenEnd(`ey.${Buffer.from(claims).toString('base64url')}.s`);
    assert.ok(end === null || end === 0, claims);
  }
});

const allow: Allow = { allow: true, identity: ['x-user', 'a'], client: [], cookies: [], username: null };
const life = { fresh: 60_000, stale: 60_000, endsWithToken: false, shareable: true };

test('a million random tokens: entries stay bounded and tokens in use are found', () => {
  const tagger = new Tagger(secret);
  const cache = new AuthCache(1_000, tagger);
  const tags = tagger.tagsOf(['authorization', 'Bearer t'], []);
  const hot = Array.from({ length: 500 }, (_, i) => `hot${i}`);
  let found = 0;
  let asked = 0;
  for (let i = 0; i < 1_000_000; i++) {
    cache.put(`random${i}`, allow, life, tags);
    if (i % 20 !== 0) continue;
    const key = hot[(i / 20) % hot.length] as string;
    asked++;
    if (cache.get(key, performance.now()) === null) cache.put(key, allow, life, tags);
    else found++;
    cache.get(key, performance.now());
  }
  assert.ok(cache.size <= 1_000);
  assert.ok(found / asked >= 0.985, `${found} of ${asked}`);
});

test('no token, cookie or raw key is in what the cache holds', () => {
  const tagger = new Tagger(secret);
  const cache = new AuthCache(10, tagger);
  const sent = ['authorization', 'Bearer canary-1', 'cookie', 's=canary-2', 'x-api-key', 'canary-3'];
  const key = keyOf().of(exchange({ headers: sent }));
  cache.put(key, allow, life, tagger.tagsOf(sent, ['x-id', 'canary-4']));
  const entry = cache.get(key, performance.now());
  assert.ok(entry !== null);
  assert.doesNotMatch(JSON.stringify([key, entry]), /canary/);
  assert.notEqual(new Tagger('cd'.repeat(32)).tagsOf(sent, []), tagger.tagsOf(sent, []));
});

test('an answer older than all remembered purges counts as purged', () => {
  const tagger = new Tagger(secret);
  const cache = new AuthCache(10, tagger);
  const { generation } = cache;
  const tags = () => tagger.tagsOf(['authorization', 'Bearer mine'], []);
  assert.equal(cache.revokedSince(generation, tags), false);
  for (let i = 0; i < 1_024; i++) cache.purge({ by: 'token', token: `t${i}` });
  assert.equal(cache.revokedSince(generation, tags), false);
  cache.purge({ by: 'token', token: 'x' });
  assert.equal(cache.revokedSince(generation, tags), true);
  assert.equal(cache.revokedSince(cache.generation, tags), false);
});

test('a question has a bounded number of followers; the next one asks anew', () => {
  const flights = new Flights<number>();
  let asked = 0;
  const ask = () => {
    asked++;
    return { answer: new Promise<number>(() => {}), cancel() {} };
  };
  for (let i = 0; i < 1_001; i++) flights.join('k', ask).flight.board();
  assert.equal(asked, 1);
  flights.join('k', ask).flight.board();
  assert.equal(asked, 2);
});
