// How turns are shared out.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Rotation } from '../../../../src/proxy/services/rotation.ts';
import { serverOf } from './bench-server.ts';

test('over a whole round every server gets exactly its weight, whatever the weights', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 0, max: 99 }),
      (weights, start) => {
        const servers = weights.map((weight, i) => serverOf(`http://10.0.0.${i}:80`, weight));
        const rotation = new Rotation(servers, start / 100);
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        const turns = new Map(servers.map((server) => [server, 0]));
        for (let i = 0; i < total; i++) {
          const server = rotation.pick();
          assert.ok(server !== null);
          turns.set(server, (turns.get(server) ?? 0) + 1);
        }
        const isEven = weights.every((weight) => weight === weights[0]);
        assert.deepEqual([...turns.values()], isEven ? weights.map(() => total / weights.length) : weights);
      },
    ),
  );
});

test('a heavy server does not get its turns in a row', () => {
  const servers = [serverOf('http://a', 5), serverOf('http://b', 1), serverOf('http://c', 1)];
  const rotation = new Rotation(servers, 0);
  const order = Array.from({ length: 7 }, () => rotation.pick()?.url.slice(-1)).join('');
  assert.equal(order, 'aabacaa');
});

test('servers that are down get no turn, and none is picked when all are down', () => {
  for (const weights of [
    [1, 1, 1],
    [3, 1, 2],
  ]) {
    const servers = weights.map((weight, i) => serverOf(`http://10.0.0.${i}:80`, weight));
    const rotation = new Rotation(servers, 0.99);
    const [first, second, third] = servers;
    assert.ok(first !== undefined && second !== undefined && third !== undefined);
    first.up = false;
    for (let i = 0; i < 20; i++) assert.notEqual(rotation.pick(), first);
    second.up = false;
    third.up = false;
    assert.equal(rotation.pick(), null);
    third.up = true;
    assert.equal(rotation.pick(), third);
  }
});

test('without servers there is nothing to pick', () => {
  assert.equal(new Rotation([], 0.5).pick(), null);
});
