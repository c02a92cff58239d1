// Failures of one server, counted as its passive health check wants it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ServerStats } from '../../../../src/proxy/services/server-stats.ts';

function counting(maxFailedAttempts: number, failureWindow = 60_000) {
  let reports = 0;
  const stats = new ServerStats({
    passive: { failureWindow, maxFailedAttempts },
    timed: false,
    failing: () => reports++,
  });
  return { stats, reports: () => reports };
}

test('a status of 500 and above and a broken answer are failures, anything below is a success', () => {
  const { stats, reports } = counting(1);
  for (const status of [200, 404, 499]) stats.answered(status, 1);
  assert.equal(reports(), 0);
  stats.answered(500, 1);
  assert.equal(reports(), 1);
  stats.failed();
  assert.equal(reports(), 2);
});

test('only failures in a row add up', () => {
  const { stats, reports } = counting(3);
  for (let round = 0; round < 5; round++) {
    stats.failed();
    stats.answered(503, 1);
    stats.answered(200, 1);
  }
  assert.equal(reports(), 0);
  for (let i = 0; i < 3; i++) stats.failed();
  assert.equal(reports(), 1);
});

test('failures further apart than the window do not add up', async () => {
  const { stats, reports } = counting(2, 20);
  stats.failed();
  const begun = performance.now();
  while (performance.now() - begun <= 25) await new Promise((resolve) => setTimeout(resolve, 5));
  stats.failed();
  assert.equal(reports(), 0);
  stats.failed();
  assert.equal(reports(), 1);
});

test('a service without a passive health check counts nothing', () => {
  const stats = new ServerStats({ passive: null, timed: false, failing: () => assert.fail() });
  stats.began();
  stats.answered(500, 1);
  stats.failed();
  stats.left();
  assert.equal(stats.inFlight, 0);
});
