// Live numbers through real workers: all of them add up, and nobody who waits holds anything up.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { eventually, startGateway, type TestGateway } from '../support/gateway.ts';
import { type Origin, startOrigin } from '../support/origin.ts';

interface View {
  readonly points: readonly {
    readonly at: number;
    readonly requests: number;
    readonly serverErrors: number;
  }[];
  readonly errors:
    | readonly { readonly code: string; readonly router: string; readonly count: number }[]
    | null;
}

describe('live numbers', () => {
  let origin: Origin;
  let gateway: TestGateway;
  before(async () => {
    origin = await startOrigin();
    gateway = await startGateway({
      workers: 2,
      static: { api: { insecure: true }, entryPoints: { web: {} } },
      dynamic: {
        http: {
          routers: {
            good: { rule: 'PathPrefix(`/good`)', service: 'good' },
            bad: { rule: 'PathPrefix(`/bad`)', service: 'bad' },
          },
          services: {
            good: { loadBalancer: { servers: [{ url: origin.url }] } },
            bad: { loadBalancer: { servers: [{ url: 'http://127.0.0.1:9' }] } },
          },
        },
      },
    });
  });
  after(async () => {
    await gateway?.stop();
    await origin?.stop();
  });

  const view = async (query = ''): Promise<View> => {
    const response = await fetch(`${gateway.url('traefik')}/api/portcullis/live${query}`);
    assert.equal(response.headers.get('cache-control'), 'no-store');
    return (await response.json()) as View;
  };
  const requests = async (): Promise<number> =>
    (await view()).points.reduce((sum, point) => sum + point.requests, 0);
  const send = async (path: string, count: number): Promise<void> => {
    for (let i = 0; i < count; i += 1) {
      // A connection each, so that both workers get some.
      const headers = { connection: 'close' };
      await (await fetch(`${gateway.url('web')}${path}?token=canary`, { headers })).arrayBuffer();
    }
  };

  test('add up over all workers, without those who only look', async () => {
    await send('/good', 40);
    await eventually('all are counted', async () => (await requests()) === 40);
    await send('/bad', 5);
    await eventually('errors too', async () => (await requests()) === 45);
    const { errors, points } = await view();
    assert.equal(
      points.reduce((sum, { serverErrors }) => sum + serverErrors, 0),
      5,
    );
    const bad = (errors ?? []).filter(({ router }) => router === 'bad@file');
    assert.equal(
      bad.reduce((sum, { count }) => sum + count, 0),
      5,
    );
    assert.ok(bad.every(({ code }) => code === 'upstream.connect_refused'));
    assert.ok(!JSON.stringify(errors).includes('canary'), 'nothing of a client is told');
  });

  test('never shrink when a worker dies, and its successor counts on', async () => {
    const [first = 0] = gateway.workerPids();
    process.kill(first, 'SIGKILL');
    await eventually('it is replaced', async () => {
      // A connection that was kept went with the worker.
      const { workers } = await gateway.status().catch(() => ({ workers: [] }));
      return workers.filter(({ state, pid }) => state === 'running' && pid !== first).length === 2;
    });
    assert.equal(await requests(), 45);
    await send('/good', 20);
    await eventually('all are counted', async () => (await requests()) === 65);
  });

  test('a question is held until the next second, and no more than 64 are', async () => {
    const at = (await view()).points.at(-1)?.at ?? 0;
    const began = performance.now();
    const answers = await Promise.all(Array.from({ length: 80 }, () => view(`?after=${at}&revision=1`)));
    assert.ok(performance.now() - began < 3_000);
    assert.ok(answers.filter(({ points }) => points.length > 0).length >= 64);
  });

  test('whoever waits does not keep a gateway from ending', async () => {
    const at = (await view()).points.at(-1)?.at ?? 0;
    const waiting = Promise.allSettled(Array.from({ length: 10 }, () => view(`?after=${at + 1}`)));
    const began = performance.now();
    await gateway.stop();
    assert.ok(performance.now() - began < 5_000);
    await waiting;
  });
});
