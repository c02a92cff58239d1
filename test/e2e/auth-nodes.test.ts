// Auth decisions over two nodes with two workers each: shared through Redis, purged everywhere, kept from its readers.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { eventually, type TestGateway } from '../support/gateway.ts';
import { type Origin, startOrigin, waitFor } from '../support/origin.ts';
import { missingRedis } from '../support/redis-server.ts';
import { startTwoNodes, type TwoNodes, type TwoNodesOptions } from '../support/two-nodes.ts';

const skip = missingRedis;

interface Setup extends TwoNodes {
  readonly auth: Origin;
  readonly origin: Origin;
  /** Tokens that are let in, and as whom. */
  readonly users: Map<string, string>;
}

async function setUp(
  context: TestContext,
  cache: object = {},
  options: Omit<TwoNodesOptions, 'dynamic'> = {},
): Promise<Setup> {
  const users = new Map<string, string>();
  const origin = await startOrigin({
    answer: (request, response) => void response.end(String(request.headers['x-user-id'] ?? 'nobody')),
  });
  const auth = await startOrigin({
    answer(request, response) {
      const user = users.get(request.headers.authorization ?? '');
      if (user === undefined) response.statusCode = 401;
      else response.setHeader('X-User-Id', user);
      response.end();
    },
  });
  context.after(async () => {
    await origin.stop();
    await auth.stop();
  });
  const forwardAuth = {
    address: auth.url,
    authRequestHeaders: ['Authorization'],
    authResponseHeaders: ['X-User-Id'],
    cache: { ttl: '60s', key: ['header:Authorization'], shared: true, ...cache },
  };
  const dynamic = {
    http: {
      routers: { app: { rule: 'PathPrefix(`/`)', service: 'app', middlewares: ['auth'] } },
      middlewares: { auth: { forwardAuth } },
      services: { app: { loadBalancer: { servers: [{ url: origin.url }] } } },
    },
  };
  const nodes = await startTwoNodes(context, { dynamic, ...options });
  return { ...nodes, auth, origin, users };
}

/** Each on a connection of its own, so that any worker may get it. */
async function get(node: TestGateway, token: string, path = '/'): Promise<string> {
  const headers = { authorization: token, connection: 'close' };
  const response = await fetch(`${node.url('web')}${path}`, { headers });
  const text = await response.text();
  return response.status === 200 ? text : String(response.status);
}

async function everywhere(nodes: readonly TestGateway[], token: string, times = 6): Promise<string[]> {
  const answers = nodes.flatMap((node) => Array.from({ length: times }, () => get(node, token)));
  return [...new Set(await Promise.all(answers))];
}

function purge(node: TestGateway, selector: object): Promise<Response> {
  return fetch(`${node.url('traefik')}/api/portcullis/auth-cache/purge`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(selector),
  });
}

/** Other tests and redis-cli share these processors: one slow look says nothing. */
function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.POSITIVE_INFINITY;
}

/** Milliseconds until no worker of the nodes says anything but 401. */
async function untilRefused(nodes: readonly TestGateway[], token: string, since: number): Promise<number> {
  for (;;) {
    const asked = performance.now();
    const answers = await everywhere(nodes, token, 4);
    if (answers.length === 1 && answers[0] === '401') return asked - since;
    if (performance.now() - since > 10_000) throw new Error(`still ${answers.join(' ')}`);
  }
}

test('what one node was told, the other knows, and no reader of Redis does', { skip }, async (context) => {
  const { redis, a, b, auth, users } = await setUp(context);
  users.set('Bearer canary-token-17', 'canary-user-17');
  assert.equal(await get(a, 'Bearer canary-token-17'), 'canary-user-17');
  await eventually('it is shared', async () => (await redis.cli('HLEN', 'portcullis:{auth}:texts')) === '1');
  assert.deepEqual(await everywhere([a, b], 'Bearer canary-token-17'), ['canary-user-17']);
  assert.equal(auth.requests.length, 1);
  const [keys, texts] = await Promise.all([
    redis.cli('KEYS', '*'),
    redis.cli('HGETALL', 'portcullis:{auth}:texts'),
  ]);
  assert.ok(!/canary/.test(keys + texts + a.logs() + b.logs()));
  const [, sealed = ''] = texts.split('\n');
  assert.ok(!Buffer.from(sealed.slice(sealed.indexOf(' ') + 1), 'base64').includes('canary'));
});

test('what strangers can fill is not shared, nor what may not be kept', { skip }, async (context) => {
  const { redis, a, b, auth, users } = await setUp(context, { negativeTtl: '60s' });
  assert.equal(await get(a, 'Bearer wrong'), '401');
  users.set('Bearer private', 'p');
  auth.answerWith((_request, response) => {
    response.setHeader('cache-control', 'no-store');
    response.setHeader('x-user-id', 'p');
    response.end();
  });
  assert.equal(await get(a, 'Bearer private'), 'p');
  auth.answerWith((_request, response) => {
    response.setHeader('set-cookie', 'a=b');
    response.end();
  });
  assert.equal(await get(a, 'Bearer cookie'), 'nobody');
  const before = auth.requests.length;
  assert.equal(await get(b, 'Bearer private'), 'nobody');
  assert.equal(auth.requests.length, before + 1);
  assert.equal(await redis.cli('HLEN', 'portcullis:{auth}:texts'), '0');
});

