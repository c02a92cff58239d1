// Metrics over a life with faults: workers that are killed and replaced, reloads, and ten thousand routers.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { test } from 'node:test';
import { eventually, startGateway, type TestGateway } from '../support/gateway.ts';
import { type Scrape, scrape, sumOf } from '../support/metrics.ts';
import { startOrigin } from '../support/origin.ts';

const total = 'traefik_entrypoint_requests_total';
const label = 'entrypoint="web"';

function dynamicOf(url: string, names: readonly string[]): object {
  const routers = Object.fromEntries(
    names.map((name) => [name, { rule: `Host(\`${name}.test\`)`, service: name, entryPoints: ['web'] }]),
  );
  const services = Object.fromEntries(names.map((name) => [name, { loadBalancer: { servers: [{ url }] } }]));
  return { http: { routers, services } };
}

/** One answer, or null where the connection broke. */
function get(port: number, agent: Agent, host: string): Promise<number | null> {
  return new Promise((resolve) => {
    const sent = request({ port, host: '127.0.0.1', agent, headers: { host } }, (response) => {
      response.on('error', () => resolve(null));
      response.resume().on('end', () => resolve(response.statusCode ?? 0));
    });
    sent.on('error', () => resolve(null));
    sent.end();
  });
}

/** Asks without a pause until it is stopped, on several connections. */
function clients(gateway: TestGateway, host: string) {
  const counts = { answered: 0, broken: 0 };
  let stopped = false;
  const running = Array.from({ length: 4 }, async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (!stopped) {
      const status = await get(gateway.port('web'), agent, host);
      if (status === 200) counts.answered++;
      else counts.broken++;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    agent.destroy();
  });
  return {
    counts,
    async stop() {
      stopped = true;
      await Promise.all(running);
    },
  };
}

test('totals are what clients count less a second of each killed worker, and never go back', async () => {
  const origin = await startOrigin();
  const names = ['shop', 'other'];
  const gateway = await startGateway({
    workers: 2,
    static: { metrics: { prometheus: { addRoutersLabels: true } } },
    dynamic: dynamicOf(origin.url, names),
  });
  const load = clients(gateway, 'shop.test');
  const seen: Scrape[] = [];
  let watching = true;
  const watch = (async () => {
    while (watching) {
      seen.push(
        await scrape(gateway.url('traefik')).catch(() => ({ text: '', values: new Map(), types: new Map() })),
      );
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  })();
  try {
    let most = 0;
    for (let round = 1; round <= 2; round++) {
      const from = load.counts.answered;
      const since = performance.now();
      await eventually('there was traffic', () => load.counts.answered > from + 500, 20_000);
      const [victim] = gateway.workerPids();
      const perSecond = ((load.counts.answered - from) * 1000) / (performance.now() - since);
      // What one of two workers can have had since it last told, and as much again for a noisy machine.
      most += perSecond * 2 + 50;
      process.kill(victim as number, 'SIGKILL');
      await eventually('a new worker serves', async () => {
        const { workers } = await gateway.status().catch(() => ({ workers: [] }));
        return workers.filter(({ state, pid }) => state === 'running' && pid !== victim).length === 2;
      });
      await gateway.writeDynamic(dynamicOf(origin.url, [...names, `more-${round}`]));
    }
    const last = load.counts.answered;
    await eventually('there was traffic', () => load.counts.answered > last + 300, 20_000);
    await load.stop();
    const { answered, broken } = load.counts;
    // The last ones are told within a second.
    let found = await scrape(gateway.url('traefik'));
    let before = -1;
    await eventually('all has been told', async () => {
      found = await scrape(gateway.url('traefik'));
      const now = sumOf(found, total, label, 'code="200"');
      const isSettled = now === before && now >= answered - most;
      before = now;
      await new Promise((resolve) => setTimeout(resolve, 1_200));
      return isSettled;
    });
    for (const name of [total, 'traefik_router_requests_total', 'traefik_service_requests_total']) {
      const counted = sumOf(found, name, 'code="200"', name === total ? label : 'shop@file');
      assert.ok(counted <= answered + broken, `${name}: ${counted} of ${answered} and ${broken} broken`);
      assert.ok(counted >= answered - most, `${name}: ${counted} of ${answered}, ${most} may be lost`);
    }
    assert.equal(sumOf(found, 'portcullis_worker_restarts_total'), 2);
    assert.equal(sumOf(found, 'traefik_config_reloads_total'), 3);
  } finally {
    watching = false;
    await load.stop();
    await watch;
    await gateway.stop();
    await origin.stop();
  }
  const highest = new Map<string, number>();
  for (const { values } of seen) {
    for (const [series, value] of values) {
      if (!/^traefik_\w+(_total|_count|_sum|_bucket)\{/.test(series)) continue;
      const before = highest.get(series) ?? 0;
      assert.ok(value >= before, `${series} went from ${before} to ${value}`);
      highest.set(series, value);
    }
  }
  assert.ok(highest.size > 0);
});

test('a worker that is replaced in order tells all it has counted', async () => {
  const origin = await startOrigin();
  const gateway = await startGateway({
    workers: 2,
    static: { metrics: { prometheus: {} } },
    dynamic: dynamicOf(origin.url, ['shop']),
  });
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  try {
    let answered = 0;
    for (let i = 0; i < 200; i++)
      if ((await get(gateway.port('web'), agent, 'shop.test')) === 200) answered++;
    gateway.signal('SIGUSR2');
    await gateway.waitForLog(/workers are replaced/, 20_000);
    await eventually('all are counted', async () => {
      return sumOf(await scrape(gateway.url('traefik')), total, label) === answered;
    });
  } finally {
    agent.destroy();
    await gateway.stop();
    await origin.stop();
  }
});

test('ten thousand routers are scraped at once, in bounded memory and without holding anybody up', async () => {
  const origin = await startOrigin();
  const count = 10_000;
  const gateway = await startGateway({
    workers: 2,
    static: { metrics: { prometheus: { addRoutersLabels: true } } },
    dynamic: dynamicOf(
      origin.url,
      Array.from({ length: count }, (_, i) => `r${i}`),
    ),
  });
  try {
    const before = memoryOf(gateway);
    let next = 0;
    const agents = Array.from({ length: 8 }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
    await Promise.all(
      agents.map(async (agent) => {
        while (next < count) await get(gateway.port('web'), agent, `r${next++}.test`);
        agent.destroy();
      }),
    );
    await eventually('all are told', async () => {
      return sumOf(await scrape(gateway.url('traefik')), 'traefik_router_requests_total') === count;
    });
    const since = performance.now();
    const response = await fetch(`${gateway.url('traefik')}/metrics`);
    const text = await response.text();
    const took = performance.now() - since;
    assert.equal(text.match(/^traefik_service_requests_total/gm)?.length, count);
    // On a machine of its own it is a third of that.
    assert.ok(took < 1_500, `${took} ms`);
    assert.ok(memoryOf(gateway) - before < 300, `${memoryOf(gateway) - before} MiB more`);
  } finally {
    await gateway.stop();
    await origin.stop();
  }
});

/** MiB of primary and workers. */
function memoryOf(gateway: TestGateway): number {
  const ofOne = (pid: number): number =>
    Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  return [gateway.pid, ...gateway.workerPids()].reduce((sum, pid) => sum + ofOne(pid), 0);
}
