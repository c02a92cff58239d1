// Decisions that nodes share, before a real Redis whose owner is hostile: what is changed, moved or put back is no
// decision; and what must not be kept by one worker is not kept for the others either.

import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { CONTINUE, type Hooks } from '../../src/proxy/hooks.ts';
import { forwardAuth } from '../../src/proxy/middlewares/forward-auth.ts';
import { sealSelector } from '../../src/state/purge-text.ts';
import type { RedisConnection } from '../../src/state/redis/connect.ts';
import { findDecision, notePurge, putDecision } from '../../src/state/redis/decision-scripts.ts';
import { purgeKeys, RedisDecisions } from '../../src/state/redis/decisions.ts';
import { Sealing } from '../../src/state/sealing.ts';
import {
  type AuthServer,
  bearer,
  bodyOf,
  exchange,
  header,
  openBench,
  pass,
  type SeenCall,
  startAuthServer,
  until,
} from '../support/forward-auth.ts';
import { waitFor } from '../support/origin.ts';
import { connect } from '../support/redis-client.ts';
import { missingRedis, type RedisServer, redisSettings, startRedis } from '../support/redis-server.ts';

const skip = missingRedis;
const sealing = new Sealing('a secret of all nodes that the owner of Redis does not have');
const texts = 'portcullis:{auth}:texts';
const keys = purgeKeys('portcullis');

interface Setup {
  readonly auth: AuthServer;
  readonly redis: RedisServer;
  /** A middleware as a worker of its own has it. */
  worker(options?: Record<string, unknown>, cache?: Record<string, unknown>): Hooks;
  /** As the primary of some node notes it; no worker here is told. */
  notePurge(token: string): Promise<void>;
  /** What stands in Redis, once there are so many decisions. */
  stored(count: number): Promise<Record<string, string>>;
}

async function setUp(context: TestContext): Promise<Setup> {
  const redis = await startRedis(context);
  const { connection } = connect(context, redisSettings(redis.port));
  await connection.whenReachable(5_000);
  for (const { lua } of [findDecision, putDecision, notePurge])
    await connection.call('SCRIPT', ['LOAD', lua], 2_000);
  const auth = await startAuthServer(byToken);
  context.after(() => auth.close());
  return {
    auth,
    redis,
    worker: (options = {}, cache = {}) =>
      workerOf(context, connection, {
        address: auth.address,
        authRequestHeaders: ['Authorization'],
        authResponseHeaders: ['X-User'],
        cache: { ttl: '1m', shared: true, ...cache },
        ...options,
      }),
    async notePurge(token) {
      const sealed = sealSelector({ by: 'token', token }, sealing);
      const args = [sealed, 256, 'portcullis:purge', '"from":"test"}'];
      await connection.run(notePurge, [keys.epoch, keys.purges], args, 2_000);
    },
    async stored(count) {
      return await waitFor(`${count} shared decisions`, async () => {
        const found = await hashOf(redis);
        return Object.keys(found).length === count ? found : null;
      });
    },
  };
}

function workerOf(
  context: TestContext,
  connection: RedisConnection,
  options: Record<string, unknown>,
): Hooks {
  const bench = openBench();
  context.after(() => bench.close());
  const decisions = new RedisDecisions(connection, sealing, { timeout: 2_000 });
  return forwardAuth.build(forwardAuth.schema.parse(options), { ...bench.deps, decisions });
}

function byToken(call: SeenCall, response: ServerResponse): void {
  const user = /^Bearer (\w+)$/.exec(call.headers.authorization ?? '')?.[1];
  if (user !== undefined) response.setHeader('x-user', user);
  response.writeHead(user === undefined ? 401 : 200).end();
}

function refuse(_: SeenCall, response: ServerResponse): void {
  response.writeHead(401).end();
}

async function hashOf(redis: RedisServer): Promise<Record<string, string>> {
  const lines = (await redis.cli('HGETALL', texts)).split('\n');
  const found: Record<string, string> = {};
  for (let i = 0; i + 1 < lines.length; i += 2) found[lines[i] as string] = lines[i + 1] as string;
  return found;
}