test('who writes to Redis makes no identity: a changed or moved decision is none', {
  skip,
}, async (context) => {
  const { redis, a, b, auth, users } = await setUp(context);
  const texts = 'portcullis:{auth}:texts';
  users.set('Bearer one', 'one');
  users.set('Bearer two', 'two');
  await get(a, 'Bearer one');
  await eventually('it is shared', async () => (await redis.cli('HLEN', texts)) === '1');
  const [first = '', value = ''] = (await redis.cli('HGETALL', texts)).split('\n');
  await get(a, 'Bearer two');
  await eventually('it is shared', async () => (await redis.cli('HLEN', texts)) === '2');
  const names = (await redis.cli('HKEYS', texts)).split('\n');
  const second = names.find((name) => name !== first) ?? '';
  // One user's decision in the place of another's, and a bit changed in the first.
  await redis.cli('HSET', texts, second, value);
  const flipped = `${value.slice(0, -8)}${value.at(-8) === 'A' ? 'B' : 'A'}${value.slice(-7)}`;
  await redis.cli('HSET', texts, first, flipped);
  const asked = auth.requests.length;
  assert.equal(await get(b, 'Bearer two'), 'two');
  assert.equal(await get(b, 'Bearer one'), 'one');
  assert.equal(auth.requests.length, asked + 2);
});

test('a purge on one node holds on both before 100 ms are over', { skip }, async (context) => {
  const { a, b, users } = await setUp(context);
  const times: string[] = [];
  const taken: number[] = [];
  for (const [at, by] of ['token', 'header', 'all', 'token', 'header'].entries()) {
    const token = `tok-${at}`;
    users.set(`Bearer ${token}`, `user-${at}`);
    assert.deepEqual(await everywhere([a, b], `Bearer ${token}`), [`user-${at}`]);
    users.delete(`Bearer ${token}`);
    assert.deepEqual(await everywhere([a, b], `Bearer ${token}`), [`user-${at}`]);
    const selector =
      by === 'token'
        ? { by, token }
        : by === 'header'
          ? { by, name: 'X-User-Id', value: `user-${at}` }
          : { by };
    const since = performance.now();
    assert.equal((await purge(a, selector)).status, 200);
    const ms = await untilRefused([a, b], `Bearer ${token}`, since);
    times.push(`${by} ${ms.toFixed(0)}`);
    taken.push(ms);
  }
  context.diagnostic(`milliseconds: ${times.join(', ')}`);
  assert.ok(median(taken) < 100);
});

test('an auth server that publishes a logout is heard by all nodes, and the shared level forgets, too', {
  skip,
}, async (context) => {
  const { redis, a, b, users, auth } = await setUp(context);
  users.set('Bearer kept', 'kept');
  await everywhere([a, b], 'Bearer kept');
  const taken: number[] = [];
  for (let i = 0; i < 5; i++) {
    users.set(`Bearer t${i}`, `u${i}`);
    assert.deepEqual(await everywhere([a, b], `Bearer t${i}`), [`u${i}`]);
    users.delete(`Bearer t${i}`);
    const message = JSON.stringify({ by: 'header', name: 'X-User-Id', value: `u${i}` });
    const since = performance.now();
    assert.equal(await redis.cli('PUBLISH', 'portcullis:purge', message), '2');
    const ms = await untilRefused([a, b], `Bearer t${i}`, since);
    taken.push(ms);
  }
  context.diagnostic(`milliseconds, redis-cli included: ${taken.map((ms) => ms.toFixed(0)).join(' ')}`);
  assert.ok(median(taken) < 100);
  // Others' decisions stand.
  const asked = auth.requests.length;
  assert.deepEqual(await everywhere([a, b], 'Bearer kept'), ['kept']);
  assert.equal(auth.requests.length, asked);
  // Nonsense is not obeyed; what may be a purge and cannot be read is taken for all.
  await redis.cli('PUBLISH', 'portcullis:purge', 'no JSON');
  await a.waitForLog(/cannot be read/);
  assert.deepEqual(await everywhere([a, b], 'Bearer kept'), ['kept']);
  assert.equal(auth.requests.length, asked);
  await redis.cli('PUBLISH', 'portcullis:purge', '{"by":"tokens"}');
  await waitFor('the decision is asked for anew', async () => {
    await everywhere([a, b], 'Bearer kept');
    return auth.requests.length > asked;
  });
});

