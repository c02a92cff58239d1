// What is done on purpose, in a pair with keepalived under 200 requests a second and ten WebSockets: nothing is lost.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../support/gateway.ts';
import { type Node, type Pair, startPair } from '../support/ha-pair.ts';
import { damageOf, type Damage } from '../support/ha-report.ts';
import { cannotNetwork } from '../support/namespaces.ts';

const skip = cannotNetwork('keepalived', 'curl');
const options = { skip, timeout: 60_000 };
let pair: Pair;
before(
  async () => {
    if (skip === false) pair = await startPair();
  },
  { timeout: 60_000 },
);
after(async () => {
  if (skip === false) await pair.close();
});

test('all workers rolled under load: no request fails and the address stays', options, async (t) => {
  const active = activeNode();
  const gateway = pair.gateway(active);
  const damage = await underLoad(async () => {
    process.kill(gateway.pid, 'SIGUSR2');
    await eventually('they are replaced', () => gateway.output().includes('workers are replaced'), 30_000);
    await sleep(1_500);
  });
  t.diagnostic(damage.text);
  assert.equal(damage.failed.length, 0, damage.text);
  assert.equal(pair.active(), active);
});

test('the whole process replaced under load: no request fails and the address stays', options, async (t) => {
  const active = activeNode();
  const old = pair.gateway(active);
  const damage = await underLoad(async () => {
    await pair.startGateway(active, old.pid);
    assert.equal(await Promise.race([old.exited, sleep(25_000, 'late')]), 0);
    await sleep(1_500);
  });
  t.diagnostic(damage.text);
  assert.equal(damage.failed.length, 0, damage.text);
  assert.match(pair.gateway(active).output(), /took over/);
  assert.equal(pair.active(), active);
});

test('a gateway ended with SIGTERM hands the address over first and loses no request', options, async (t) => {
  const active = activeNode();
  const gateway = pair.gateway(active);
  const damage = await underLoad(async () => {
    process.kill(gateway.pid, 'SIGTERM');
    t.diagnostic(`moved after ${Math.round(await pair.movesTo(other(active), 5_000))} ms`);
    assert.equal(await Promise.race([gateway.exited, sleep(20_000, 'late')]), 0);
    await sleep(500);
  });
  t.diagnostic(damage.text);
  assert.equal(damage.failed.length, 0, damage.text);
  assert.doesNotMatch(damage.text, /1006/, 'WebSockets are closed with 1001');
});

async function underLoad(act: () => Promise<void>): Promise<Damage> {
  // As long as any client waits: a lost SYN comes again after a second.
  const client = await pair.startClient(3_000);
  await sleep(1_500);
  const at = Date.now();
  try {
    await act();
  } catch (error) {
    await client.stop();
    throw error;
  }
  return damageOf(await client.stop(), at);
}

function activeNode(): Node {
  const node = pair.active();
  assert.ok(node !== null, 'one of them has the address');
  return node;
}

function other(node: Node): Node {
  return node === 'a' ? 'b' : 'a';
}
