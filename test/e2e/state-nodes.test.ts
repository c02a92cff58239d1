// Two nodes of two workers that share their limits through Redis: exact, and never in the way of requests.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { ask } from '../support/ask.ts';
import { eventually, startGateway, type TestGateway } from '../support/gateway.ts';
import { type Hit, hit, withStatus, worstExcess } from '../support/limit-load.ts';
import { startOrigin } from '../support/origin.ts';
import { missingRedis, startRedis, startSentinels, until } from '../support/redis-server.ts';

const skip = missingRedis;
const options = { skip, timeout: 90_000 };

interface Nodes {
  readonly gateways: readonly TestGateway[];
  readonly ports: readonly number[];
  readonly url: string;
}

interface Setting {
  readonly state?: object;
  readonly onError?: string;
  readonly number?: number;
  readonly middlewares: Readonly<Record<string, object>>;
}

async function startNodes(context: TestContext, setting: Setting): Promise<Nodes> {
  const { state, onError, number = 2, middlewares } = setting;
  const origin = await startOrigin();
  context.after(async () => await origin.stop());
  const gateways = await Promise.all(
    Array.from({ length: number }, async () => {
      const gateway = await startGateway({
        workers: 2,
        static: { ...(state && { state: { redis: state, ...(onError && { onError }) } }), workers: 2 },
        dynamic: configuration(origin.url, middlewares),
      });
      context.after(async () => {
        await gateway.stop();
        assert.doesNotMatch(gateway.logs(), /"level":"fatal"|A bug of the gateway/);
      });
      return gateway;
    }),
  );
  return { gateways, ports: gateways.map((gateway) => gateway.port('web')), url: origin.url };
}

/** A router for each, at `<name>.test`. */
function configuration(url: string, middlewares: Readonly<Record<string, object>>): object {
  const names = Object.keys(middlewares);
  const router = (name: string) => ({
    rule: `Host(\`${name}.test\`)`,
    service: 'origin',
    middlewares: [name],
  });
  const routers = Object.fromEntries(names.map((name) => [name, router(name)]));
  return {
    http: { routers, middlewares, services: { origin: { loadBalancer: { servers: [{ url }] } } } },
  };
}

const passedAt = (hits: readonly Hit[]): number[] =>
  hits.filter(({ status }) => status === 200).map(({ at }) => at);

/** What a bucket of 100 a second and 100 at once gives from `started` to the last that passed. */
function exactly(times: readonly number[], started: number): number {
  return 100 + ((Math.max(...times) - started) / 1000) * 100;
}

test('two nodes keep one limit: strict exactly, leased within its bound', options, async (context) => {
  const server = await startRedis(context);
  const limit = { average: 100, burst: 100 };
  const { ports } = await startNodes(context, {
    state: { endpoints: [`127.0.0.1:${server.port}`] },
    middlewares: {
      strict: { rateLimit: { ...limit, mode: 'strict' } },
      leased: { rateLimit: limit },
    },
  });
  const started = performance.now();
  const load = { ports, connections: 5, ms: 8000, pause: 12 };
  const [strict, leased] = await Promise.all(
    ['strict.test', 'leased.test'].map(async (host) => await hit({ ...load, host })),
  );
  for (const hits of [strict, leased])
    assert.equal(withStatus(hits ?? [], 200) + withStatus(hits ?? [], 429), hits?.length);
  const strictTimes = passedAt(strict ?? []);
  const strictExact = exactly(strictTimes, started);
  context.diagnostic(`strict: ${strictTimes.length} of ${strictExact.toFixed(1)}`);
  assert.ok(Math.abs(strictTimes.length - strictExact) <= strictExact / 100, `${strictTimes.length}`);
  const leasedTimes = passedAt(leased ?? []);
  const leasedExact = exactly(leasedTimes, started);
  context.diagnostic(`leased: ${leasedTimes.length} of ${leasedExact.toFixed(1)}`);
  assert.ok(leasedTimes.length <= leasedExact * 1.01, `${leasedTimes.length}`);
  assert.ok(leasedTimes.length >= leasedExact * 0.95, `${leasedTimes.length}`);
  // A tenth of a second of the rate, and what answers may be late.
  assert.ok(worstExcess(leasedTimes, 0.1, 100) <= 10 + 3);
});

