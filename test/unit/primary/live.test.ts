// Live numbers: sums over workers, quantiles, bounds, and who waits.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  latencyBucket,
  latencyBuckets,
  latencyOf,
  type LiveCounts,
  type LiveError,
} from '../../../src/model/live.ts';
import { createLive, maxWaiting, quantile } from '../../../src/primary/live.ts';

const counts: LiveCounts = {
  requests: 10,
  classes: [0, 6, 0, 3, 1],
  latencies: [latencyBucket(5), 9, latencyBucket(500), 1],
  authHits: 4,
  authMisses: 1,
  errors: [],
};

const error: LiveError = {
  code: 'upstream.reset',
  blame: 'server',
  status: 502,
  entryPoint: 'web',
  router: 'r@file',
  service: 's@file',
  server: 'http://10.0.0.1',
  reason: 'upstream.reset',
  count: 2,
};

test('a latency is counted within 10 percent of what it was', () => {
  for (const ms of [0.2, 0.7, 1, 3.3, 12, 80, 450, 2_000, 20_000]) {
    const shown = latencyOf(latencyBucket(ms));
    assert.ok(Math.abs(shown - ms) / ms < 0.1, `${ms} is shown as ${shown}`);
  }
  assert.equal(latencyBucket(0), 0);
  assert.equal(latencyBucket(Number.MAX_VALUE), latencyBuckets - 1);
});

test('quantiles are those of all values', () => {
  const buckets = new Uint32Array(latencyBuckets);
  assert.equal(quantile(buckets, 0.5), null);
  buckets[latencyBucket(1)] = 98;
  buckets[latencyBucket(100)] = 2;
  assert.ok((quantile(buckets, 0.5) as number) < 1.2);
  assert.ok((quantile(buckets, 0.98) as number) < 1.2);
  assert.ok((quantile(buckets, 0.99) as number) > 90);
});

test('a second adds up what all workers counted in it', async () => {
  const live = createLive();
  try {
    live.add(counts);
    live.add(counts);
    await live.next();
    const [point] = live.view(0, 0).points;
    assert.deepEqual(
      [point?.requests, point?.clientErrors, point?.serverErrors, point?.authHits, point?.authMisses],
      [20, 6, 2, 8, 2],
    );
    assert.ok((point?.p50 as number) < 6 && (point?.p99 as number) > 400);
    await live.next();
    assert.equal(live.view(0, 0).points[1]?.requests, 0);
    assert.equal(live.view(0, 0).points[1]?.p50, null);
    assert.equal(live.view(live.view(0, 0).points[0]?.at ?? 0, 0).points.length, 1);
  } finally {
    live.close();
  }
});

test('errors of one kind at one place are one, the youngest first', () => {
  const live = createLive();
  live.add({ ...counts, errors: [error] });
  live.add({ ...counts, errors: [{ ...error, server: 'http://10.0.0.2' }] });
  live.add({ ...counts, errors: [error] });
  const { errors } = live.view(0, 0);
  assert.deepEqual(
    errors?.map(({ server, count }) => [server, count]),
    [
      ['http://10.0.0.1', 4],
      ['http://10.0.0.2', 2],
    ],
  );
  live.close();
});

test('errors and events are bounded, and told only when they change', () => {
  const live = createLive();
  for (let i = 0; i < 500; i += 1) {
    live.add({ ...counts, errors: [{ ...error, server: `http://s${i}` }] });
    live.serverChanged({ service: 's@file', url: `http://s${i}`, up: i % 2 === 0 });
  }
  const view = live.view(0, 0);
  assert.equal(view.errors?.length, 200);
  assert.equal(view.events?.length, 200);
  assert.equal(view.errors?.[0]?.server, 'http://s499');
  assert.equal(live.view(0, view.revision).errors, null);
  live.snapshotChanged(9);
  assert.equal(live.view(0, view.revision).events?.[0]?.kind, 'snapshot');
  live.close();
});

test('who has seen another process gets everything', async () => {
  const live = createLive();
  await live.next();
  const view = live.view(9_999_999_999, 1);
  assert.equal(view.points.length, 1);
  assert.notEqual(live.view(0, 77).errors, null);
  live.close();
});

test('as many as 64 wait; others do not, and nobody waits for what has ended', async () => {
  const live = createLive();
  let woken = 0;
  const waiting = Array.from({ length: maxWaiting }, () => live.next().then(() => (woken += 1)));
  await live.next();
  assert.equal(woken, 0, 'one more than fits is answered at once');
  live.close();
  await Promise.all(waiting);
  assert.equal(woken, maxWaiting);
  await live.next();
});
