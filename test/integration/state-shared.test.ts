// The shared state on real Redis servers: leases within their bound, and what stands in while Redis is away.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises';
import type { StateOnError } from '../../src/model/settings.ts';
import type { RedisSettings } from '../../src/model/redis.ts';
import { MemoryState } from '../../src/state/memory.ts';
import { RedisState } from '../../src/state/redis/state.ts';
import { SharedState } from '../../src/state/shared.ts';
import { type BucketSpec, StateClosed } from '../../src/state/state.ts';
import { type Had, provenExcess } from '../support/limit-load.ts';
import { connect, linesLog } from '../support/redis-client.ts';
import { missingRedis, redisSettings, startCluster, startRedis, until } from '../support/redis-server.ts';

const skip = missingRedis;
/** Milliseconds. Where the budget is not what is tested, a busy machine must not be taken for a Redis that is away. */
const patient = 10_000;

interface Opened {
  readonly state: SharedState;
  readonly lines: string[];
}

async function open(
  context: TestContext,
  settings: RedisSettings,
  onError: StateOnError = 'local',
  { isThere = true, budget = patient }: { readonly isThere?: boolean; readonly budget?: number } = {},
): Promise<Opened> {
  const { connection } = connect(context, settings);
  if (isThere) await connection.whenReachable(20_000);
  const near = new MemoryState();
  const lines: string[] = [];
  const state = new SharedState(connection, { onError, near, log: linesLog(lines), budget });
  context.after(() => {
    state.close();
    near.close();
  });
  if (isThere) await state.arrived;
  return { state, lines };
}

const spec = (rest: Partial<BucketSpec> = {}): BucketSpec => ({
  space: 'test',
  rate: 0.5,
  burst: 160,
  maxDelay: 1,
  ...rest,
});

/** Milliseconds in which nobody asked, but for pauses of less than 10. */
function pausesIn(asks: readonly number[]): number {
  const gaps = asks.toSorted((a, b) => a - b).map((at, i, all) => at - (all[i - 1] ?? at));
  return gaps.filter((gap) => gap >= 10).reduce((sum, gap) => sum + gap, 0);
}

/** When each token was had. */
async function use(state: SharedState, bucket: BucketSpec, ms: number, asks: number[]): Promise<Had[]> {
  const times: Had[] = [];
  const end = performance.now() + ms;
  while (performance.now() < end) {
    for (let i = 0; i < 4; i += 1) {
      const asked = performance.now();
      asks.push(asked);
      const take = await state.take(bucket, 'a');
      if (take.wait <= bucket.maxDelay)
        times.push({ asked: asked + take.wait, at: performance.now() + take.wait });
    }
    await wait(1);
  }
  return times;
}

for (const mode of ['strict', 'leased'] as const) {
  test(`${mode}: no window of four workers together goes beyond its bound`, { skip }, async (context) => {
    const server = await startRedis(context);
    const workers = await Promise.all(
      [0, 1, 2, 3].map(async () => await open(context, redisSettings(server.port))),
    );
    const bucket = spec({ mode });
    const asks: number[] = [];
    const started = performance.now();
    // So many at once that more is asked for than there is, also when an answer takes its time.
    const users = workers.flatMap(({ state }) => Array.from({ length: 8 }, () => state));
    const times = (await Promise.all(users.map((state) => use(state, bucket, 3000, asks)))).flat();
    const exact = bucket.burst + bucket.rate * (Math.max(...times.map(({ at }) => at)) - started);
    assert.ok(times.length <= exact * 1.01, `${times.length} of ${exact}`);
    // Nobody gets what nobody asks for: while this process stands still all that comes may be too much to keep.
    const least = exact - bucket.rate * pausesIn(asks);
    assert.ok(times.length >= least * 0.97, `${times.length} of ${least} to ${exact}`);
    const bound = mode === 'leased' ? bucket.rate * 100 : 0;
    const worst = provenExcess(times, bucket.rate, bucket.burst);
    // A token or two, where a clock is rounded.
    assert.ok(worst <= bound + 2, `${worst} above, ${bound} allowed`);
  });
}

