// rateLimit on real Exchanges: who is counted as whom, who waits, who is refused and what they are told.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Exchange } from '../../../../src/proxy/exchange.ts';
import { ANSWERED, CONTINUE, type Hooks, type Verdict } from '../../../../src/proxy/hooks.ts';
import { getHeader } from '../../../../src/proxy/headers.ts';
import type { BuildDeps } from '../../../../src/proxy/middlewares/define.ts';
import { rateLimit } from '../../../../src/proxy/middlewares/rate-limit.ts';
import { DelayRoom } from '../../../../src/proxy/middlewares/rate-limit/delay-room.ts';
import { goDuration } from '../../../../src/proxy/middlewares/rate-limit/texts.ts';
import { MemoryState } from '../../../../src/state/memory.ts';
import { type State, StateClosed } from '../../../../src/state/state.ts';
import { exchange } from './workbench.ts';

interface Bench {
  readonly hooks: Hooks;
  readonly warnings: readonly string[];
  readonly clock: { at: number };
  readonly room: DelayRoom;
  request(x: Exchange): Verdict | Promise<Verdict>;
}

function bench(t: TestContext, options: object, over: { state?: State; room?: DelayRoom } = {}): Bench {
  const clock = { at: 0 };
  const memory = new MemoryState({ now: () => clock.at });
  t.after(() => memory.close());
  const warnings: string[] = [];
  const room = over.room ?? new DelayRoom();
  const deps = {
    name: 'limit@file',
    router: 'api@file',
    slot: () => 0,
    keep: (key: string, create: () => unknown) => (key === 'rateLimit.delays' ? room : create()),
    state: over.state ?? memory,
    log: { warn: (text: string) => warnings.push(text), error: (text: string) => warnings.push(text) },
  } as unknown as BuildDeps;
  const hooks = rateLimit.build(rateLimit.schema.parse(options), deps);
  return { hooks, warnings, clock, room, request: (x) => hooks.request?.(x) ?? CONTINUE };
}

test('the first pass, the rest is refused with 429 and told when to come back', (t) => {
  const { request, hooks } = bench(t, { average: 1, period: '1m', burst: 2 });
  assert.equal(request(exchange()), CONTINUE);
  assert.equal(request(exchange()), CONTINUE);
  const x = exchange();
  assert.equal(request(x), ANSWERED);
  assert.equal(x.status, 429);
  assert.equal(x.answerBody, 'Too Many Requests');
  assert.deepEqual(x.responseHeaders, [
    'retry-after',
    '60',
    'x-retry-in',
    '1m0s',
    'ratelimit-policy',
    '"limit";q=1;w=60',
    'ratelimit',
    '"limit";r=0;t=120',
  ]);
  void hooks.response?.(x);
  assert.equal(x.responseHeaders.length, 8, 'its own hook adds nothing to its own answer');
});

test('who passes is told what is left', (t) => {
  const { request, hooks } = bench(t, { average: 10, burst: 20 });
  const x = exchange();
  assert.equal(request(x), CONTINUE);
  void hooks.response?.(x);
  assert.equal(getHeader(x.responseHeaders, 'ratelimit-policy'), '"limit";q=10;w=1');
  assert.equal(getHeader(x.responseHeaders, 'ratelimit'), '"limit";r=19;t=1');
});

test('who comes a little too early waits for the token', async (t) => {
  const { request, room } = bench(t, { average: 20, burst: 1 });
  // 20 a second: a wait of up to 25 ms.
  const { hooks } = bench(t, {});
  assert.equal(hooks.request, undefined);
  assert.equal(request(exchange()), CONTINUE);
  const refused = exchange();
  assert.equal(request(refused), ANSWERED, 'fifty milliseconds are too many');
  const slow = bench(t, { average: 20, burst: 1 });
  assert.equal(slow.request(exchange()), CONTINUE);
  slow.clock.at = 30;
  const waiting = exchange();
  const started = performance.now();
  const verdict = slow.request(waiting);
  assert.ok(verdict instanceof Promise);
  assert.equal(slow.room.waiting, 1);
  assert.equal(await verdict, CONTINUE);
  assert.ok(performance.now() - started >= 19);
  assert.equal(slow.room.waiting, 0);
  assert.equal(waiting.running, null);
  assert.equal(room.waiting, 0);
});

test('below one a second the wait may be half a second', (t) => {
  const { request, clock } = bench(t, { average: 1, period: 2 });
  void request(exchange());
  clock.at = 1490;
  assert.equal(request(exchange()), ANSWERED);
  clock.at = 1501;
  const x = exchange();
  const verdict = request(x);
  assert.ok(verdict instanceof Promise);
  x.running?.cancel();
});