test(
  'local: Redis dies, comes back and stalls, and no request fails or waits for it',
  options,
  async (context) => {
    const server = await startRedis(context);
    context.after(() => server.resume());
    const { ports, gateways } = await startNodes(context, {
      state: { endpoints: [`127.0.0.1:${server.port}`] },
      middlewares: {
        rate: { rateLimit: { average: 100, burst: 100 } },
        strict: { rateLimit: { average: 100, burst: 100, mode: 'strict' } },
        flight: { inFlightReq: { amount: 1000 } },
      },
    });
    const started = performance.now();
    const load = { ports, connections: 3, ms: 9000, pause: 12 };
    const running = Promise.all(
      ['rate.test', 'strict.test', 'flight.test'].map(async (host) => await hit({ ...load, host })),
    );
    await wait(2000);
    const killed = performance.now();
    await server.kill();
    await wait(2000);
    await server.restart();
    const restarted = performance.now();
    await wait(2000);
    const paused = performance.now();
    server.pause();
    await wait(1000);
    server.resume();
    // A connection is tried again after a second at the latest, and asked after another quarter.
    const away = restarted - killed + performance.now() - paused + 2 * 1300;
    const all = await running;
    for (const hits of all) {
      const odd = hits.filter(({ status }) => status !== 200 && status !== 429);
      assert.deepEqual(odd, []);
      const slowest = Math.max(...hits.map(({ took }) => took));
      context.diagnostic(`slowest ${slowest.toFixed(0)} ms of ${hits.length}`);
      assert.ok(slowest < 50 + 200, `${slowest} ms`);
    }
    assert.equal(withStatus(all[2] ?? [], 429), 0);
    for (const hits of all.slice(0, 2)) {
      const times = passedAt(hits);
      const exact = exactly(times, started);
      context.diagnostic(`${times.length} of ${exact.toFixed(0)}`);
      // Each node has buckets of its own while Redis is away, full at first; an emptied Redis has full ones, too.
      const bursts = 100 * (2 + 2 + 1);
      const most = exact + bursts + 0.1 * away;
      assert.ok(times.length >= exact * 0.9 && times.length <= most, `${times.length}, at most ${most}`);
    }
    for (const gateway of gateways) {
      await gateway.waitForLog(/"mode":"redis".*Redis is back/);
      const lines = gateway.logs().match(/"mode":"local".*Redis is away/g)?.length ?? 0;
      assert.ok(lines >= 2 && lines <= 6, `${lines} lines for two workers that saw it go twice`);
    }
  },
);

test(
  'closed refuses and open admits while Redis is away; a gateway that starts meanwhile serves',
  options,
  async (context) => {
    const server = await startRedis(context);
    const state = { endpoints: [`127.0.0.1:${server.port}`] };
    const middlewares = {
      rate: { rateLimit: { average: 1, period: '1h', burst: 2, mode: 'strict' } },
      flight: { inFlightReq: { amount: 1 } },
    };
    const start = async (onError: string): Promise<TestGateway> => {
      const { gateways } = await startNodes(context, { state, onError, number: 1, middlewares });
      return gateways[0] as TestGateway;
    };
    const [closed, open] = await Promise.all([start('closed'), start('open')]);
    const statuses = async (gateway: TestGateway, host: string): Promise<Set<number>> => {
      const all = Array.from({ length: 12 }, () => ask(gateway.port('web'), { host }));
      return new Set((await Promise.all(all)).map(({ status }) => status));
    };
    await eventually('Redis is reached', async () => !(await statuses(closed, 'rate.test')).has(503));
    assert.deepEqual(await statuses(open, 'rate.test'), new Set([429]));
    await server.kill();
    for (const host of ['rate.test', 'flight.test']) {
      assert.deepEqual(await statuses(closed, host), new Set([503]));
      assert.deepEqual(await statuses(open, host), new Set([200]));
    }
    const late = await start('local');
    assert.deepEqual(await statuses(late, 'rate.test'), new Set([200, 429]));
    assert.ok((await statuses(late, 'flight.test')).has(200));
    await server.restart();
    for (const gateway of [closed, open, late]) {
      await eventually('it counts again', async () => {
        const seen = await statuses(gateway, 'rate.test');
        return seen.size === 1 && seen.has(429);
      });
    }
  },
);

