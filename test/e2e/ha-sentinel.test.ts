// A pair whose Redis is a master and a replica under three sentinels: the master dies, and no client notices.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../support/gateway.ts';
import { keepsShared, note, runs, underLoad } from '../support/ha-report.ts';
import { usePair } from '../support/ha-use.ts';

const { skip, pair: there, active: activeNode } = usePair({ sentinel: true }, ['redis-server']);

for (let run = 1; run <= runs; run += 1)
  test('the master of Redis dies and a replica follows it: no request fails', {
    skip,
    timeout: 90_000,
  }, async (t) => {
    const { redis, gateway } = there();
    const active = activeNode();
    const old = redis.master();
    const back = (): number => gateway(active).output().split('Redis is back').length;
    const damage = await underLoad(
      there(),
      async () => {
        const before = back();
        await redis.kill(old);
        const elected = await eventually('another master', () => redis.master() !== old, 20_000);
        note('Sentinel: s until another master', elected / 1000);
        await eventually('both workers use it', () => back() >= before + 2, 20_000);
        await sleep(1_000);
      },
      { before: 3_000 },
    );
    t.diagnostic(damage.text);
    note('Sentinel: requests failed', damage.failed.length);
    note('Sentinel: slowest answer, ms', damage.slowest);
    note('Sentinel: the most a limit let through, of its value', damage.excess);
    note('Sentinel: strayed, or begun anew', damage.strayed + damage.lost);
    note('Sentinel: tokens asked for again', damage.asksAgain);
    assert.equal(damage.failed.length, 0, damage.text);
    assert.ok(keepsShared({ ...damage, asksAgain: 0 }), damage.text);
    assert.ok(damage.excess <= 2, damage.text);
    // It comes back as a replica.
    await redis.start(old);
    await redis.isWhole();
  });
