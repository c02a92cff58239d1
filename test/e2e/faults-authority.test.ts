// A certificate authority that stands still, dies or is not there while requests run.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { acmeStates, servesTls, setAcmeStage } from '../support/acme-stage.ts';
import { startLoad, startTested } from '../support/fault-stage.ts';
import { eventually, type TestGateway } from '../support/gateway.ts';
import { missingPebble, type Pebble } from '../support/pebble.ts';

const options = { skip: missingPebble, timeout: 90_000 };

test(
  'an authority that stands still under load delays its certificate and nothing else',
  options,
  async (t) => {
    const stage = await setStage(t);
    stage.pebble.pause();
    const gateway = await stage.start();
    const clients = startLoad(t, gateway, { connections: 4, pause: 5 });
    await wait(3_000);
    await servesTls(gateway);
    assert.doesNotMatch(await acmeStates(gateway), /"valid"/);
    stage.pebble.resume();
    const took = await eventually(
      'the certificate',
      async () => /"valid"/.test(await acmeStates(gateway)),
      30_000,
    );
    await servesTls(gateway);
    await clients.stop();
    t.diagnostic(
      `${clients.answered()} answered, the certificate ${took.toFixed()} ms after the authority went on`,
    );
    assert.deepEqual([clients.losses, Object.keys(clients.statuses)], [[], ['200']]);
  },
);

test('an authority that dies under load is named, and what it gave before is served', options, async (t) => {
  const stage = await setStage(t);
  const gateway = await stage.start();
  const clients = startLoad(t, gateway, { connections: 4, pause: 5 });
  await eventually('the certificate', async () => /"valid"/.test(await acmeStates(gateway)), 30_000);
  await stage.pebble.stop();
  await gateway.writeDynamic(stage.dynamic(['a.test', 'b.test']));
  await eventually('the reason', async () => /"lastError":"[^"]/.test(await acmeStates(gateway)), 30_000);
  assert.match(await acmeStates(gateway), /"valid"/);
  await servesTls(gateway);
  await clients.stop();
  assert.deepEqual([clients.losses, Object.keys(clients.statuses)], [[], ['200']]);
});

interface Stage {
  readonly pebble: Pebble;
  dynamic(hosts: readonly string[]): object;
  start(): Promise<TestGateway>;
}

async function setStage(t: TestContext): Promise<Stage> {
  const stage = await setAcmeStage(t, { badNonces: 0 });
  const plain = { rule: 'PathPrefix(`/`)', service: 'origin', entryPoints: ['web'] };
  const dynamic = (hosts: readonly string[]): object => stage.dynamic(hosts, { plain });
  return {
    pebble: stage.pebble,
    dynamic,
    start: () => startTested(t, { workers: 2, static: stage.static(), dynamic: dynamic(['a.test']) }),
  };
}
