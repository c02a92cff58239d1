// Which purges a node has heard of.

import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { PurgeCount } from '../../../src/primary/purge-count.ts';

function counted(): { readonly count: PurgeCount; missed(): number } {
  let missed = 0;
  return { count: new PurgeCount(() => (missed += 1)), missed: () => missed };
}

test('purges that come in any order are all heard of', (context) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  context.after(() => mock.timers.reset());
  const { count, missed } = counted();
  assert.equal(count.startAt(10), false);
  for (const epoch of [12, 11, 14, 15, 13]) count.heard(epoch);
  mock.timers.tick(10_000);
  assert.equal(missed(), 0);
  assert.equal(count.startAt(15), true);
});

test('one that does not come is noticed half a second later, once', (context) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  context.after(() => mock.timers.reset());
  const { count, missed } = counted();
  count.startAt(10);
  count.heard(12);
  mock.timers.tick(499);
  assert.equal(missed(), 0);
  mock.timers.tick(1);
  assert.equal(missed(), 1);
  count.heard(13);
  mock.timers.tick(1000);
  assert.equal(missed(), 1);
  assert.equal(count.startAt(13), false);
  assert.equal(count.startAt(13), true);
  // Whatever number a message says, the next purges are counted.
  count.heard(Number.MAX_SAFE_INTEGER);
  mock.timers.tick(500);
  assert.equal(missed(), 2);
  count.startAt(13);
  count.heard(14);
  assert.equal(count.startAt(14), true);
});

test('back from away, a node knows whether it has missed one', () => {
  const { count } = counted();
  assert.equal(count.startAt(5), false);
  assert.equal(count.startAt(5), true);
  assert.equal(count.startAt(6), false);
  assert.equal(count.startAt(null), false);
  // What is heard while nothing is known tells nothing.
  count.heard(7);
  assert.equal(count.startAt(7), false);
  count.close();
});

test('a counter that begins anew is a miss', () => {
  const { count } = counted();
  count.startAt(50);
  assert.equal(count.startAt(3), false);
  count.heard(4);
  assert.equal(count.startAt(4), true);
  count.close();
});
