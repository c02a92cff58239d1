// Which differences between two results exceed the noise.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareResults, type Finding, lineOf } from '../../../bench/judge.ts';
import type { ResultFile, Row } from '../../../bench/result.ts';
import { nginx, rates, result, row } from './made-up.ts';

function finding(before: Row, after: Row, metric: string): Finding {
  const found = compareResults(result([before]), result([after])).findings.find(
    (one) => one.metric === metric,
  );
  assert.ok(found, `no finding for ${metric}`);
  return found;
}

function verdict(before: readonly number[], after: readonly number[]): string {
  return finding(rates(before), rates(after), 'requests/s').verdict;
}

test('more requests per second in every round are better', () => {
  assert.equal(verdict([100, 101, 102], [120, 121, 122]), 'better');
});

test('fewer requests per second in every round are worse', () => {
  assert.equal(verdict([100, 101, 102], [80, 81, 82]), 'worse');
});

test('less CPU per request is better', () => {
  const before = row([{ cpu: 20 }, { cpu: 21 }, { cpu: 20 }]);
  const after = row([{ cpu: 15 }, { cpu: 16 }, { cpu: 15 }]);
  assert.equal(finding(before, after, 'CPU µs/request').verdict, 'better');
});

test('rounds that overlap are within the noise, however far their medians lie apart', () => {
  assert.equal(verdict([100, 150, 101], [140, 99, 145]), 'within');
});

test('a clear difference of less than 5 % is within what one start differs from another', () => {
  assert.equal(verdict([100, 100, 100], [104, 104, 104]), 'within');
});

test('with four rounds a single one on the wrong side makes a difference doubtful', () => {
  assert.equal(verdict([100, 101, 102, 103], [120, 121, 122, 99]), 'within');
  assert.equal(verdict([100, 101, 102, 103], [120, 121, 122, 123]), 'better');
});

test('with five rounds one on the wrong side does not hide a clear difference', () => {
  assert.equal(verdict([100, 101, 102, 103, 119], [120, 121, 122, 123, 118]), 'better');
});

test('two rounds are not judged', () => {
  assert.equal(verdict([100, 101], [200, 201]), 'unknown');
});

test('what was found besides is judged too, but not what the driver was told', () => {
  const figures = (ms: number): Row =>
    row([1, 2, 3].map((i) => ({ figures: { 'reload ms': ms + i, 'asked/s': ms } })));
  const { findings } = compareResults(result([figures(100)]), result([figures(300)]));
  assert.equal(findings.find((one) => one.metric === 'reload ms')?.verdict, 'worse');
  assert.equal(
    findings.find((one) => one.metric === 'asked/s'),
    undefined,
  );
});

test('MB per CPU second are better when there are more of them', () => {
  const figures = (mb: number): Row => row([1, 2, 3].map((i) => ({ figures: { 'MB/CPU s': mb + i } })));
  assert.equal(finding(figures(100), figures(300), 'MB/CPU s').verdict, 'better');
});

test('cells that only one of the results has are named', () => {
  const two: Partial<Row> = { cores: 2 };
  const { onlyFirst, onlySecond } = compareResults(
    result([rates([1, 2, 3]), rates([1, 2, 3], nginx)]),
    result([rates([1, 2, 3]), rates([1, 2, 3], two)]),
  );
  assert.deepEqual(onlyFirst, ['plain, nginx, 1 core']);
  assert.deepEqual(onlySecond, ['plain, portcullis, 2 cores']);
});

test('what the peers did meanwhile is the drift of the machine', () => {
  const before = result([rates([100, 100, 100]), rates([200, 200, 200], nginx)]);
  const after = result([rates([150, 150, 150]), rates([180, 180, 180], nginx)]);
  assert.ok(Math.abs((compareResults(before, after).drift ?? 0) + 0.1) < 1e-9);
});

test('without a peer there is no drift to tell', () => {
  assert.equal(compareResults(result([rates([1, 2, 3])]), result([rates([1, 2, 3])])).drift, null);
});

test('results of another machine are said to be so', () => {
  const here = result([rates([1, 2, 3])]);
  const there: ResultFile = { ...here, machine: { ...here.machine, cores: 64 } };
  assert.equal(compareResults(here, there).isSameMachine, false);
  assert.equal(compareResults(here, here).isSameMachine, true);
});

test('a line says cell, change, noise and chance', () => {
  const line = lineOf(finding(rates([100, 101, 102]), rates([80, 81, 82]), 'requests/s'));
  assert.equal(
    line,
    'worse   plain, portcullis, 1 core: requests/s 101 → 81.0 (−19.8 %, noise 2.5 %, by chance 10.0 %)',
  );
});
