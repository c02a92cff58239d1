// What metrics say of Redis, of sticky sessions and of workers, by a real Redis that comes and goes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask } from '../support/ask.ts';
import { eventually, startGateway, type TestGateway } from '../support/gateway.ts';
import { type Scrape, scrape, sumOf } from '../support/metrics.ts';
import { startOrigin } from '../support/origin.ts';
import { missingRedis, startRedis } from '../support/redis-server.ts';

const modes = 'portcullis_state_workers';
const latency = 'portcullis_state_latency_seconds';

async function when(
  gateway: TestGateway,
  what: string,
  check: (found: Scrape) => boolean,
  ms?: number,
): Promise<Scrape> {
  let found = await scrape(gateway.url('traefik'));
  await eventually(
    what,
    async () => {
      found = await scrape(gateway.url('traefik'));
      return check(found);
    },
    ms,
  );
  return found;
}

test('where workers count and how long Redis takes are shown, also while it is away and when it is back', {
  skip: missingRedis,
}, async (context) => {
  const redis = await startRedis(context);
  const origin = await startOrigin();
  const limit = { rateLimit: { average: 1000, burst: 1000 } };
  const gateway = await startGateway({
    workers: 2,
    static: {
      metrics: { prometheus: {} },
      state: { redis: { endpoints: [`127.0.0.1:${redis.port}`] }, onError: 'local' },
    },
    dynamic: {
      http: {
        middlewares: { limit },
        routers: { r: { rule: 'PathPrefix(`/r`)', service: 's', middlewares: ['limit'] } },
        services: { s: { loadBalancer: { servers: [{ url: origin.url }] } } },
      },
    },
  });
  context.after(async () => {
    await gateway.stop();
    await origin.stop();
  });
  const send = async (): Promise<void> => {
    assert.equal((await ask(gateway.port('web'), { host: 'x', target: '/r' })).status, 200);
  };
  const isAll = (mode: string) => (found: Scrape) =>
    sumOf(found, modes, `mode="${mode}"`) === 2 && sumOf(found, modes) === 2;

  await send();
  await when(gateway, 'both count in Redis', isAll('redis'));
  const before = await when(gateway, 'calls are counted', (found) => sumOf(found, `${latency}_count`) > 0);
  for (let i = 0; i < 10; i++) await send();
  const found = await when(
    gateway,
    'each call is counted',
    (one) => sumOf(one, `${latency}_count`) > sumOf(before, `${latency}_count`),
  );
  assert.ok(sumOf(found, `${latency}_sum`) > 0);
  assert.equal(sumOf(found, `${latency}_bucket`, 'le="+Inf"'), sumOf(found, `${latency}_count`));

  await redis.kill();
  // A worker notices by the next request that needs a limit.
  const showsLocal = isAll('local');
  await eventually(
    'both count for themselves',
    async () => {
      for (let i = 0; i < 8; i++) await send();
      return showsLocal(await scrape(gateway.url('traefik')));
    },
    20_000,
  );
  await redis.restart();
  await when(gateway, 'both count in Redis again', isAll('redis'), 30_000);
});

test('without Redis all workers count in memory, and no time of Redis is shown', async (context) => {
  const gateway = await startGateway({ workers: 2, static: { metrics: { prometheus: {} } } });
  context.after(() => gateway.stop());
  const found = await when(gateway, 'both have told', (one) => sumOf(one, modes, 'mode="memory"') === 2);
  assert.equal(sumOf(found, modes), 2);
  assert.ok(!found.types.has(latency));
});

test('sessions by header are shown for as long as the node knows them', async (context) => {
  const sessions = ['one', 'two', 'three'];
  let asked = 0;
  const origin = await startOrigin({
    answer: (request, response) => {
      if (request.headers['mcp-session-id'] === undefined)
        response.setHeader('Mcp-Session-Id', sessions[asked++ % sessions.length] as string);
      if (request.method === 'DELETE') response.statusCode = 204;
      response.end();
    },
  });
  const gateway = await startGateway({
    workers: 2,
    static: { metrics: { prometheus: {} } },
    dynamic: {
      http: {
        routers: { r: { rule: 'PathPrefix(`/r`)', service: 's' } },
        services: {
          s: {
            loadBalancer: {
              servers: [{ url: origin.url }],
              sticky: { header: { name: 'Mcp-Session-Id' } },
            },
          },
        },
      },
    },
  });
  context.after(async () => {
    await gateway.stop();
    await origin.stop();
  });
  const name = 'portcullis_sticky_sessions';
  await when(gateway, 'there is none', (found) => found.values.get(name) === 0);
  for (const _ of sessions)
    assert.equal((await ask(gateway.port('web'), { host: 'x', target: '/r' })).status, 200);
  await when(gateway, 'all three are known', (found) => found.values.get(name) === 3);
  const ended = await ask(gateway.port('web'), {
    host: 'x',
    target: '/r',
    method: 'DELETE',
    headers: { 'mcp-session-id': 'two' },
  });
  assert.equal(ended.status, 204);
  await when(gateway, 'one has ended', (found) => found.values.get(name) === 2);
});

test('collections of garbage in workers are shown by kind from the beginning', async (context) => {
  const gateway = await startGateway({ static: { metrics: { prometheus: {} } } });
  context.after(() => gateway.stop());
  const runs = 'portcullis_worker_gc_runs_total';
  const found = await when(gateway, 'the worker has told', (one) => one.types.has(runs));
  for (const kind of ['minor', 'major', 'incremental', 'weakcb'])
    assert.ok(found.values.has(`${runs}{kind="${kind}"}`), kind);
});