test(
  'limits outlive reloads, workers and nodes; other options begin afresh; a limit may have a Redis of its own',
  options,
  async (context) => {
    const server = await startRedis(context);
    const own = await startRedis(context);
    const slow = { average: 1, period: '1h', burst: 3 };
    const middlewares = {
      slow: { rateLimit: slow },
      own: { rateLimit: { ...slow, redis: { endpoints: [`127.0.0.1:${own.port}`] } } },
    };
    const { gateways, ports, url } = await startNodes(context, {
      state: { endpoints: [`127.0.0.1:${server.port}`] },
      middlewares,
    });
    const [first, second] = gateways as [TestGateway, TestGateway];
    for (const host of ['slow.test', 'own.test']) {
      await eventually('it is used up', async () => (await ask(ports[0] ?? 0, { host })).status === 429);
      assert.equal((await ask(ports[1] ?? 0, { host })).status, 429);
    }
    assert.match(await own.cli('KEYS', '*'), /bucket:rate/);
    await first.writeDynamic(configuration(url, { ...middlewares, more: { addPrefix: { prefix: '/x' } } }));
    const old = first.workerPids();
    for (const pid of old) process.kill(pid, 'SIGKILL');
    await eventually('two other workers run', async () => {
      // What was asked of a worker that was killed is reset.
      const workers = (await first.status().catch(() => null))?.workers ?? [];
      return workers.filter(({ pid, state }) => state === 'running' && !old.includes(pid)).length === 2;
    });
    for (const host of ['slow.test', 'own.test'])
      assert.equal((await ask(ports[0] ?? 0, { host })).status, 429);
    await second.writeDynamic(
      configuration(url, { ...middlewares, slow: { rateLimit: { ...slow, burst: 2 } } }),
    );
    assert.equal((await ask(ports[1] ?? 0, { host: 'slow.test' })).status, 200);
    await own.kill();
    await eventually('it counts alone', async () => {
      return (await ask(ports[1] ?? 0, { host: 'own.test' })).status === 200;
    });
  },
);

test(
  'a failover of the sentinels fails no request, and limits are shared afterwards',
  options,
  async (context) => {
    const { nodes, sentinels } = await startSentinels(context);
    const { ports } = await startNodes(context, {
      state: {
        endpoints: sentinels.map(({ port }) => `127.0.0.1:${port}`),
        sentinel: { masterName: 'main' },
      },
      middlewares: {
        rate: { rateLimit: { average: 100, burst: 100 } },
        slow: { rateLimit: { average: 1, period: '1h', burst: 2 } },
      },
    });
    const running = hit({ ports, host: 'rate.test', connections: 3, ms: 8000, pause: 12 });
    await wait(1500);
    await nodes[0]?.kill();
    const hits = await running;
    assert.deepEqual(
      hits.filter(({ status }) => status !== 200 && status !== 429),
      [],
    );
    const slowest = Math.max(...hits.map(({ took }) => took));
    assert.ok(slowest < 50 + 200, `${slowest} ms`);
    await until('the replica is the master', async () =>
      ((await nodes[1]?.cli('INFO', 'replication')) ?? '').includes('role:master'),
    );
    await until('both nodes count there', async () => {
      for (const port of ports) await ask(port, { host: 'slow.test' });
      return ((await nodes[1]?.cli('KEYS', '*bucket*slow*')) ?? '') !== '';
    });
  },
);
