// Medians, spreads, trends and the rank test of the bench.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { median, quantile, rankTest, spread, trend } from '../../../bench/statistics.ts';

test('the median of an even number of values lies between the two in the middle', () => {
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.equal(median([9, 1, 5]), 5);
});

test('nothing has no median, no quantile and no trend', () => {
  assert.equal(median([]), null);
  assert.equal(quantile([], 0.9), null);
  assert.equal(trend([]), null);
  assert.equal(trend([3]), null);
});

test('a quantile interpolates between its neighbours', () => {
  assert.equal(quantile([10, 20], 0.25), 12.5);
  assert.equal(quantile([10, 20, 30], 1), 30);
});

test('the spread is a share of the median', () => {
  assert.equal(spread([90, 100, 120]), 0.3);
  assert.equal(spread([100]), null);
  assert.equal(spread([0, 0]), null);
});

test('a straight line grows by its step', () => {
  assert.equal(trend([10, 12, 14, 16]), 2);
});

test('one peak in flat memory is no growth', () => {
  const values = Array.from({ length: 30 }, (_, i) => (i === 15 ? 900 : 100));
  assert.equal(trend(values), 0);
});

test('the trend of a very long series is found from a part of it', () => {
  const values = Array.from({ length: 10_000 }, (_, i) => i * 0.5);
  assert.ok(Math.abs((trend(values) ?? 0) - 0.5) < 1e-9);
});

test('three rounds all above three others happen by chance once in ten', () => {
  assert.equal(rankTest([1, 2, 3], [4, 5, 6]), 0.1);
});

test('five rounds all above five others happen by chance twice in 252', () => {
  assert.ok(Math.abs(rankTest([1, 2, 3, 4, 5], [6, 7, 8, 9, 10]) - 2 / 252) < 1e-12);
});

test('the same rounds prove nothing', () => {
  assert.equal(rankTest([1, 2, 3], [1, 2, 3]), 1);
  assert.equal(rankTest([5, 5, 5], [5, 5, 5]), 1);
  assert.equal(rankTest([], [1, 2, 3]), 1);
});

test('the rank test does not care which side is which', () => {
  const [one, other] = [
    [1, 4, 6, 9],
    [2, 3, 7, 12, 15],
  ];
  assert.equal(rankTest(one ?? [], other ?? []), rankTest(other ?? [], one ?? []));
});

test('many rounds are judged by the normal approximation, near the exact share', () => {
  const low = Array.from({ length: 11 }, (_, i) => i * 2);
  const high = low.map((value) => value + 9);
  const chance = rankTest(low, high);
  assert.ok(chance > 0.005 && chance < 0.12, String(chance));
  assert.ok(
    rankTest(
      low,
      low.map((value) => value + 100),
    ) < 0.001,
  );
});