test('a client that goes while it waits frees its place at once', async (t) => {
  const { request, room, clock } = bench(t, { average: 1, period: 2 });
  void request(exchange());
  clock.at = 1600;
  const x = exchange();
  const verdict = request(x);
  assert.equal(room.waiting, 1);
  x.running?.cancel();
  assert.equal(room.waiting, 0);
  await verdict;
});

test('with no place left to wait the request is refused', (t) => {
  const { request, clock } = bench(t, { average: 1, period: 2 }, { room: new DelayRoom(0) });
  void request(exchange());
  clock.at = 1600;
  const x = exchange();
  assert.equal(request(x), ANSWERED);
  assert.equal(x.status, 429);
});

test('an average of 0 limits nothing, and a negative period or average is refused', (t) => {
  assert.equal(bench(t, { average: 0, burst: 1 }).hooks.request, undefined);
  assert.throws(() => rateLimit.schema.parse({ average: 1, period: '-1s' }), /0 or more/);
  assert.throws(() => rateLimit.schema.parse({ average: -1 }), /0 or more/);
});

test('a period of 0 is a second and a burst below 1 is 1', (t) => {
  const { request } = bench(t, { average: 1, period: 0, burst: 0 });
  assert.equal(request(exchange()), CONTINUE);
  const x = exchange();
  assert.equal(request(x), ANSWERED);
  assert.equal(getHeader(x.responseHeaders, 'x-retry-in'), '1s');
});

const sources: readonly [criterion: object | undefined, a: object, b: object, same: boolean][] = [
  [undefined, { peer: '192.0.2.1' }, { peer: '192.0.2.2' }, false],
  [undefined, { authority: 'a.test' }, { authority: 'b.test' }, true],
  [{ requestHost: true }, { authority: 'a.test' }, { authority: 'b.test' }, false],
  [{ requestHost: 'true' }, { authority: 'a.test:80' }, { authority: 'A.test' }, true],
  [
    { requestHeaderName: 'X-Api-Key' },
    { headers: ['x-api-key', 'a'] },
    { headers: ['x-api-key', 'b'] },
    false,
  ],
  [
    { requestHeaderName: 'x-API-key' },
    { headers: ['x-api-key', 'a'] },
    { headers: ['x-api-key', 'a'] },
    true,
  ],
  [
    { requestHeaderName: 'X-Api-Key' },
    { headers: [], peer: '192.0.2.1' },
    { headers: [], peer: '192.0.2.2' },
    true,
  ],
  [{ requestHeaderName: 'Host' }, { authority: 'a.test' }, { authority: 'b.test' }, false],
  [
    { ipStrategy: { depth: 1 } },
    { headers: ['x-forwarded-for', '1.1.1.1, 2.2.2.2'] },
    { headers: ['x-forwarded-for', '1.1.1.2, 2.2.2.2'] },
    true,
  ],
  [
    { ipStrategy: { depth: 2 } },
    { headers: ['x-forwarded-for', '1.1.1.1, 2.2.2.2'] },
    { headers: ['x-forwarded-for', '1.1.1.2, 2.2.2.2'] },
    false,
  ],
  [
    { ipStrategy: { excludedIPs: '2.2.2.2' } },
    { headers: ['x-forwarded-for', '1.1.1.1, 2.2.2.2'] },
    { headers: ['x-forwarded-for', '1.1.1.1'] },
    true,
  ],
  [{ ipStrategy: { ipv6Subnet: 64 } }, { peer: '2001:db8::1' }, { peer: '2001:db8::2' }, true],
  [{ ipStrategy: { ipv6Subnet: 64 } }, { peer: '2001:db8::1' }, { peer: '2001:db8:0:1::1' }, false],
];
for (const [sourceCriterion, a, b, same] of sources) {
  const words = `${JSON.stringify(a)} and ${JSON.stringify(b)}`;
  test(`${JSON.stringify(sourceCriterion)}: ${words} are ${same ? 'one source' : 'two sources'}`, (t) => {
    const { request } = bench(t, { average: 1, period: '1m', ...(sourceCriterion && { sourceCriterion }) });
    assert.equal(request(exchange(a)), CONTINUE);
    assert.equal(request(exchange(b)), same ? ANSWERED : CONTINUE);
  });
}

