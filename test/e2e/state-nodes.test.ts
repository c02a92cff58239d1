// Two nodes of two workers that share their limits through Redis: exact, and never in the way of requests.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { ask } from '../support/ask.ts';
import { eventually, startGateway, type TestGateway } from '../support/gateway.ts';
import { type Had, type Hit, hit, provenExcess, withStatus } from '../support/limit-load.ts';
import { startOrigin } from '../support/origin.ts';
import { missingRedis, startRedis, startSentinels, until } from '../support/redis-server.ts';

const skip = missingRedis;
const options = { skip, timeout: 240_000 };
/** Milliseconds a request waits for Redis at most. */
const budget = 50;

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

const hadBy = ({ at, took }: Hit): Had => ({ asked: at - took, at });

/**
 * The same from two sides, for hits that never let it fill up: what it has given for certain, whenever within its
 * time each was answered, and what it can have given at most.
 */
function boundsOf(hits: readonly Hit[]): { readonly least: number; readonly most: number } {
  const passed = hits.filter(({ status }) => status === 200).map(hadBy);
  const begun = Math.min(...passed.map(({ asked }) => asked));
  const drawn = Math.min(...passed.map(({ at }) => at));
  const lastAsked = Math.max(...hits.map((one) => hadBy(one).asked));
  const ended = Math.max(...passed.map(({ at }) => at));
  return {
    least: Math.min(100 + (lastAsked - drawn) / 10 - 1, hits.length),
    most: 100 + (ended - begun) / 10 + 1,
  };
}

/** Requests that may have waited in vain: what they were told then is not what Redis has counted. */
const inVain = (hits: readonly Hit[]): number => hits.filter(({ took }) => took >= budget).length;

const timesAway = (gateways: readonly TestGateway[]): number =>
  gateways.reduce((sum, one) => sum + (one.logs().match(/Redis is away/g)?.length ?? 0), 0);

test('two nodes keep one limit: strict exactly, leased within its bound', options, async (context) => {
  const server = await startRedis(context);
  const limit = { average: 100, burst: 100 };
  const { ports, gateways } = await startNodes(context, {
    state: { endpoints: [`127.0.0.1:${server.port}`] },
    middlewares: {
      strict: { rateLimit: { ...limit, mode: 'strict' } },
      leased: { rateLimit: limit },
    },
  });
  const load = { ports, connections: 5, ms: 8000, pause: 12 };
  let strict: readonly Hit[] = [];
  let leased: readonly Hit[] = [];
  // A busy machine may keep Redis from answering for so long that workers go on alone: that is another test's.
  for (let attempt = 1; ; attempt += 1) {
    const before = timesAway(gateways);
    [strict, leased] = (await Promise.all(
      ['strict.test', 'leased.test'].map(async (host) => await hit({ ...load, host })),
    )) as [Hit[], Hit[]];
    if (timesAway(gateways) === before) break;
    assert.ok(attempt < 8, 'Redis was taken for away each time');
    // Until the buckets are full again.
    await wait(1500);
  }
  for (const hits of [strict, leased])
    assert.equal(withStatus(hits, 200) + withStatus(hits, 429), hits.length);
  for (const [what, hits, below] of [
    ['strict', strict, 0.99],
    ['leased', leased, 0.95],
  ] as const) {
    const passed = withStatus(hits, 200);
    const { least, most } = boundsOf(hits);
    const vain = inVain(hits);
    const said = `${what}: ${passed} of ${least.toFixed(1)} to ${most.toFixed(1)}, ${vain} of ${hits.length} slow`;
    context.diagnostic(said);
    assert.ok(passed <= most * 1.01 + vain && passed >= least * below - vain, said);
  }
  const leasedHad = leased.filter(({ status }) => status === 200).map(hadBy);
  // A tenth of a second of the rate.
  assert.ok(provenExcess(leasedHad, 0.1, 100) <= 10 + 1 + inVain(leased));
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
    const load = { ports, connections: 3, ms: 12_000, pause: 12 };
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
    await wait(4000);
    server.resume();
    // A connection is tried again after a second at the latest, and asked after another quarter.
    const away = restarted - killed + performance.now() - paused + 2 * 1300;
    const all = await running;
    for (const hits of all) {
      const odd = hits.filter(({ status }) => status !== 200 && status !== 429);
      assert.deepEqual(odd, []);
      const slowest = Math.max(...hits.map(({ took }) => took));
      context.diagnostic(`slowest ${slowest.toFixed(0)} ms of ${hits.length}`);
      // Whoever waited for it would have waited for most of its 4 s.
      assert.ok(slowest < 2000, `${slowest} ms`);
    }
    assert.equal(withStatus(all[2] ?? [], 429), 0);
    for (const hits of all.slice(0, 2)) {
      const times = passedAt(hits);
      const exact = exactly(times, started);
      context.diagnostic(`${times.length} of ${exact.toFixed(0)}`);
      // Each node has buckets of its own while Redis is away, full at first; an emptied Redis has full ones, too.
      const bursts = 100 * (2 + 2 + 1);
      const most = exact + bursts + 0.1 * away;
      // On a busy machine fewer may ask than would be let in.
      const least = Math.min(exact, hits.length) * 0.9;
      const said = `${times.length} of ${hits.length}, ${least} to ${most}`;
      assert.ok(times.length >= least && times.length <= most, said);
    }
    for (const gateway of gateways) {
      await gateway.waitForLog(/"mode":"redis".*Redis is back/);
      const lines = gateway.logs().match(/"mode":"local".*Redis is away/g)?.length ?? 0;
      // Twice each, and some more where a busy machine was too slow for it.
      assert.ok(lines >= 2 && lines <= 16, `${lines} lines for two workers that saw it go twice`);
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
    const isRefused = async (): Promise<boolean> => {
      const seen = await statuses(open, 'rate.test');
      return seen.size === 1 && seen.has(429);
    };
    await eventually('the other counts there, too', isRefused);
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

/** A node that counted alone would let three pass, so it is asked three times: Redis may be late once or twice. */
async function assertUsedUp(port: number, host: string): Promise<void> {
  const statuses: number[] = [];
  while (statuses.length < 3 && !statuses.includes(429)) statuses.push((await ask(port, { host })).status);
  assert.ok(statuses.includes(429), `${host}: ${statuses.join()}`);
}

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
      await assertUsedUp(ports[1] ?? 0, host);
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
    for (const host of ['slow.test', 'own.test']) await assertUsedUp(ports[0] ?? 0, host);
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
    assert.ok(slowest < 2000, `${slowest} ms`);
    await until('the replica is the master', async () =>
      ((await nodes[1]?.cli('INFO', 'replication')) ?? '').includes('role:master'),
    );
    await until('both nodes count there', async () => {
      for (const port of ports) await ask(port, { host: 'slow.test' });
      return ((await nodes[1]?.cli('KEYS', '*bucket*slow*')) ?? '') !== '';
    });
  },
);