test('what is lent one by one is what is taken one by one, from the same bucket', {
  skip,
}, async (context) => {
  const server = await startRedis(context);
  const { connection } = connect(context, redisSettings(server.port));
  await connection.whenReachable(20_000);
  const redis = new RedisState(connection, { timeout: patient });
  context.after(() => redis.close());
  // Slow enough that the time between two calls is nothing; two may wait.
  const bucket = spec({ rate: 1 / 100_000, burst: 4, maxDelay: 250_000 });
  const round = (ms: number): number => Math.round(ms / 10_000);
  for (let i = 0; i < 8; i += 1) {
    const taken = await redis.take(bucket, 'taken');
    const lent = await redis.lend(bucket, 'lent', { need: 1, extra: 0, back: 0 });
    const wait = lent.granted === 1 ? 0 : lent.late === 1 ? lent.wait : lent.following;
    assert.deepEqual([round(wait), lent.remaining], [round(taken.wait), taken.remaining], `${i}`);
  }
  const many = await redis.lend(bucket, 'many', { need: 9, extra: 5, back: 0 });
  assert.deepEqual([many.granted, many.late, round(many.wait), many.remaining], [4, 2, 10, 0]);
  assert.equal((await redis.lend(bucket, 'many', { need: 0, extra: 0, back: 3 })).remaining, 1);
  assert.equal((await redis.lend(bucket, 'many', { need: 0, extra: 0, back: 30 })).remaining, 4);
  assert.equal((await redis.lend(bucket, 'many', { need: 0, extra: 9, back: 0 })).granted, 1);
  assert.equal(round((await redis.take(bucket, 'many')).wait), 0);
});

test('a lease asks Redis a small part of the time', { skip }, async (context) => {
  const server = await startRedis(context);
  const { state } = await open(context, redisSettings(server.port));
  const bucket = spec({ rate: 1000, burst: 100_000 });
  let passed = 0;
  const started = performance.now();
  for (let round = 0; round < 200; round += 1) {
    for (let i = 0; i < 20; i += 1) passed += (await state.take(bucket, 'a')).wait === 0 ? 1 : 0;
    await wait(1);
  }
  assert.equal(passed, 4000);
  const stats = await server.cli('INFO', 'commandstats');
  const calls = [...stats.matchAll(/cmdstat_eval(?:sha)?:calls=(\d+)/g)].reduce(
    (sum, [, n]) => sum + Number(n),
    0,
  );
  // What is lent holds for 50 ms, and what is left of it may be given back: of a slower machine more is asked.
  const most = 300 + (2 * (performance.now() - started)) / 50;
  assert.ok(calls < most, `${calls} calls for 4,000 requests, ${most} allowed`);
});

test('local: while Redis is gone this process counts alone, and what entered leaves where it came in', {
  skip,
}, async (context) => {
  const server = await startRedis(context);
  const { state, lines } = await open(context, redisSettings(server.port));
  assert.equal(await state.enter('s', 2, 'a'), true);
  await server.kill();
  await until('it is away', async () => {
    await state.take(spec(), 'probe');
    return state.mode === 'local';
  });
  const slow = spec({ space: 'slow', rate: 1 / 100_000, burst: 3 });
  const waits = [0, 1, 2, 3].map(() => state.take(slow, 'a'));
  assert.ok(
    waits.every((take) => !(take instanceof Promise)),
    'nothing is waited for',
  );
  assert.equal(waits.filter((take) => !(take instanceof Promise) && take.wait === 0).length, 3);
  assert.equal(state.enter('s', 2, 'a'), true);
  assert.equal(state.enter('s', 2, 'a'), true);
  assert.equal(state.enter('s', 2, 'a'), false);
  await server.restart();
  await until('it is back', () => state.mode === 'redis');
  for (let i = 0; i < 3; i += 1) state.leave('s', 'a');
  await until('all have left', async () => (await server.cli('EXISTS', 'portcullis:running:s:a')) === '0');
  assert.equal(await state.enter('s', 1, 'a'), true);
  assert.deepEqual(
    lines.map((line) => /away|back/.exec(line)?.[0]),
    ['away', 'back'],
  );
});

