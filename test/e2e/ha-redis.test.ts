// What happens to a pair's clients when the Redis that both nodes share dies, stalls, or is cut off from one of them;
// and that the nodes do not order the same certificate twice meanwhile.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../support/gateway.ts';
import type { Node } from '../support/ha-pair.ts';
import { type Damage, keepsShared, note, runs, underLoad } from '../support/ha-report.ts';
import { usePair } from '../support/ha-use.ts';

const {
  skip,
  pair: there,
  active: activeNode,
} = usePair({ authority: true }, ['redis-server', 'pebble', 'openssl']);
const options = { skip, timeout: 120_000 };
const slow = {
  skip: skip !== false ? skip : process.env['HA_RUNS'] === undefined && 'only with HA_RUNS',
  timeout: 240_000,
};
/** Until then every worker has met every token and every session. */
const load = { before: 3_000 };

for (let run = 1; run <= runs; run += 1) {
  test('Redis killed and back after ten seconds: no request fails, limits hold', options, async (t) => {
    const { redis } = there();
    await withoutRedis(t, { row: 'Redis killed', rest: 1_000 }, async () => {
      await redis.kill('redis');
      await sleep(10_000);
      await redis.start('redis');
    });
  });

  test('Redis stalled: no request waits for it longer than its budget', options, async (t) => {
    const { redis } = there();
    const damage = await withoutRedis(t, { row: 'Redis stalled' }, async () => {
      redis.pause('redis');
      await sleep(4_000);
      redis.resume('redis');
    });
    // 50 ms for a limit, a session or a decision, on top of what a request takes on this machine now.
    assert.ok(damage.p99 <= damage.p99Before + 50 + 150, damage.text);
  });

  test('the active node cut off from Redis and healed: no request fails, limits hold', options, async (t) => {
    await withoutRedis(t, { row: 'node cut off from Redis', patience: 20_000 }, async (active) => {
      there().cut(active, 'redis');
      await sleep(6_000);
      there().heal(active, 'redis');
    });
  });

  test('of two nodes that want a certificate, the one cut off orders none', options, async () => {
    const { authority, gateway } = there();
    const [cut, other] = ['a', 'b'] as const;
    const before = authority?.orders() ?? 0;
    const name = `cut-${run}.pair.test`;
    there().cut(cut, 'redis');
    try {
      there().wantCertificates([name]);
      await eventually('the other one has it', () => serial(other, name) !== null, 30_000);
      await sleep(2_000);
      assert.equal(serial(cut, name), null, gateway(cut).output().slice(-2000));
    } finally {
      there().heal(cut, 'redis');
    }
    const taken = await eventually('both have it', () => serial(cut, name) !== null, 60_000);
    note(
      'ACME, one node cut off: s after it is healed until it serves what the other one ordered',
      taken / 1000,
    );
    assert.equal(serial(cut, name), serial(other, name));
    assert.equal((authority?.orders() ?? 0) - before, 1);
  });

  // Over a minute: an order counts as failed from its beginning, so that one that kills its gateway is not repeated
  // at once, and the other node waits for that, too.
  test('a node that is cut off while it orders is fenced off', slow, async (t) => {
    const { authority, gateway } = there();
    const [holder, other] = ['a', 'b'] as const;
    const before = authority?.orders() ?? 0;
    const name = `fenced-${run}.pair.test`;
    const orders = (node: Node): boolean =>
      gateway(node)
        .output()
        .split('\n')
        .some((line) => line.includes('a certificate is ordered') && line.includes(name));
    there().cut(other, 'redis');
    const started = performance.now();
    try {
      there().wantCertificates([name]);
      // Between the order and the certificate: its challenge gets a quarter of a second to reach all workers.
      await eventually('one of them has ordered', () => (authority?.orders() ?? 0) > before, 30_000);
      authority?.pause();
      there().heal(other, 'redis');
      there().cut(holder, 'redis');
      await eventually('the other one orders', () => orders(other), 120_000);
      t.diagnostic(`taken over after ${Math.round(performance.now() - started)} ms`);
      // What the first one asked for is answered now, too.
      authority?.resume();
      await eventually('the other one has it', () => serial(other, name) !== null, 30_000);
      await sleep(1_000);
      assert.equal(serial(holder, name), null, 'it is nothing to the one that was fenced off');
    } finally {
      authority?.resume();
      there().heal(holder, 'redis');
    }
    const stored = serial(other, name);
    await eventually('both have it', () => serial(holder, name) !== null, 60_000);
    assert.deepEqual([serial(holder, name), serial(other, name)], [stored, stored]);
    const made = (authority?.orders() ?? 0) - before;
    t.diagnostic(`orders: ${made}`);
    note('ACME, cut off while it orders: orders', made);
    // At most the one that was under way, and never finished.
    assert.ok(made >= 1 && made <= 2, String(made));
  });
}

interface Outage {
  /** What its rows of the table begin with. */
  readonly row: string;
  /** Milliseconds until both workers of the active node must use Redis again; 10 s unless said. */
  readonly patience?: number;
  /** Milliseconds that clients go on after that; half a second unless said. */
  readonly rest?: number;
}

/** What clients see of `outage`, which takes Redis away and gives it back: noted, and no harm. */
async function withoutRedis(
  t: TestContext,
  { row, patience, rest = 500 }: Outage,
  outage: (active: Node) => Promise<void>,
): Promise<Damage> {
  const active = activeNode();
  const returns = (): number => timesBack(there().gateway(active).output());
  const fault = async (): Promise<void> => {
    const before = returns();
    await outage(active);
    await eventually('both workers use it again', () => returns() >= before + 2, patience);
    await sleep(rest);
  };
  const damage = await underLoad(there(), fault, load);
  t.diagnostic(damage.text);
  noteAll(row, damage);
  unharmed(damage, active);
  return damage;
}

function noteAll(what: string, damage: Damage): void {
  note(`${what}: requests failed`, damage.failed.length);
  note(`${what}: 99 of 100 answers within, ms`, damage.p99);
  note(`${what}: slowest answer, ms`, damage.slowest);
  note(`${what}: the most a limit let through, of its value`, damage.excess);
  note(`${what}: strayed, or begun anew`, damage.strayed + damage.lost);
  note(`${what}: tokens asked for again`, damage.asksAgain);
}

function unharmed(damage: Damage, active: Node): void {
  assert.equal(damage.failed.length, 0, damage.text);
  // Who asks the auth server again while Redis is away, and after it came back empty, does so for good reason.
  assert.ok(keepsShared({ ...damage, asksAgain: 0 }), damage.text);
  assert.ok(damage.excess <= 2, damage.text);
  assert.equal(there().active(), active);
}

function timesBack(log: string): number {
  return log.split('Redis is back').length - 1;
}

/** Of the certificate the node serves for the name; null: one of its own making. */
function serial(node: Node, name: string): string | null {
  const ask = `openssl s_client -connect 127.0.0.1:443 -servername ${name} </dev/null 2>/dev/null`;
  const shown = there().lan.run(node, 'sh', '-c', `${ask} | openssl x509 -noout -issuer -serial || true`);
  return /Pebble/.test(shown) ? (/serial=(\w+)/.exec(shown)?.[1] ?? null) : null;
}
