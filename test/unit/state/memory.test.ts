// Token buckets and counts in memory, on a clock of the test's own.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import fc from 'fast-check';
import { Buckets } from '../../../src/state/buckets.ts';
import { Counts } from '../../../src/state/counts.ts';
import { ownKey, stateKey } from '../../../src/state/keys.ts';
import { MemoryState } from '../../../src/state/memory.ts';
import type { BucketSpec } from '../../../src/state/state.ts';

function spec(rest: Partial<BucketSpec> = {}): BucketSpec {
  return { space: 'test', rate: 0.01, burst: 2, maxDelay: 50, ...rest };
}

function memory(t: TestContext, clock: { at: number }): MemoryState {
  const state = new MemoryState({ now: () => clock.at });
  t.after(() => state.close());
  return state;
}

test('a bucket starts full, then delays, then refuses', (t) => {
  const state = memory(t, { at: 1000 });
  const half = spec({ maxDelay: 150 });
  assert.deepEqual(state.take(half, 'a'), { wait: 0, remaining: 1 });
  assert.deepEqual(state.take(half, 'a'), { wait: 0, remaining: 0 });
  assert.deepEqual(state.take(half, 'a'), { wait: 100, remaining: 0 });
  assert.equal(state.take(half, 'a').wait, 200);
  // Being refused took nothing.
  assert.equal(state.take(half, 'a').wait, 200);
  assert.deepEqual(state.take(half, 'b'), { wait: 0, remaining: 1 });
});

test('tokens come back with time, up to the burst', (t) => {
  const clock = { at: 0 };
  const state = memory(t, clock);
  state.take(spec(), 'a');
  state.take(spec(), 'a');
  clock.at = 100;
  assert.deepEqual(state.take(spec(), 'a'), { wait: 0, remaining: 0 });
  clock.at = 1_000_000;
  assert.deepEqual(state.take(spec(), 'a'), { wait: 0, remaining: 1 });
});

test('a slow bucket is not full again before its tokens were earned, however long nobody asked', (t) => {
  const clock = { at: 0 };
  const state = memory(t, clock);
  const slow = spec({ rate: 10 / 60_000, burst: 100, maxDelay: 0 });
  for (let i = 0; i < 100; i++) assert.equal(state.take(slow, 'a').wait, 0);
  clock.at = 12_000;
  assert.equal(state.take(slow, 'a').wait, 0);
  assert.equal(state.take(slow, 'a').wait, 0);
  assert.ok(state.take(slow, 'a').wait > 0);
});

test('whatever comes when, no more pass than burst and rate allow', () => {
  fc.assert(
    fc.property(
      fc.record({
        perSecond: fc.integer({ min: 1, max: 1000 }),
        burst: fc.integer({ min: 1, max: 50 }),
        gaps: fc.array(fc.double({ min: 0, max: 50, noNaN: true }), { maxLength: 300 }),
      }),
      ({ perSecond, burst, gaps }) => {
        const rate = perSecond / 1000;
        const maxDelay = 1000 / (2 * perSecond);
        const buckets = new Buckets(spec({ rate, burst, maxDelay }));
        let now = 0;
        let latest = 0;
        let passed = 0;
        for (const gap of gaps) {
          now += gap;
          const { wait } = buckets.take('a', now);
          if (wait > maxDelay) continue;
          passed += 1;
          latest = Math.max(latest, now + wait);
        }
        assert.ok(passed <= burst + rate * latest + 1e-6, `${passed} passed`);
      },
    ),
  );
});

test('a clock that seems to stand still gives no tokens and takes none away', () => {
  const buckets = new Buckets(spec({ maxDelay: 0 }));
  buckets.take('a', 100);
  buckets.take('a', 90);
  assert.ok(buckets.take('a', 95).wait > 0);
});

test('the table of buckets is bounded: the key unused for longest goes', () => {
  const buckets = new Buckets(spec({ burst: 1, maxDelay: 0 }), 3);
  for (const key of ['a', 'b', 'c', 'a', 'd']) buckets.take(key, 0);
  assert.equal(buckets.size, 3);
  assert.ok(buckets.take('a', 0).wait > 0, 'a was used after b');
  assert.equal(buckets.take('b', 0).wait, 0, 'b was forgotten');
});

test('buckets that are full again are cleared away as new ones come', () => {
  const buckets = new Buckets(spec({ rate: 1, burst: 1 }));
  for (let i = 0; i < 1000; i++) buckets.take(`old${i}`, 0);
  for (let i = 0; i < 600; i++) buckets.take(`new${i}`, 10);
  assert.ok(buckets.size <= 602, `${buckets.size}`);
});

