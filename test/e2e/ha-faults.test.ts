// What goes wrong without a warning, in a pair with keepalived under 200 requests a second and ten WebSockets.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../support/gateway.ts';
import { hasAddress } from '../support/ha-pair.ts';
import { keepsShared, note, runs, underLoad } from '../support/ha-report.ts';
import { other, usePair } from '../support/ha-use.ts';

const { skip, pair, active: activeNode } = usePair();
const options = { skip, timeout: 60_000 };

for (let run = 1; run <= runs; run += 1) {
  test(
    'a gateway killed with SIGKILL moves the address within a second and nothing fails after that',
    options,
    async (t) => {
      const active = activeNode();
      const damage = await underLoad(pair(), async () => {
        pair().gateway(active).killGroup('SIGKILL');
        const moved = await pair().movesTo(other(active), 5_000);
        t.diagnostic(`moved after ${Math.round(moved)} ms`);
        note('gateway killed: s until the address moved', moved / 1000);
        await sleep(2_500);
      });
      t.diagnostic(damage.text);
      note('gateway killed: s until the last request that fails', damage.lasted / 1000);
      note('gateway killed: requests failed', damage.failed.length);
      note('gateway killed: tokens asked for again', damage.asksAgain);
      note('gateway killed: strayed, or begun anew', damage.strayed + damage.lost);
      assert.ok(damage.lasted <= 1_000, damage.text);
      assert.ok(keepsShared(damage), damage.text);
    },
  );

  test('the node that comes back does not take the address and costs nothing', options, async (t) => {
    const active = activeNode();
    const damage = await underLoad(pair(), async () => {
      await pair().startGateway(other(active));
      await sleep(3_500);
    });
    t.diagnostic(damage.text);
    note('node comes back: requests failed', damage.failed.length);
    assert.equal(damage.failed.length, 0, damage.text);
    assert.equal(pair().active(), active);
  });

  test(
    'a worker killed with SIGKILL costs what it had in hand, and the address stays',
    options,
    async (t) => {
      const active = activeNode();
      const gateway = pair().gateway(active);
      const damage = await underLoad(pair(), async () => {
        const [victim] = workersOf(gateway.pid);
        process.kill(victim as number, 'SIGKILL');
        await eventually('it is replaced', () => workersOf(gateway.pid).length === 2);
        await sleep(1_000);
      });
      t.diagnostic(damage.text);
      note('worker killed: requests failed', damage.failed.length);
      note(
        'worker killed: tokens asked for again, strayed, begun anew',
        damage.asksAgain + damage.strayed + damage.lost,
      );
      // Two hundred a second at a few milliseconds each: hardly ever more than a handful at once.
      assert.ok(damage.failed.length <= 10 && damage.lasted <= 500, damage.text);
      assert.ok(keepsShared(damage), damage.text);
      assert.equal(pair().active(), active);
    },
  );

  test('a backend killed with SIGKILL costs at most what it had in hand', options, async (t) => {
    const damage = await underLoad(pair(), async () => {
      pair().backend('two').killGroup('SIGKILL');
      await sleep(2_000);
    });
    await pair().startBackend('two');
    t.diagnostic(damage.text);
    note('backend killed: requests failed', damage.failed.length);
    // With one retry, which may meet the same server: nobody knows yet that it is gone.
    assert.ok(damage.failed.length <= 5 && damage.lasted <= 500, damage.text);
  });

  test(
    'a cut link moves the address within two seconds, and its return costs nothing',
    options,
    async (t) => {
      const active = activeNode();
      const damage = await underLoad(pair(), async () => {
        pair().lan.link(active, 'down');
        const moved = await eventually(
          'the other one answers',
          () => hasAddress(pair().lan, other(active), pair().address),
          5_000,
        );
        t.diagnostic(`moved after ${Math.round(moved)} ms`);
        note('link cut: s until the address moved', moved / 1000);
        await sleep(1_500);
      });
      t.diagnostic(damage.text);
      note('link cut: s until the last request that fails', damage.lasted / 1000);
      note('link cut: strayed, or begun anew', damage.strayed + damage.lost);
      assert.ok(damage.lasted <= 2_000, damage.text);
      const back = await underLoad(pair(), async () => {
        pair().lan.link(active, 'up');
        await sleep(3_000);
      });
      t.diagnostic(`return: ${back.text}`);
      note('link back: requests failed', back.failed.length);
      assert.equal(back.failed.length, 0, back.text);
    },
  );
}

function workersOf(pid: number): number[] {
  return pair()
    .lan.run('lan', 'cat', `/proc/${pid}/task/${pid}/children`)
    .split(' ')
    .filter((one) => one.trim() !== '')
    .map(Number);
}
