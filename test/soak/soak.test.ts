// The short form of `npm run soak`: all of its load and events in little more than a minute.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { missingRedis } from '../support/redis-server.ts';
import { toMarkdown } from './report.ts';
import { soak } from './soak.ts';

test('under mixed load reloads, rolls, killed workers and restarts cost nothing that is not allowed', {
  skip: missingRedis,
  timeout: 170_000,
}, async (t) => {
  const result = await soak({
    minutes: 1.2,
    period: 18,
    redisEvery: 3,
    look: 4,
    scale: 0.6,
    signal: t.signal,
    say: () => {},
  });
  const report = toMarkdown(result);
  t.diagnostic(report);
  assert.ok(result.passed, report);
  for (const event of ['reload', 'roll', 'kill', 'backend', 'redis', 'purge'])
    assert.ok(
      result.ledger.happened.some((one) => one.event === event),
      `no ${event} happened`,
    );
});