test('the newest word of the auth server counts at once, also against what is shared', {
  skip,
}, async (context) => {
  const { auth, worker, stored } = await setUp(context);
  const cache = { ttl: '3s' };
  await pass(worker({}, cache), bearer('ann'));
  await stored(1);
  const hooks = worker({}, cache);
  assert.equal((await pass(hooks, bearer('ann'))).status, 0);
  assert.equal(auth.seen.length, 1);
  auth.answer = refuse;
  // In the last tenth of its life a hit asks again; the first request after that answer finds no hit.
  await until(() => hooks.request?.(exchange({ headers: bearer('ann') })) !== CONTINUE, 6_000);
  assert.equal((await pass(hooks, bearer('ann'))).status, 401);
  assert.equal((await pass(worker({}, cache), bearer('ann'))).status, 401);
});

test('no bit of a shared decision can be changed', { skip }, async (context) => {
  const { auth, redis, worker, stored } = await setUp(context);
  await pass(worker(), bearer('ann'));
  const [name, value] = Object.entries(await stored(1))[0] as [string, string];
  const space = value.indexOf(' ');
  const bytes = Buffer.from(value.slice(space + 1), 'base64');
  // Some of the nonce, of the text and of its tag; then another epoch, and parts.
  const places = [0, 11, 12, 13, bytes.length >> 1, bytes.length - 17, bytes.length - 16, bytes.length - 1];
  const changed = places.map((at) => {
    const copy = Buffer.from(bytes);
    copy[at] = (copy[at] as number) ^ (1 << (at % 8));
    return `${value.slice(0, space)} ${copy.toString('base64')}`;
  });
  const epoch = Number(value.slice(0, space));
  const rest = value.slice(space);
  changed.push(
    `${epoch - 1}${rest}`,
    `${epoch + 1}${rest}`,
    `0${epoch}${rest}`,
    `${epoch}.0${rest}`,
    rest.trim(),
  );
  changed.push(
    value.slice(0, -4),
    value.slice(0, space + 1),
    '',
    ' ',
    `${epoch} ${bytes.subarray(12).toString('base64')}`,
  );
  for (const [i, text] of changed.entries()) {
    await redis.cli('HSET', texts, name, text);
    const before = auth.seen.length;
    const x = await pass(worker(), bearer('ann'));
    assert.equal(x.status, 0);
    // Another way to write the same number opens as what it is; all else is asked about and replaced.
    if (text !== `0${epoch}${rest}` && text !== `${epoch}.0${rest}`) {
      assert.equal(auth.seen.length, before + 1, `change ${i} was taken`);
      await waitFor('a new one', async () => (await redis.cli('HGET', texts, name)) !== text.trim());
    }
    assert.equal(header(x, 'x-user'), 'ann');
  }
  await redis.cli('HSET', texts, name, value);
  const before = auth.seen.length;
  await pass(worker(), bearer('ann'));
  assert.equal(auth.seen.length, before, 'unchanged it is taken');
});

test('a sealed decision under the key of another request is none', { skip }, async (context) => {
  const { auth, redis, worker, stored } = await setUp(context);
  await pass(worker(), bearer('admin'));
  const admin = await stored(1);
  await pass(worker(), bearer('mallory'));
  const both = await stored(2);
  const mallory = Object.keys(both).find((name) => !(name in admin)) ?? '';
  await redis.cli('HSET', texts, mallory, Object.values(admin)[0] ?? '');
  auth.answer = refuse;
  const x = await pass(worker(), bearer('mallory'));
  assert.equal(x.status, 401);
  assert.equal(header(x, 'x-user'), null);
});

test('a sealed decision that is put back after a purge is none, whatever else is put back with it', {
  skip,
}, async (context) => {
  const { auth, redis, worker, notePurge: purge, stored } = await setUp(context);
  const watching = worker();
  await pass(worker(), bearer('ann'));
  const [name, value] = Object.entries(await stored(1))[0] as [string, string];
  const epoch = await redis.cli('GET', keys.epoch);
  const score = await redis.cli('ZSCORE', 'portcullis:{auth}:ends', name);
  await purge('ann');
  auth.answer = refuse;
  const putBack = async (): Promise<void> => {
    await redis.cli('HSET', texts, name, value);
    await redis.cli('ZADD', 'portcullis:{auth}:ends', score, name);
  };
  await putBack();
  assert.equal((await pass(worker(), bearer('ann'))).status, 401);
  // Without the list of purges, or with purges of others in it.
  await redis.cli('DEL', keys.purges);
  await putBack();
  assert.equal((await pass(worker(), bearer('ann'))).status, 401);
  await redis.cli(
    'RPUSH',
    keys.purges,
    `${Number(epoch) + 1} ${sealSelector({ by: 'all' }, new Sealing('own'))}`,
  );
  assert.equal((await pass(worker(), bearer('ann'))).status, 401);
  // The count of purges set back: who has seen the newer one is not fooled.
  assert.equal((await pass(watching, bearer('ann'))).status, 401);
  await redis.cli('DEL', keys.purges);
  await redis.cli('SET', keys.epoch, epoch);
  await putBack();
  assert.equal((await pass(watching, bearer('ann'))).status, 401);
  // It has set the count right for all, and sharing goes on.
  await waitFor('the count is right', async () => Number(await redis.cli('GET', keys.epoch)) > Number(epoch));
  await putBack();
  assert.equal((await pass(worker(), bearer('ann'))).status, 401);
  auth.answer = byToken;
  await pass(watching, bearer('bob'));
  await stored(2);
  const before = auth.seen.length;
  assert.equal((await pass(worker(), bearer('bob'))).status, 0);
  assert.equal(auth.seen.length, before);
});