test('two criteria at once are refused', () => {
  const both = { requestHost: true, requestHeaderName: 'X' };
  assert.throws(() => rateLimit.schema.parse({ average: 1, sourceCriterion: both }), /mutually exclusive/);
  const ip = { requestHost: true, ipStrategy: { depth: 1 } };
  assert.throws(() => rateLimit.schema.parse({ average: 1, sourceCriterion: ip }), /mutually exclusive/);
});

test('a long header value counts like any other and is not kept', (t) => {
  const keys: string[] = [];
  const memory = new MemoryState();
  t.after(() => memory.close());
  const state = {
    take(spec: Parameters<State['take']>[0], key: string) {
      keys.push(key);
      return memory.take(spec, key);
    },
  } as unknown as State;
  const criterion = { requestHeaderName: 'Authorization' };
  const { request } = bench(t, { average: 1, period: '1m', sourceCriterion: criterion }, { state });
  const headers = (): string[] => ['authorization', 'x'.repeat(8000)];
  assert.equal(request(exchange({ headers: headers() })), CONTINUE);
  assert.equal(request(exchange({ headers: headers() })), ANSWERED);
  assert.ok(keys.every((key) => key.length <= 128));
});

test('a state that cannot be reached answers 500 and is mentioned once', async (t) => {
  const state = { take: () => Promise.reject(new Error('gone')) } as unknown as State;
  const { request, warnings } = bench(t, { average: 1 }, { state });
  for (let i = 0; i < 3; i++) {
    const x = exchange();
    assert.equal(await request(x), ANSWERED);
    assert.equal(x.status, 500);
    assert.equal(x.answerBody, 'Could not insert/update bucket\n');
  }
  assert.equal(warnings.length, 1);
});

test('a Redis of its own is one connection for all limits that say the same, and one bucket for all routers', (t) => {
  const memory = new MemoryState();
  t.after(() => memory.close());
  const asked: unknown[] = [];
  const spaces: string[] = [];
  const state: State = {
    take(bucket, key) {
      spaces.push(bucket.space);
      return memory.take(bucket, key);
    },
    enter: () => true,
    leave: () => {},
    elsewhere(settings, budget) {
      asked.push([settings, budget]);
      return state;
    },
    close: () => {},
  };
  const redis = { endpoints: ['[::1]:7000', 'r'], password: 'p', readTimeout: '20ms', poolSize: 10 };
  const { request } = bench(t, { average: 1, redis }, { state });
  assert.equal(request(exchange()), CONTINUE);
  assert.deepEqual(asked, [
    [
      {
        endpoints: [
          { host: '::1', port: 7000 },
          { host: 'r', port: 6379 },
        ],
        username: null,
        password: 'p',
        db: 0,
        tls: null,
        sentinel: null,
        cluster: true,
        keyPrefix: 'portcullis',
      },
      20,
    ],
  ]);
  assert.doesNotMatch(spaces[0] ?? '', /api@file/);
  const refused: readonly (readonly [object, RegExp])[] = [
    [{ endpoints: ['redis://:secret@r:6379'] }, /^Error: redis.endpoints: expected `host:port`$/],
    [{ endpoints: ['r:99999'] }, /endpoints/],
    [{ endpoints: [] }, /endpoints/],
    [{ endpoints: ['a', 'b'], db: 1 }, /cluster/],
    [{ username: 'me' }, /password/],
    [{ tls: { cert: 'c' } }, /key/],
  ];
  for (const [wrong, why] of refused)
    assert.throws(() => bench(t, { average: 1, redis: wrong }, { state }), why, JSON.stringify(wrong));
  assert.throws(() => rateLimit.schema.parse({ mode: 'lazy' }), /strict or leased/);
});

test('while the shared state is away and closed, requests get 503', async (t) => {
  const state: State = {
    take: () => Promise.reject(new StateClosed('away')),
    enter: () => false,
    leave: () => {},
    close: () => {},
  };
  const { request, warnings } = bench(t, { average: 1 }, { state });
  const x = exchange();
  assert.equal(await request(x), ANSWERED);
  assert.equal(x.status, 503);
  assert.deepEqual(warnings, []);
});

test('durations are printed as Go prints them', () => {
  const cases: readonly [number, string][] = [
    [0, '0s'],
    [0.000001, '1ns'],
    [0.0015, '1.5µs'],
    [1, '1ms'],
    [999.5, '999.5ms'],
    [1500, '1.5s'],
    [60_000, '1m0s'],
    [3_661_500, '1h1m1.5s'],
  ];
  for (const [ms, text] of cases) assert.equal(goDuration(ms), text);
});