test('no more than the limit run at a time, and one that leaves makes room', (t) => {
  const state = memory(t, { at: 0 });
  assert.equal(state.enter('s', 2, 'a'), true);
  assert.equal(state.enter('s', 2, 'a'), true);
  assert.equal(state.enter('s', 2, 'a'), false);
  assert.equal(state.enter('s', 2, 'b'), true);
  assert.equal(state.enter('other', 2, 'a'), true);
  state.leave('s', 'a');
  assert.equal(state.enter('s', 2, 'a'), true);
  assert.equal(state.enter('s', 0, 'c'), false);
});

test('leaving what never entered gives nothing', (t) => {
  const state = memory(t, { at: 0 });
  state.leave('s', 'a');
  state.enter('s', 1, 'a', 1);
  state.leave('s', 'a', 2);
  assert.equal(state.enter('s', 1, 'a', 2), false);
});

test('what ran in a worker that has ended is given back, and only that', (t) => {
  const state = memory(t, { at: 0 });
  state.enter('s', 3, 'a', 1);
  state.enter('s', 3, 'a', 1);
  state.enter('s', 3, 'a', 2);
  state.forget(1);
  assert.equal(state.enter('s', 3, 'a', 2), true);
  assert.equal(state.enter('s', 3, 'a', 2), true);
  assert.equal(state.enter('s', 3, 'a', 2), false);
});

test('the table of counts forgets only keys of which nothing runs, and refuses when it is full', () => {
  const counts = new Counts(2);
  assert.ok(counts.enter(1, 'a', 0));
  assert.ok(counts.enter(1, 'b', 0));
  assert.equal(counts.enter(1, 'c', 0), false);
  counts.leave('b', 0);
  assert.ok(counts.enter(1, 'c', 0));
  assert.equal(counts.size, 2);
  assert.equal(counts.enter(1, 'a', 0), false, 'a still runs');
});

test('counts hold through any order of entering, leaving and dying', () => {
  const step = fc.record({
    what: fc.constantFrom('enter', 'leave', 'die'),
    key: fc.constantFrom('a', 'b', 'c'),
    seat: fc.integer({ min: 0, max: 2 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const counts = new Counts(2);
      const running: { key: string; seat: number }[] = [];
      for (const { what, key, seat } of steps) {
        if (what === 'enter') {
          const free = running.filter((one) => one.key === key).length < 2;
          const known = new Set([...running.map((one) => one.key), key]).size <= 2;
          assert.equal(counts.enter(2, key, seat), free && known);
          if (free && known) running.push({ key, seat });
        } else if (what === 'leave') {
          counts.leave(key, seat);
          const at = running.findIndex((one) => one.key === key && one.seat === seat);
          if (at !== -1) running.splice(at, 1);
        } else {
          counts.forget(seat);
          for (let i = running.length - 1; i >= 0; i--) if (running[i]?.seat === seat) running.splice(i, 1);
        }
        assert.equal(counts.running, running.length);
      }
    }),
  );
});

test('a state moves to another process with its tokens and counts', (t) => {
  const clock = { at: 0 };
  const from = memory(t, clock);
  const to = memory(t, { at: 77_000 });
  for (let i = 0; i < 2; i++) from.take(spec(), 'a');
  from.take(spec({ burst: 1 }), 'b');
  from.enter('s', 2, 'a');
  clock.at = 50;
  to.load(structuredClone(from.dump()), 4);
  assert.equal(to.take(spec(), 'a').wait, 50);
  assert.equal(to.enter('s', 2, 'a', 1), true);
  assert.equal(to.enter('s', 2, 'a', 1), false);
  to.forget(4);
  assert.equal(to.enter('s', 2, 'a', 1), true);
});

test('spaces unused for ten minutes are dropped, but for those in which requests run', (t) => {
  const state = memory(t, { at: 0 });
  state.take(spec({ space: 'used' }), 'a');
  state.take(spec({ space: 'unused' }), 'a');
  state.enter('running', 1, 'a');
  state.enter('over', 1, 'a');
  state.leave('over', 'a');
  assert.equal(state.size, 4);
  for (let minute = 0; minute < 11; minute++) {
    state.take(spec({ space: 'used' }), 'a');
    state.sweep();
  }
  assert.equal(state.size, 2);
  assert.equal(state.enter('running', 1, 'a'), false);
});

test('long sources are hashed, and no two of them to one key', () => {
  assert.equal(stateKey('192.0.2.1'), '192.0.2.1');
  assert.equal(stateKey('x'.repeat(128)).length, 128);
  const long = stateKey('x'.repeat(10_000));
  assert.ok(long.length <= 128);
  assert.notEqual(long, stateKey('x'.repeat(10_001)));
  assert.equal(ownKey('é\u0000\ud800漢'), 'é\u0000\ud800漢');
});
