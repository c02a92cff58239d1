// What judges a soak, with numbers made up: slopes, windows, allowances, totals that go back.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMetrics } from '../support/metrics.ts';
import { type Failure, type Happened, judgeFailures } from './ledger.ts';
import { allowances, bounds } from './plan.ts';
import { mostWithin, slopeOf } from './verdict.ts';
import { shrunkSince } from './watch.ts';

const failure = (rest: Partial<Failure>): Failure => ({
  at: 10_000,
  node: 'shaken',
  kind: 'kept',
  what: 'ECONNRESET',
  port: 0,
  opened: 0,
  ...rest,
});

const event = (rest: Partial<Happened>): Happened => ({
  event: 'kill',
  node: 'shaken',
  begun: 9_900,
  ended: 10_300,
  victims: new Set([4711]),
  ...rest,
});

test('least squares find a slope under noise, and none where there is none', () => {
  const times = Array.from({ length: 100 }, (_, at) => at);
  const noise = (at: number): number => ((at * 7919) % 13) - 6;
  assert.ok(Math.abs(slopeOf(times.map((at) => [at, 3 * at + noise(at)])) - 3) < 0.05);
  assert.ok(Math.abs(slopeOf(times.map((at) => [at, noise(at)]))) < 0.05);
  assert.equal(slopeOf([]), 0);
  assert.equal(slopeOf([[1, 5]]), 0);
});

test('the most within a window is found wherever the window lies', () => {
  assert.equal(mostWithin([0, 9, 10, 11, 12, 30], 3), 4);
  assert.equal(mostWithin([], 3), 0);
});

test('a killed worker excuses its own connections, and those that had just arrived, and no others', () => {
  const failures = [
    failure({ port: 4711 }),
    failure({ port: 4712, opened: 9_000 }),
    failure({ port: 4713 }),
    failure({ port: 4714, opened: 9_990 }),
    failure({ port: 4711, node: 'steady' }),
    failure({ port: 4711, what: 'another user' }),
    failure({ port: 4711, at: 60_000 }),
  ];
  const { alien } = judgeFailures(failures, [event({})], allowances);
  assert.deepEqual(alien, failures.slice(2));
});

test('until a killed worker is gone it takes connections that go with it', () => {
  const failures = [failure({ port: 4712, opened: 10_080 }), failure({ port: 4713, opened: 10_400 })];
  const { alien } = judgeFailures(failures, [event({ gone: 10_090 })], allowances);
  assert.deepEqual(alien, failures.slice(1));
});

test('an allowance has an end: so many failures for each time', () => {
  const rolls = [event({ event: 'roll' }), event({ event: 'roll', begun: 50_000, ended: 51_000 })];
  const most = allowances.find((one) => one.event === 'roll')?.most ?? 0;
  const failures = Array.from({ length: most + 3 }, () => failure({}));
  const judged = judgeFailures(failures, rolls, allowances);
  assert.equal(judged.alien.length, 3);
  assert.equal(judged.allowed.find(({ allowance }) => allowance.event === 'roll')?.most, most);
});

test('nothing excuses a wrong answer', () => {
  const everything = (['reload', 'roll', 'kill', 'backend', 'redis', 'purge', 'stall'] as const).map((one) =>
    event({ event: one, node: null }),
  );
  for (const what of ['another user', 'another answer', 'status 200', 'another upload', 'badly packed']) {
    const { alien } = judgeFailures([failure({ what, port: 4711 })], everything, allowances);
    assert.equal(alien.length, 1, what);
  }
});

test('totals that go back are seen, gauges and new series are not', () => {
  const text = (total: number, gauge: number): string =>
    `# TYPE a_total counter\na_total{x="1"} ${total}\n# TYPE g gauge\ng ${gauge}\n# TYPE h histogram\nh_count ${total}\n`;
  const before = parseMetrics(text(5, 5));
  assert.deepEqual(shrunkSince(undefined, before), []);
  assert.deepEqual(shrunkSince(before, parseMetrics(text(6, 1))), []);
  assert.deepEqual(shrunkSince(before, parseMetrics(`${text(5, 5)}a_total{x="2"} 0\n`)), []);
  assert.equal(shrunkSince(before, parseMetrics(text(4, 5))).length, 2);
});

test('bounds are those the documentation names', () => {
  assert.deepEqual([bounds.rssSlope, bounds.heapSlope, bounds.slopeMinutes], [24, 4, 20]);
});
