// Leases over a bucket at hand: what is spent here, what is asked for, what is given back.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { Leases } from '../../../src/state/leases.ts';
import type { Lender, Lent, Wish } from '../../../src/state/lending.ts';
import type { BucketSpec, Take } from '../../../src/state/state.ts';

const bucket: BucketSpec = { space: 'test', rate: 1, burst: 80, maxDelay: 0.5 };

interface Bench {
  readonly leases: Leases;
  readonly clock: { at: number };
  readonly wishes: Wish[];
  /** In the bucket. */
  tokens: number;
  /** Answers come when it is called; null: at once. */
  hold: Promise<void> | null;
  failure: Error | null;
}

function bench(context: TestContext, max?: number): Bench {
  const clock = { at: 1000 };
  const wishes: Wish[] = [];
  const lender: Lender = {
    async lend({ rate }, _key, wish): Promise<Lent> {
      wishes.push(wish);
      await it.hold;
      if (it.failure !== null) throw it.failure;
      it.tokens += wish.back;
      const spent = Math.min(wish.need, it.tokens);
      const extra = spent < wish.need ? 0 : Math.min(wish.extra, Math.floor((it.tokens - spent) / 4));
      it.tokens -= spent + extra;
      const following = Math.max(0, (1 - it.tokens) / rate);
      return { granted: spent + extra, late: 0, wait: 0, following, remaining: it.tokens };
    },
  };
  const it: Bench = {
    leases: new Leases(lender, () => clock.at, max),
    clock,
    wishes,
    tokens: 80,
    hold: null,
    failure: null,
  };
  context.after(() => it.leases.close());
  return it;
}

async function take(it: Bench, times: number, key = 'a'): Promise<Take[]> {
  const taken: Take[] = [];
  for (let i = 0; i < times; i += 1) {
    it.clock.at += 1;
    taken.push(await it.leases.take(bucket, key));
  }
  return taken;
}

test('who comes now and then asks for every token; who comes often asks rarely, and is answered at once', async (context) => {
  const it = bench(context);
  await take(it, 1);
  assert.deepEqual(it.wishes, [{ need: 1, extra: 0, back: 0 }]);
  await take(it, 30);
  assert.ok(it.wishes.length < 10, `${it.wishes.length} questions for 31 tokens`);
  assert.ok(it.wishes.every(({ extra }) => extra <= bucket.burst / 8));
  const held = it.leases.take(bucket, 'a');
  assert.ok(!(held instanceof Promise) || it.tokens < 80);
});

test('no token passes that was not lent, and none is lost', async (context) => {
  const it = bench(context);
  const taken = await take(it, 100);
  assert.equal(taken.filter(({ wait }) => wait === 0).length, 80);
  assert.ok(taken.slice(80).every(({ wait }) => wait > bucket.maxDelay));
});

test('a refusal holds for as long as it must be one, without another question', async (context) => {
  const it = bench(context);
  it.tokens = 0;
  const slow = { ...bucket, rate: 0.01 };
  assert.equal((await it.leases.take(slow, 'a')).wait, 100);
  for (let at = 1; at < 50; at += 1) {
    it.clock.at = 1000 + at;
    assert.deepEqual(it.leases.take(slow, 'a'), { wait: 100 - at, remaining: 0 });
  }
  it.clock.at = 1050;
  assert.ok(it.leases.take(slow, 'a') instanceof Promise, 'after 50 ms it is asked again');
  assert.equal(it.wishes.length, 2);
});

test('what is not spent in time goes back, and nothing is remembered', async (context) => {
  const it = bench(context);
  const spent = (await take(it, 20)).length;
  it.clock.at += 60;
  const end = performance.now() + 5000;
  while (it.leases.size > 0 && performance.now() < end)
    await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(it.leases.size, 0);
  assert.equal(it.tokens, 80 - spent);
});

test('who comes while it is asked waits for that answer, and no second question is on its way', async (context) => {
  const it = bench(context);
  let answer = (): void => {};
  it.hold = new Promise((resolve) => (answer = resolve));
  const all = Array.from({ length: 10 }, async () => await it.leases.take(bucket, 'a'));
  assert.equal(it.wishes.length, 1);
  answer();
  const taken = await Promise.all(all);
  assert.ok(taken.every(({ wait }) => wait === 0));
  assert.equal(it.wishes.length, 2);
  assert.equal(it.wishes[1]?.need, 9);
});

test('a failure reaches everyone who waits, and the next one asks again', async (context) => {
  const it = bench(context);
  it.failure = new Error('gone');
  const all = [it.leases.take(bucket, 'a'), it.leases.take(bucket, 'a')];
  for (const one of all) await assert.rejects(async () => await one, /gone/);
  it.failure = null;
  assert.equal((await it.leases.take(bucket, 'a')).wait, 0);
});

test('a flood of keys fills no memory, and what it pushes out is answered and given back', async (context) => {
  const it = bench(context, 10);
  it.tokens = 1e6;
  const all = Array.from({ length: 1000 }, async (_, i) => await it.leases.take(bucket, `key ${i}`));
  assert.equal(it.leases.size, 10);
  assert.equal((await Promise.all(all)).filter(({ wait }) => wait === 0).length, 1000);
  assert.equal(it.tokens, 1e6 - 1000);
});
