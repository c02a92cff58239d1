// What a new configuration costs the traffic that runs: nothing.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { type LoadReport, missingTools, runHey, runWrk } from '../support/load.ts';
import { type Origin, startOrigin } from '../support/origin.ts';
import { startClients } from '../support/steady-clients.ts';

const skip = missingTools('wrk', 'hey');
const seconds = 5;

describe('five reloads under load lose nothing', { skip, timeout: 60_000 }, () => {
  let origins: Origin[] = [];
  let gateway: TestGateway;

  before(async () => {
    origins = await Promise.all(['one', 'two'].map((name) => startOrigin({ name })));
    gateway = await startGateway({ workers: 2, dynamic: step(0) });
  });
  after(async () => {
    await gateway?.stop();
    await Promise.all(origins.map((origin) => origin.stop()));
  });

  for (const [name, load] of [
    ['wrk, keep-alive', () => runWrk({ url: target(), seconds, connections: 32 })],
    ['wrk, a connection per request', () => runWrk({ url: target(), seconds, connections: 16, close: true })],
    ['hey, keep-alive', () => runHey({ url: target(), seconds, connections: 32 })],
  ] as const) {
    test(name, async () => {
      const clients = startClients({ port: gateway.port('web'), connections: 8, pause: 5 });
      const [report] = await Promise.all([load(), fiveReloads()]);
      const open = clients.ports().length;
      await clients.stop();
      assertFlawless(report);
      assert.deepEqual(clients.losses, []);
      assert.deepEqual(Object.keys(clients.statuses), ['200']);
      assert.ok(clients.answered() > 500, `only ${clients.answered()} answers`);
      assert.deepEqual([open, clients.opened, clients.farewells], [8, 8, 0], 'connections were touched');
    });
  }

  function target(): string {
    return `${gateway.url('web')}/`;
  }

  /** A router comes, an unrelated middleware changes, weights change, the route's own middleware changes, the router goes. */
  function step(n: number): object {
    const [one, two] = origins.map((origin) => origin.url);
    return {
      http: {
        routers: {
          main: { rule: 'PathPrefix(`/`)', service: 'pair', middlewares: ['mark', 'auth-free'] },
          ...(n > 0 && n < 5
            ? { extra: { rule: 'Path(`/extra`)', service: 'pair', middlewares: ['other'] } }
            : {}),
        },
        middlewares: {
          mark: { headers: { customResponseHeaders: { 'X-Step': n >= 4 ? 'late' : 'early' } } },
          'auth-free': { chain: { middlewares: ['mark'] } },
          other: { stripPrefix: { prefixes: [n >= 2 ? '/b' : '/a'] } },
        },
        services: {
          pair: {
            loadBalancer: {
              servers: [
                { url: one, weight: n >= 3 ? 3 : 1 },
                { url: two, weight: 1 },
              ],
            },
          },
        },
      },
    };
  }

  async function fiveReloads(): Promise<void> {
    const first = (await gateway.status()).version;
    await sleep(700);
    for (let n = 1; n <= 5; n += 1) {
      await gateway.writeDynamic(step(n));
      const marked = await fetch(target());
      assert.equal(marked.headers.get('x-step'), n >= 4 ? 'late' : 'early');
      assert.equal(
        (await fetch(gateway.url('traefik') + '/api/http/routers/extra@file')).status,
        n < 5 ? 200 : 404,
      );
      await sleep(500);
    }
    const { version, workers } = await gateway.status();
    assert.equal(version - first, 5);
    assert.deepEqual([...new Set(workers.map((worker) => worker.version))], [version]);
    await gateway.writeDynamic(step(0));
  }

  function assertFlawless(report: LoadReport): void {
    assert.ok(report.requests > 1_000, report.output);
    assert.equal(report.non2xx, 0, report.output);
    assert.deepEqual(report.errors, [], report.output);
  }
});
