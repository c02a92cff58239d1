// Cached auth decisions with real workers: how often the auth server is asked, and when nobody is let in.

import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually, startGateway, type TestGateway } from '../support/gateway.ts';
import { type Origin, startOrigin } from '../support/origin.ts';

/** Milliseconds; 1 s in most configurations here. */
const ttl = 1_000;

let origin: Origin;
let auth: Origin;
let gateway: TestGateway | null = null;
/** Tokens the auth server refuses. */
let revoked: Set<string>;

beforeEach(async () => {
  revoked = new Set();
  origin = await startOrigin();
  auth = await startOrigin({
    answer: (request, response) => decide(request.headers.authorization, response),
  });
});
afterEach(async () => {
  await gateway?.stop();
  gateway = null;
  await Promise.all([origin.stop(), auth.stop()]);
});

describe('a stampede', { timeout: 60_000 }, () => {
  test('200 requests with one new token ask once per worker; so at expiry and after a purge', async () => {
    await start({ cache: { ttl: '1s' } }, 2);
    auth.answerWith(async (request, response) => {
      // As long as a real one takes: all 200 are there before it has answered.
      await sleep(100);
      decide(request.headers.authorization, response);
    });
    await assertStampede(200);
    await sleep(ttl + 100);
    await assertStampede(200);
    await purge({ by: 'all' });
    await assertStampede(200);
    assert.equal(origin.requests.length, 600);
  });

  test('under steady load the decision is renewed before its end, and no request waits for that', async () => {
    await start({ cache: { ttl: '1s' } }, 1);
    assert.equal(await ask('t'), 200);
    const held: (() => void)[] = [];
    auth.answerWith((_request, response) => void held.push(() => response.end()));
    const started = performance.now();
    // Nobody lets the question go: whoever waited for it would wait for ever.
    while (held.length === 0) assert.equal(await ask('t'), 200);
    assert.ok(performance.now() - started > 0.8 * ttl, 'asked too early');
    held[0]?.();
    auth.answerWith((_request, response) => void response.end());
    while (performance.now() - started < 3 * ttl) assert.equal(await ask('t'), 200);
    assert.ok(
      auth.requests.length >= 3 && auth.requests.length <= 6,
      `${auth.requests.length} calls in 3 lives`,
    );
  });

  test('1,000 requests with one token ask one worker once', async () => {
    await start({ cache: { ttl: '1m' } }, 1);
    for (let round = 0; round < 10; round += 1) assert.deepEqual(await askMany(100), { 200: 100 });
    assert.equal(auth.requests.length, 1);
  });

  test('a client that leaves does not take the others along', async () => {
    await start({ cache: { ttl: '1m' } }, 1);
    const held: (() => void)[] = [];
    auth.answerWith((_request, response) => void held.push(() => response.end()));
    const leaver = new AbortController();
    const leaving = ask('t', leaver.signal).catch(() => 'left');
    await eventually('the first question is there', () => held.length === 1);
    const others = askMany(20);
    leaver.abort();
    assert.equal(await leaving, 'left');
    // The question goes on for the others, or was asked again for them.
    await eventually('all others are answered', () => {
      for (const release of held.splice(0)) release();
      return origin.requests.length >= 20;
    });
    assert.deepEqual(await others, { 200: 20 });
    assert.ok(auth.requests.length <= 2, `${auth.requests.length} questions`);
  });
});

describe('a revocation', { timeout: 60_000 }, () => {
  test('reaches the 100 requests whose old answer is still on its way', async () => {
    await start({ cache: { ttl: '1m' } }, 2);
    const held: ServerResponse[] = [];
    auth.answerWith((_request, response) => void held.push(response));
    const asked = askMany(100);
    await eventually('a question is held', () => held.length > 0);
    // All of them are inside by now or will be asked about anew: either way none may be admitted.
    await sleep(100);
    revoked.add('t');
    auth.answerWith((request, response) => decide(request.headers.authorization, response));
    await purge({ by: 'token', token: 't' });
    for (const response of held) response.writeHead(200).end();
    assert.deepEqual(await asked, { 401: 100 });
    assert.equal(origin.requests.length, 0);
  });

  test('lets nobody in after the purge has returned, in the middle of load', async () => {
    await start({ cache: { ttl: '1m' } }, 2);
    let purgedAt = Number.POSITIVE_INFINITY;
    let going = true;
    let admittedBefore = 0;
    let admittedAfter = 0;
    let refusedAfter = 0;
    const runner = async (): Promise<void> => {
      while (going) {
        const startedAt = performance.now();
        const status = await ask('t');
        if (startedAt < purgedAt) admittedBefore += status === 200 ? 1 : 0;
        else if (status === 200) admittedAfter += 1;
        else refusedAfter += 1;
      }
    };
    const runners = Array.from({ length: 50 }, runner);
    await eventually('the token is let in', () => admittedBefore > 500);
    revoked.add('t');
    const answer = await purge({ by: 'token', token: 't' });
    purgedAt = performance.now();
    await eventually('requests came after the purge', () => refusedAfter > 200 || admittedAfter > 0);
    going = false;
    await Promise.all(runners);
    assert.deepEqual(answer, { purged: 2 });
    assert.equal(admittedAfter, 0);
  });
});

