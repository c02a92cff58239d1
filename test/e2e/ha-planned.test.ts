// What is done on purpose, in a pair with keepalived under 200 requests a second and ten WebSockets: nothing is lost.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../support/gateway.ts';
import { type Damage, keepsShared, note, runs, underLoad } from '../support/ha-report.ts';
import { other, usePair } from '../support/ha-use.ts';

const { skip, pair, active: activeNode } = usePair();
const options = { skip, timeout: 60_000 };
// As long as any client waits: a lost SYN comes again after a second.
const patient = { patience: 3_000 };

for (let run = 1; run <= runs; run += 1) {
  test('all workers rolled under load: no request fails and the address stays', options, async (t) => {
    const active = activeNode();
    const gateway = pair().gateway(active);
    const damage = await underLoad(
      pair(),
      async () => {
        process.kill(gateway.pid, 'SIGUSR2');
        await eventually(
          'they are replaced',
          () => gateway.output().includes('workers are replaced'),
          30_000,
        );
        await sleep(1_500);
      },
      patient,
    );
    unharmed(t, 'workers rolled', damage);
    assert.equal(pair().active(), active);
  });

  test(
    'the whole process replaced under load: no request fails and the address stays',
    options,
    async (t) => {
      const active = activeNode();
      const old = pair().gateway(active);
      const damage = await underLoad(
        pair(),
        async () => {
          await pair().startGateway(active, old.pid);
          assert.equal(await Promise.race([old.exited, sleep(25_000, 'late')]), 0);
          await sleep(1_500);
        },
        patient,
      );
      unharmed(t, 'process replaced', damage);
      assert.match(pair().gateway(active).output(), /took over/);
      assert.equal(pair().active(), active);
    },
  );

  test(
    'a gateway ended with SIGTERM hands the address over first and loses no request',
    options,
    async (t) => {
      const active = activeNode();
      const gateway = pair().gateway(active);
      const damage = await underLoad(
        pair(),
        async () => {
          process.kill(gateway.pid, 'SIGTERM');
          const moved = await pair().movesTo(other(active), 5_000);
          t.diagnostic(`moved after ${Math.round(moved)} ms`);
          note('SIGTERM: s until the address moved', moved / 1000);
          assert.equal(await Promise.race([gateway.exited, sleep(20_000, 'late')]), 0);
          await sleep(500);
        },
        patient,
      );
      unharmed(t, 'SIGTERM', damage);
      assert.doesNotMatch(damage.text, /1006/, 'WebSockets are closed with 1001');
      await pair().startGateway(active);
      await pair().serves(active);
    },
  );
}

function unharmed(t: TestContext, what: string, damage: Damage): void {
  t.diagnostic(damage.text);
  note(`${what}: requests failed`, damage.failed.length);
  note(
    `${what}: tokens asked for again, strayed, begun anew`,
    damage.asksAgain + damage.strayed + damage.lost,
  );
  assert.equal(damage.failed.length, 0, damage.text);
  assert.ok(keepsShared(damage), damage.text);
}