test('an answer that a purge on another node has overtaken is neither kept nor shared', {
  skip,
}, async (context) => {
  const { a, b, auth, users } = await setUp(context);
  let release = (): void => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  users.set('Bearer slow', 'slow');
  let asked = 0;
  auth.answerWith(async (request, response) => {
    const user = users.get(request.headers.authorization ?? '');
    asked += 1;
    if (asked === 1) await held;
    if (user === undefined) response.statusCode = 401;
    else response.setHeader('X-User-Id', user);
    response.end();
  });
  const first = get(a, 'Bearer slow');
  await waitFor('the question', () => asked === 1);
  assert.equal((await purge(b, { by: 'token', token: 'slow' })).status, 200);
  users.delete('Bearer slow');
  await new Promise((resolve) => setTimeout(resolve, 100));
  release();
  assert.equal(await first, '401');
  assert.deepEqual(await everywhere([a, b], 'Bearer slow'), ['401']);
});

test('a node that was cut off from Redis serves nothing that was purged meanwhile', {
  skip,
}, async (context) => {
  const { a, b, wire, users } = await setUp(context, {}, { wired: true });
  users.set('Bearer gone', 'gone');
  assert.deepEqual(await everywhere([a, b], 'Bearer gone'), ['gone']);
  wire?.cut();
  await b.waitForLog(/Redis is not reachable|not reachable|unreachable/i);
  users.delete('Bearer gone');
  assert.equal((await purge(a, { by: 'token', token: 'gone' })).status, 200);
  assert.equal(await get(a, 'Bearer gone'), '401');
  // It cannot know, and goes on until the decision ends.
  assert.ok((await everywhere([b], 'Bearer gone', 16)).includes('gone'));
  wire?.mend();
  await b.waitForLog(/purges of other nodes may have been missed/);
  assert.ok((await untilRefused([b], 'Bearer gone', performance.now())) < 100);
  // Nothing was missed from here on.
  users.set('Bearer new', 'new');
  await everywhere([a, b], 'Bearer new');
  const purged = await purge(b, { by: 'token', token: 'new' });
  assert.equal(purged.status, 200);
});

test('without Redis each worker asks for itself, and a purge says that others may not have heard', {
  skip,
}, async (context) => {
  const { redis, a, b, users } = await setUp(context, {}, { state: { onError: 'closed' } });
  users.set('Bearer x', 'x');
  await redis.kill();
  assert.deepEqual(await everywhere([a, b], 'Bearer x'), ['x']);
  users.delete('Bearer x');
  const answer = await purge(a, { by: 'all' });
  assert.equal(answer.status, 503);
  assert.match(await answer.text(), /others may not have heard/);
  // Here it holds all the same.
  assert.deepEqual(await everywhere([a], 'Bearer x'), ['401']);
});

test('a Redis that stalls costs a question its budget, not its answer', { skip }, async (context) => {
  const { redis, a, users } = await setUp(context);
  users.set('Bearer before', 'before');
  await get(a, 'Bearer before');
  redis.pause();
  context.after(() => redis.resume());
  const times: number[] = [];
  for (let i = 0; i < 8; i++) {
    users.set(`Bearer s${i}`, `s${i}`);
    const started = performance.now();
    assert.equal(await get(a, `Bearer s${i}`), `s${i}`);
    times.push(performance.now() - started);
  }
  context.diagnostic(`milliseconds: ${times.map((ms) => ms.toFixed(0)).join(' ')}`);
  assert.ok((times.toSorted((x, y) => x - y)[4] ?? 0) < 150);
});

test('a shared decision never outlives its token', { skip }, async (context) => {
  const { a, b, users } = await setUp(context, { staleIfError: '60s' });
  const end = Math.floor(Date.now() / 1000) + 4;
  const claims = Buffer.from(JSON.stringify({ exp: end })).toString('base64url');
  const token = `Bearer eyJhbGciOiJub25lIn0.${claims}.sig`;
  users.set(token, 'short');
  assert.equal(await get(a, token), 'short');
  assert.deepEqual(await everywhere([b], token), ['short']);
  users.delete(token);
  assert.deepEqual(await everywhere([a, b], token), ['short']);
  await eventually('the token has ended', () => Date.now() > end * 1000);
  assert.deepEqual(await everywhere([a, b], token), ['401']);
});

test('without a secret nothing is shared, and a purge makes the other node forget everything', {
  skip,
}, async (context) => {
  const { redis, a, b, users, auth } = await setUp(context, {}, { state: { secret: undefined } });
  users.set('Bearer plain', 'plain');
  assert.equal(await get(a, 'Bearer plain'), 'plain');
  assert.equal(await get(b, 'Bearer plain'), 'plain');
  assert.equal(auth.requests.length, 2);
  assert.equal(await redis.cli('EXISTS', 'portcullis:{auth}:texts'), '0');
  await a.waitForLog(/cache\.shared needs state\.redis and state\.secret/);
  await everywhere([b], 'Bearer plain');
  users.delete('Bearer plain');
  const since = performance.now();
  await purge(a, { by: 'token', token: 'plain' });
  assert.ok((await untilRefused([a, b], 'Bearer plain', since)) < 100);
});
