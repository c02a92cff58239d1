// Long lists: made in slices, one answer after the other.

import assert from 'node:assert/strict';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { test } from 'node:test';
import type { MiddlewareSpec, Snapshot } from '../../../../src/model/snapshot.ts';
import { createQueue, mapInSlices } from '../../../../src/primary/api/slices.ts';
import { router, service } from '../support.ts';
import { ask } from './support.ts';
import { noTls } from '../../../../src/model/tls.ts';

test('a list is mapped in order, with turns for others in between', async () => {
  let turns = 0;
  const timer = setInterval(() => (turns += 1), 1);
  const items = Array.from({ length: 40 }, (_, i) => i);
  const busy = (item: number): number => {
    const until = performance.now() + 2;
    while (performance.now() < until);
    return item * 2;
  };
  const mapped = await mapInSlices(items, busy);
  clearInterval(timer);
  assert.deepEqual(
    mapped,
    items.map((item) => item * 2),
  );
  assert.ok(turns >= 3, `${turns} turns`);
});

test('what is queued runs one by one, also after a failure, and no more waits than may', async () => {
  const queue = createQueue(2);
  const order: string[] = [];
  const work = (name: string, fails: boolean) => async (): Promise<string> => {
    order.push(`${name} begins`);
    await new Promise((resolve) => setTimeout(resolve, 2));
    order.push(`${name} ends`);
    if (fails) throw new Error(name);
    return name;
  };
  const first = queue.run(work('a', true));
  const second = queue.run(work('b', false));
  assert.equal(queue.run(work('c', false)), null);
  await assert.rejects(first ?? Promise.resolve(), /a/);
  assert.equal(await second, 'b');
  assert.deepEqual(order, ['a begins', 'a ends', 'b begins', 'b ends']);
  assert.equal(await queue.run(work('d', false)), 'd');
});

test('10,000 routers are told about without holding the process up for long', async () => {
  const snapshot = manyRouters(10_000);
  for (const path of ['/api/rawdata', '/api/http/routers?per_page=10000', '/api/http/routers?search=r99']) {
    await ask(path, { snapshot });
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    const { status } = await ask(path, { snapshot });
    await new Promise((resolve) => setTimeout(resolve, 5));
    delay.disable();
    assert.equal(status, 200);
    // 50 ms is the aim; the rest is for a machine that is busy with other tests.
    assert.ok(delay.max / 1e6 < 250, `${path}: ${delay.max / 1e6} ms`);
  }
});

function manyRouters(count: number): Snapshot {
  const headers: MiddlewareSpec = {
    name: 'headers@file',
    provider: 'file',
    kind: 'headers',
    options: { customRequestHeaders: { 'X-Forwarded-Proto': 'https' } },
    errors: [],
  };
  const all = Array.from({ length: count }, (_, i) => i);
  return {
    version: 1,
    hash: 'many',
    routers: all.map((i) =>
      router(`r${i}@file`, {
        service: `s${i}@file`,
        rule: `Host(\`h${i}.test\`)`,
        middlewares: ['headers@file'],
      }),
    ),
    middlewares: [headers],
    services: all.map((i) => service(`s${i}@file`, [`http://10.0.${i >> 8}.${i & 255}:80`])),
    transports: [],
    tls: noTls,
  };
}
