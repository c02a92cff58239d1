// The dashboard's own logic: addresses, numbers as people read them, points, walks.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ago, count, milliseconds, share } from '../../../src/dashboard/format.ts';
import { hrefOf, parsePlace } from '../../../src/dashboard/route.ts';
import { columns, merged, originOf, stepsOf, traffic } from '../../../src/dashboard/summary.ts';
import type { Point, Walk } from '../../../src/dashboard/types.ts';

const point = (at: number, more: Partial<Point> = {}): Point => ({
  at,
  requests: 0,
  clientErrors: 0,
  serverErrors: 0,
  p50: null,
  p95: null,
  p99: null,
  authHits: 0,
  authMisses: 0,
  ...more,
});

test('an address leads to its place and back, whatever is in a name', () => {
  for (const id of ['a@file', 'a/b@docker', 'ü ?#&%@file', '../x']) {
    const place = parsePlace(hrefOf('routers', id, { search: 'a&b=c', status: '' }));
    assert.deepEqual(place, { page: 'routers', id, query: { search: 'a&b=c' } });
  }
  assert.deepEqual(parsePlace(''), { page: 'overview', id: '', query: {} });
  assert.deepEqual(parsePlace('#/routers/%E0%A4%A'), { page: 'routers', id: '%E0%A4%A', query: {} });
});

test('numbers are short, and shares never pretend', () => {
  assert.deepEqual([0, 7, 3.25, 9_999, 12_300, 4_200_000].map(count), [
    '0',
    '7',
    '3.3',
    '9999',
    '12.3k',
    '4.2M',
  ]);
  assert.deepEqual([null, 0.84, 12.4, 1400].map(milliseconds), ['–', '0.8 ms', '12 ms', '1.4 s']);
  assert.equal(share(0, 0), '–');
  assert.equal(share(100, 100), '100 %');
  assert.equal(share(99_999, 100_000), '99.9 %');
  assert.equal(share(1, 100_000), '<0.1 %');
  assert.equal(ago(1_000, 61_000), '1 min ago');
  assert.equal(ago(5 * 86_400_000, 0), 'in 5 d');
});

test('points stay in order, each second once, and never more than five minutes', () => {
  const old = Array.from({ length: 300 }, (_, i) => point(i + 1));
  const now = merged(old, [point(300, { requests: 5 }), point(301)]);
  assert.equal(now.length, 300);
  assert.deepEqual([now[0]?.at, now.at(-1)?.at, now.at(-2)?.requests], [2, 301, 5]);
  assert.equal(merged(old, []), old);
});

test('a hole in time is a hole in the line', () => {
  const data = columns([point(1, { p50: 3 }), point(2), point(9)], [({ p50 }) => p50]);
  assert.deepEqual(data, [
    [1, 2, 3, 9],
    [3, null, null, null],
  ]);
});

test('traffic is a rate over ten seconds and sums over all', () => {
  const points = Array.from({ length: 20 }, (_, i) =>
    point(i, { requests: i < 10 ? 100 : 2, serverErrors: 1, authHits: 3, authMisses: 1, p50: i }),
  );
  const { perSecond, p50, serverErrors, authHits, authAsked } = traffic(points);
  assert.deepEqual([perSecond, p50, serverErrors, authHits, authAsked], [2, 19, 20, 60, 80]);
  assert.equal(traffic([]).perSecond, 0);
});

test('a walk has its columns in the order a request takes them, and says what is wrong where', () => {
  const walk: Walk = {
    router: {
      name: 'r@file',
      rule: 'Host(`a`)',
      priorityStr: '9',
      status: 'disabled',
      error: ['no such middleware'],
    },
    entryPoints: [{ name: 'web', address: ':80', engine: 'uws', side: 'cleartext' }],
    middlewares: [{ name: 'auth@file', status: 'enabled', type: 'forwardauth' }, { name: 'gone@file' }],
    services: [
      { name: 'top@file', status: 'enabled', type: 'weighted' },
      {
        name: 'low@file',
        status: 'enabled',
        type: 'loadbalancer',
        loadBalancer: { servers: [{ url: 'http://s:1/base' }, { url: 'http://t:1' }] },
        serverStatus: { 'http://s:1': 'DOWN', 'http://t:1': 'UP' },
      },
    ],
    children: { 'top@file': ['low@file', 'low@file'], 'low@file': [] },
  };
  const shown = stepsOf(walk).map((column) => column.map(({ kind, status }) => `${kind} ${status}`));
  assert.deepEqual(shown, [
    ['entry point enabled'],
    ['rule disabled'],
    ['middleware enabled'],
    ['middleware missing'],
    ['service enabled'],
    ['service enabled'],
    ['server down', 'server enabled'],
  ]);
});

test('services that lead to each other do not go on for ever', () => {
  const walk: Walk = {
    router: { name: 'r@file' },
    entryPoints: [],
    middlewares: [],
    services: [{ name: 'a@file' }, { name: 'b@file' }],
    children: { 'a@file': ['b@file'], 'b@file': ['a@file'] },
  };
  assert.equal(stepsOf(walk).length, 3);
  assert.equal(originOf('https://x:1/y?z'), 'https://x:1');
});
