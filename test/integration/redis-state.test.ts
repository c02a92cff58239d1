// Buckets and counts in Redis: the same answers as in memory, over several processes' connections.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { MemoryState } from '../../src/state/memory.ts';
import type { BucketSpec, State } from '../../src/state/state.ts';
import { RedisState, type RedisStateOptions } from '../../src/state/redis/state.ts';
import { connect } from '../support/redis-client.ts';
import { missingRedis, type RedisServer, redisSettings, startRedis, until } from '../support/redis-server.ts';

const skip = missingRedis;

function spec(rest: Partial<BucketSpec> = {}): BucketSpec {
  return { space: 'test', rate: 0.01, burst: 2, maxDelay: 50, ...rest };
}

async function stateOn(
  context: TestContext,
  server: RedisServer,
  options: RedisStateOptions = { timeout: 2000 },
): Promise<RedisState> {
  const { connection } = connect(context, redisSettings(server.port));
  await connection.whenReachable(5000);
  const state = new RedisState(connection, options);
  context.after(() => state.close());
  return state;
}

const kinds: readonly (readonly [string, (context: TestContext) => Promise<State>])[] = [
  [
    'in memory',
    async (context) => {
      const state = new MemoryState();
      context.after(() => state.close());
      return state;
    },
  ],
  ['in Redis', async (context) => await stateOn(context, await startRedis(context))],
];

for (const [where, open] of kinds) {
  const options = { skip: where === 'in Redis' ? skip : false };

  test(`${where}: a bucket starts full, then delays, then refuses`, options, async (context) => {
    const state = await open(context);
    // Slow enough that the time between two calls is nothing.
    const slow = spec({ rate: 1 / 100_000, maxDelay: 150_000 });
    const take = async (key: string) => {
      const { wait: delay, remaining } = await state.take(slow, key);
      return { wait: Math.round(delay / 10_000) * 10_000, remaining };
    };
    assert.deepEqual(await take('a'), { wait: 0, remaining: 1 });
    assert.deepEqual(await take('a'), { wait: 0, remaining: 0 });
    assert.deepEqual(await take('a'), { wait: 100_000, remaining: 0 });
    assert.equal((await take('a')).wait, 200_000);
    // Being refused took nothing.
    assert.equal((await take('a')).wait, 200_000);
    assert.deepEqual(await take('b'), { wait: 0, remaining: 1 });
    assert.deepEqual(await take('{b}'), { wait: 0, remaining: 1 });
  });

  test(`${where}: tokens come back with time, up to the burst`, options, async (context) => {
    const state = await open(context);
    const quick = spec({ rate: 0.02 });
    for (let i = 0; i < 3; i += 1) await state.take(quick, 'a');
    await wait(120);
    assert.equal((await state.take(quick, 'a')).wait, 0);
    await wait(300);
    assert.deepEqual(await state.take(quick, 'a'), { wait: 0, remaining: 1 });
  });

  test(`${where}: no more run than the limit, and one that leaves makes room`, options, async (context) => {
    const state = await open(context);
    assert.equal(await state.enter('s', 2, 'a'), true);
    assert.equal(await state.enter('s', 2, 'a'), true);
    assert.equal(await state.enter('s', 2, 'a'), false);
    assert.equal(await state.enter('s', 2, 'b'), true);
    assert.equal(await state.enter('other', 2, 'a'), true);
    state.leave('s', 'a');
    assert.equal(await state.enter('s', 2, 'a'), true);
    assert.equal(await state.enter('s', 0, 'c'), false);
    state.leave('s', 'never');
    assert.equal(await state.enter('s', 1, 'never'), true);
  });
}

test('what two connections take and enter at once is exact', { skip }, async (context) => {
  const server = await startRedis(context);
  const states = [await stateOn(context, server), await stateOn(context, server)];
  const bucket = spec({ rate: 1 / 1_000_000, burst: 50, maxDelay: 0 });
  const calls = Array.from({ length: 300 }, (_, i) => states[i % 2] as RedisState);
  const takes = await Promise.all(calls.map(async (state) => await state.take(bucket, 'a')));
  assert.equal(takes.filter((take) => take.wait === 0).length, 50);
  const enters = await Promise.all(calls.map(async (state) => await state.enter('s', 20, 'a')));
  assert.equal(enters.filter(Boolean).length, 20);
  for (const [i, isIn] of enters.entries()) if (isIn) (calls[i] as RedisState).leave('s', 'a');
  await until('nothing is held', async () => states.every(({ size }) => size === 0));
  assert.equal(await server.cli('EXISTS', 'portcullis:running:s:a'), '0');
});

test('what a process ran that died is given back; what runs long is not', { skip }, async (context) => {
  const server = await startRedis(context);
  const options = { timeout: 2000, holdFor: 600 };
  const dies = await stateOn(context, server, options);
  const lives = await stateOn(context, server, options);
  assert.equal(await dies.enter('s', 2, 'a'), true);
  assert.equal(await lives.enter('s', 2, 'a'), true);
  assert.equal(await lives.enter('s', 2, 'a'), false);
  dies.close();
  await until('its place is free', async () => await lives.enter('s', 2, 'a'), 5000);
  await wait(1000);
  assert.equal(await lives.enter('s', 2, 'a'), false);
});

test('what Redis forgot is known again, and what it did not hear is said later', {
  skip,
}, async (context) => {
  const server = await startRedis(context);
  const state = await stateOn(context, server, { timeout: 200, holdFor: 900 });
  for (let i = 0; i < 3; i += 1) assert.equal(await state.enter('s', 5, 'a'), true);
  await server.cli('FLUSHALL');
  await until('it is said again', async () => (await server.cli('EXISTS', 'portcullis:running:s:a')) === '1');
  assert.equal(await state.enter('s', 3, 'a'), false);
  context.after(() => server.resume());
  server.pause();
  state.leave('s', 'a');
  await assert.rejects(async () => await state.enter('s', 5, 'a'));
  await assert.rejects(async () => await state.take(spec(), 'a'));
  server.resume();
  await until('the number is right', async () =>
    (await server.cli('HVALS', 'portcullis:running:s:a')).startsWith('2 '),
  );
});

test('buckets go by themselves once they would be full', { skip }, async (context) => {
  const server = await startRedis(context);
  const state = await stateOn(context, server);
  await state.take(spec({ rate: 1 }), 'a');
  assert.equal(await server.cli('DBSIZE'), '1');
  assert.ok(Number(await server.cli('PTTL', 'portcullis:bucket:test:a')) <= 1001);
});
