// Which server a strategy picks.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Exchange } from '../../../../src/proxy/exchange.ts';
import { HighestRandomWeight } from '../../../../src/proxy/services/highest-random-weight.ts';
import { LeastTime, TwoChoices } from '../../../../src/proxy/services/least-loaded.ts';
import type { Picker } from '../../../../src/proxy/services/picker.ts';
import { Rotation } from '../../../../src/proxy/services/rotation.ts';
import type { Server } from '../../../../src/proxy/services/server.ts';
import { ServerStats } from '../../../../src/proxy/services/server-stats.ts';
import { serverOf } from './bench-server.ts';

function measured(weights: readonly number[]) {
  return weights.map((weight, i) => ({
    server: serverOf(`http://10.0.0.${i}:80`, weight),
    stats: new ServerStats({ passive: null, timed: true, failing: () => {} }),
  }));
}

/** All a strategy looks at. */
const from = (peer: string): Exchange => ({ peer }) as Exchange;
const somebody = from('192.0.2.1');

const strategies: Readonly<Record<string, (all: ReturnType<typeof measured>) => Picker<Server>>> = {
  wrr: (all) =>
    new Rotation(
      all.map(({ server }) => server),
      0,
    ),
  p2c: (all) => new TwoChoices(all),
  hrw: (all) => new HighestRandomWeight(all.map(({ server }) => server)),
  leasttime: (all) => new LeastTime(all),
};

for (const [name, make] of Object.entries(strategies)) {
  test(`${name}: a server that is down is never picked, and one that is up always found`, () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ weight: fc.integer({ min: 1, max: 9 }), up: fc.boolean() }), { maxLength: 6 }),
        fc.ipV4(),
        (wanted, peer) => {
          const all = measured(wanted.map(({ weight }) => weight));
          for (const [i, { up }] of wanted.entries()) (all[i] as (typeof all)[number]).server.up = up;
          const picker = make(all);
          const ups = all.filter(({ server }) => server.up).length;
          for (let round = 0; round < 5; round++) {
            const picked = picker.pick(from(peer));
            assert.equal(picked === null, ups === 0);
            if (picked === null) continue;
            assert.equal(picked.up, true);
            const other = picker.pickOther(from(peer), picked);
            assert.notEqual(other, picked);
            assert.equal(other === null, ups === 1);
            assert.notEqual(other?.up, false);
          }
        },
      ),
    );
  });
}

test('hrw: clients spread by weight, and only those of a lost server move', () => {
  const servers = [1, 2, 1].map((weight, i) => serverOf(`http://10.0.0.${i}:80`, weight));
  const picker = new HighestRandomWeight(servers);
  const clients = Array.from({ length: 4000 }, (_, i) =>
    from(`10.${i % 7}.${i % 251}.${Math.floor(i / 251)}`),
  );
  const before = clients.map((client) => picker.pick(client));
  const share = (server: Server | undefined): number =>
    before.filter((picked) => picked === server).length / clients.length;
  assert.ok(Math.abs(share(servers[1]) - 0.5) < 0.05, String(share(servers[1])));
  assert.ok(Math.abs(share(servers[0]) - 0.25) < 0.05, String(share(servers[0])));
  const [lost] = servers;
  assert.ok(lost !== undefined);
  lost.up = false;
  for (const [i, client] of clients.entries()) {
    const after = picker.pick(client);
    if (before[i] === lost) assert.notEqual(after, lost);
    else assert.equal(after, before[i]);
  }
});

test('p2c: of two different servers the one with fewer requests is picked', () => {
  const all = measured([1, 1, 1]);
  const [first, second, third] = all;
  assert.ok(first !== undefined && second !== undefined && third !== undefined);
  first.stats.began();
  first.stats.began();
  second.stats.began();
  let draws: number[] = [];
  const picker: Picker<Server> = new TwoChoices(all, () => draws.shift() ?? 0);
  for (const [a, b, expected] of [
    [0, 0, second],
    [0, 0.9, third],
    [0.4, 0.9, third],
    [0.4, 0, second],
  ] as const) {
    draws = [a, b];
    assert.equal(picker.pick(somebody), expected.server);
  }
});

test('leasttime: time to the first byte and requests under way weigh against a server, its weight for it', () => {
  const all = measured([1, 1, 4]);
  const [quick, slow, heavy] = all;
  assert.ok(quick !== undefined && slow !== undefined && heavy !== undefined);
  for (const [one, ms] of [
    [quick, 10],
    [slow, 30],
    [heavy, 60],
  ] as const) {
    one.stats.began();
    one.stats.answered(200, ms);
    one.stats.left();
  }
  const picker: Picker<Server> = new LeastTime(all);
  assert.equal(picker.pick(somebody), quick.server);
  quick.stats.began();
  assert.equal(picker.pick(somebody), heavy.server, '60 / 4 is less than 10 * 2');
  heavy.stats.began();
  heavy.stats.began();
  assert.equal(picker.pick(somebody), quick.server);
  quick.stats.began();
  quick.stats.began();
  assert.equal(picker.pick(somebody), slow.server, '10 * 4 and 60 * 3 / 4 are more than 30');
});

test('leasttime: servers nobody has asked yet take turns before all others', () => {
  const all = measured([1, 1, 1]);
  const picker: Picker<Server> = new LeastTime(all);
  const turns = Array.from({ length: 6 }, () => picker.pick(somebody)?.url.at(-4)).join('');
  assert.equal(turns, '012012');
});

test('the mean is that of the last hundred answers', () => {
  const stats = new ServerStats({ passive: null, timed: true, failing: () => {} });
  assert.equal(stats.meanMs, 0);
  for (let i = 0; i < 250; i++) stats.answered(200, 1000);
  for (let i = 0; i < 100; i++) stats.answered(200, i < 50 ? 10 : 20);
  assert.equal(Math.round(stats.meanMs * 1000) / 1000, 15);
});