test('shared and Vary: what varies by what the key does not hold is for one request, on all nodes', {
  skip,
}, async (context) => {
  const { auth, redis, worker, stored } = await setUp(context);
  for (const vary of ['*', 'X-Tenant', 'Authorization, X-Tenant', 'Cookie']) {
    auth.answer = (call, response) => {
      response.setHeader('vary', vary);
      byToken(call, response);
    };
    auth.seen.length = 0;
    for (let i = 0; i < 2; i++) await pass(worker(), bearer('ann'), { headers: ['x-tenant', `${i}`] });
    assert.equal(auth.seen.length, 2, vary);
  }
  assert.equal(await redis.cli('EXISTS', texts), '0');
  auth.answer = (call, response) => {
    response.setHeader('vary', 'Authorization, Accept-Encoding');
    byToken(call, response);
  };
  await pass(worker(), bearer('bob'));
  await stored(1);
  const before = auth.seen.length;
  assert.equal(header(await pass(worker(), bearer('bob')), 'x-user'), 'bob');
  assert.equal(auth.seen.length, before);
});

test('shared and forwardBody: a decision about a body is neither written nor read', {
  skip,
}, async (context) => {
  const { auth, redis, worker, stored } = await setUp(context);
  const post = (hooks: Hooks, text: string) =>
    pass(hooks, bearer('ann'), { method: 'POST', body: bodyOf(text) });
  auth.answer = (call, response) => {
    if (call.body === 'evil') refuse(call, response);
    else byToken(call, response);
  };
  const options = { forwardBody: true, preserveRequestMethod: true };
  assert.equal((await post(worker(options), 'good')).status, 0);
  assert.equal((await post(worker(options), 'evil')).status, 401);
  assert.equal(await redis.cli('EXISTS', texts), '0');
  // One without a body is shared, and is no answer to one that has a body.
  await pass(worker(options), bearer('ann'), { method: 'POST' });
  await stored(1);
  const before = auth.seen.length;
  await pass(worker(options), bearer('ann'), { method: 'POST' });
  assert.equal(auth.seen.length, before);
  assert.equal((await post(worker(options), 'evil')).status, 401);
  assert.equal(auth.seen.length, before + 1);
});

test('shared and reload: a changed middleware finds nothing of the old one, the old one finds its own again', {
  skip,
}, async (context) => {
  const { auth, worker, stored } = await setUp(context);
  await pass(worker(), bearer('ann'));
  await stored(1);
  auth.answer = refuse;
  const changes: [Record<string, unknown>, Record<string, unknown>][] = [
    [{ authResponseHeaders: ['X-User', 'X-Role'] }, {}],
    [{ authRequestHeaders: ['Authorization', 'X-Tenant'] }, {}],
    [{ headerField: 'X-User' }, {}],
    [{ trustForwardHeader: true }, {}],
    [{ address: `${auth.address}&admin=1` }, {}],
    [{ address: auth.address.replace('?x=1', '') }, {}],
    [{}, { ttl: '59s' }],
    [{}, { key: ['header:Authorization'] }],
    [{}, { negativeTtl: '1s' }],
  ];
  for (const [options, cache] of changes) {
    const x = await pass(worker(options, cache), bearer('ann'));
    assert.equal(x.status, 401, JSON.stringify([options, cache]));
  }
  assert.equal((await pass(worker(), bearer('ann'))).status, 0);
});