test('open and closed: all pass, or nobody does', { skip }, async (context) => {
  const server = await startRedis(context);
  const opened = await open(context, redisSettings(server.port), 'open');
  const closed = await open(context, redisSettings(server.port), 'closed');
  await server.kill();
  const one = spec({ rate: 1 / 100_000, burst: 1 });
  for (let i = 0; i < 10; i += 1) {
    assert.equal((await opened.state.take(one, 'a')).wait, 0);
    assert.equal(await opened.state.enter('s', 1, 'a'), true);
    await assert.rejects(async () => await closed.state.take(one, 'a'), StateClosed);
    await assert.rejects(async () => await closed.state.enter('s', 1, 'a'), StateClosed);
  }
  assert.deepEqual([opened.state.mode, closed.state.mode], ['open', 'closed']);
  await server.restart();
  await until('it is back', () => opened.state.mode === 'redis' && closed.state.mode === 'redis');
  // What was never counted leaves nothing behind.
  for (let i = 0; i < 10; i += 1) opened.state.leave('s', 'a');
  assert.equal(await closed.state.enter('s', 1, 'a'), true);
});

test('a Redis that stalls costs some requests the budget, and the others nothing', {
  skip,
}, async (context) => {
  const server = await startRedis(context);
  const budget = 50;
  const { state } = await open(context, redisSettings(server.port), 'local', { budget });
  context.after(() => server.resume());
  const bucket = spec({ mode: 'strict' });
  await state.take(bucket, 'a');
  server.pause();
  let waited = 0;
  for (let i = 0; i < 100; i += 1) {
    const take = state.take(bucket, `key ${i}`);
    if (!(take instanceof Promise)) continue;
    waited += 1;
    // Both are timers of this process: however late it is, they go off in their order.
    const isLate = wait(budget + 60).then(async () => await turn('late'));
    assert.notEqual(await Promise.race([take, isLate]), 'late');
  }
  assert.equal(waited, 3);
  server.resume();
  await until('it is back', () => state.mode === 'redis');
});

test('what Redis answered in time counts, though this process was busy until later', {
  skip,
}, async (context) => {
  const server = await startRedis(context);
  const { connection } = connect(context, redisSettings(server.port));
  await connection.whenReachable(20_000);
  await connection.call('PING', [], patient);
  // On a busy machine Redis may really be late.
  await until('an answer that was in time', async () => {
    const asked = connection.call('PING', [], 50);
    const end = performance.now() + 300;
    while (performance.now() < end);
    return (await asked.catch(() => null)) === 'PONG';
  });
});

test('a Redis that answers and cannot write is away, and not back before it can', {
  skip,
}, async (context) => {
  const server = await startRedis(context);
  const { state, lines } = await open(context, redisSettings(server.port));
  await server.cli('CONFIG', 'SET', 'maxmemory', '1');
  for (let i = 0; i < 5; i += 1) await state.take(spec(), `key ${i}`);
  assert.equal(state.mode, 'local');
  await wait(800);
  assert.equal(state.mode, 'local');
  await server.cli('CONFIG', 'SET', 'maxmemory', '0');
  await until('it is back', () => state.mode === 'redis');
  assert.equal(lines.length, 2, lines.join('\n'));
});

test('who comes before the connection is there waits for it, and not for ever', { skip }, async (context) => {
  const server = await startRedis(context);
  const there = await open(context, redisSettings(server.port), 'closed', { isThere: false });
  assert.equal((await until('it answers', () => there.state.mode === 'redis'), there.state.mode), 'redis');
  await server.kill();
  const { state } = await open(context, redisSettings(server.port), 'local', {
    isThere: false,
    budget: 50,
  });
  const isLate = wait(200).then(() => null);
  assert.equal((await Promise.race([state.take(spec(), 'a'), isLate]))?.wait, 0);
  await until('it is away', () => state.mode === 'local');
});

test('on a cluster keys of all slots are counted', { skip }, async (context) => {
  const nodes = await startCluster(context);
  const settings = redisSettings(nodes[0]?.port ?? 0, { cluster: true });
  const workers = [await open(context, settings), await open(context, settings)];
  for (const mode of ['strict', 'leased'] as const) {
    const bucket = spec({ space: mode, rate: 1 / 1_000_000, burst: 10, maxDelay: 0, mode });
    for (const key of ['a', 'b', 'c', '{d}', 'e{}f']) {
      const takes = await Promise.all(
        Array.from({ length: 30 }, async (_, i) => await (workers[i % 2] as Opened).state.take(bucket, key)),
      );
      assert.equal(takes.filter((take) => take.wait === 0).length, 10, `${mode} ${key}`);
    }
  }
  assert.ok(workers.every(({ state }) => state.mode === 'redis'));
});