describe('an auth server that is gone', { timeout: 60_000 }, () => {
  test('known tokens live out their time, unknown ones are refused at once', async () => {
    await start({ cache: { ttl: '1s' } }, 1);
    assert.equal(await ask('known'), 200);
    const keptAt = performance.now();
    await auth.stop();
    assert.equal(await ask('unknown'), 500);
    assert.equal(await ask('known'), 200);
    const took = await eventually(
      'the known one is refused, too',
      async () => (await ask('known')) === 500,
      3_000,
    );
    assert.ok(took > 0 && performance.now() - keptAt <= ttl + 500);
    assert.match(await text('known'), /^$/);
    assert.equal(await ask('known'), 500);
  });

  test('with staleIfError old decisions serve longer, but not for ever', async () => {
    await start({ cache: { ttl: '500ms', staleIfError: '1s' }, statusOnError: 503 }, 1);
    assert.equal(await ask('known'), 200);
    const keptAt = performance.now();
    await auth.stop();
    assert.equal(await ask('unknown'), 503);
    await sleep(700);
    assert.equal(await ask('known'), 200, 'past its ttl, within staleIfError');
    await eventually('the known one is refused, too', async () => (await ask('known')) === 503, 3_000);
    const lasted = performance.now() - keptAt;
    assert.ok(lasted > 1_000 && lasted < 2_200, `lasted ${lasted} ms`);
  });

  test('answers of a failing one are never kept', async () => {
    await start({ cache: { ttl: '1m', negativeTtl: '1m' } }, 1);
    auth.answerWith((_request, response) => void response.writeHead(502).end());
    assert.equal(await ask('t'), 502);
    auth.answerWith((request, response) => decide(request.headers.authorization, response));
    assert.equal(await ask('t'), 200);
  });
});

describe('a reload', { timeout: 60_000 }, () => {
  test('makes old decisions unreachable when the options change, and keeps them otherwise', async () => {
    const guard = { cache: { ttl: '1m' } };
    await start(guard, 1);
    assert.equal(await ask('t'), 200);
    await gateway?.writeDynamic(dynamic(guard, { 'X-New': 'yes' }));
    assert.equal(await ask('t'), 200);
    assert.equal(auth.requests.length, 1, 'an unrelated change keeps the cache');
    await gateway?.writeDynamic(dynamic({ ...guard, authResponseHeaders: ['X-User-Id'] }));
    revoked.add('t');
    assert.equal(await ask('t'), 401);
    assert.equal(auth.requests.length, 2);
  });
});

async function start(guard: object, workers: number): Promise<void> {
  gateway = await startGateway({ workers, dynamic: dynamic(guard) });
}

function dynamic(guard: object, extra: Readonly<Record<string, string>> = {}): object {
  return {
    http: {
      routers: { all: { rule: 'PathPrefix(`/`)', service: 's', middlewares: ['guard', 'extra'] } },
      middlewares: {
        guard: {
          forwardAuth: { address: `${auth.url}/verify`, authRequestHeaders: ['Authorization'], ...guard },
        },
        extra: { headers: { customResponseHeaders: { 'X-Extra': 'yes', ...extra } } },
      },
      services: { s: { loadBalancer: { servers: [{ url: origin.url }] } } },
    },
  };
}

function decide(authorization: string | undefined, response: ServerResponse): void {
  const isGood = authorization !== undefined && !revoked.has(authorization.replace('Bearer ', ''));
  response.writeHead(isGood ? 200 : 401).end();
}

async function ask(token: string, signal?: AbortSignal): Promise<number> {
  const answer = await send(token, signal);
  await answer.arrayBuffer();
  return answer.status;
}

async function text(token: string): Promise<string> {
  return (await send(token)).text();
}

function send(token: string, signal?: AbortSignal): Promise<Response> {
  const headers = { Authorization: `Bearer ${token}` };
  return fetch(`${gateway?.url('web')}/x`, { headers, signal: signal ?? AbortSignal.timeout(20_000) });
}

/** Statuses of `count` requests at once, counted. */
async function askMany(count: number): Promise<Record<number, number>> {
  const statuses = await Promise.all(Array.from({ length: count }, () => ask('t')));
  const counts: Record<number, number> = {};
  for (const status of statuses) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

async function assertStampede(count: number): Promise<void> {
  const before = auth.requests.length;
  assert.deepEqual(await askMany(count), { 200: count });
  const calls = auth.requests.length - before;
  assert.ok(calls >= 1 && calls <= 2, `${calls} questions`);
}

async function purge(selector: object): Promise<unknown> {
  const answer = await fetch(`${gateway?.url('traefik')}/api/portcullis/auth-cache/purge`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(selector),
  });
  assert.equal(answer.status, 200);
  return answer.json();
}
