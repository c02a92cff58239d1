// What is lost when a worker dies, when workers are replaced, when the gateway is stopped, all under load.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually, startGateway, type TestGateway } from '../support/gateway.ts';
import { connectionsOf, isRefused, missingTools, runHey, runWrk } from '../support/load.ts';
import { type Origin, startOrigin } from '../support/origin.ts';
import { type SteadyClients, startClients } from '../support/steady-clients.ts';

const noHey = missingTools('hey');
const noWrk = missingTools('wrk');

let origin: Origin;
before(async () => {
  origin = await startOrigin();
});
after(() => origin.stop());

const routes = (): object => ({
  http: {
    routers: { all: { rule: 'PathPrefix(`/`)', service: 'origin' } },
    services: { origin: { loadBalancer: { servers: [{ url: origin.url }] } } },
  },
});

describe('a worker that is killed', { timeout: 60_000 }, () => {
  test('takes its own connections along and nothing else', async (t) => {
    await using(await startGateway({ workers: 2, dynamic: routes() }), async (gateway) => {
      const port = gateway.port('web');
      const clients = startClients({ port, connections: 32 });
      const fresh = startClients({ port, connections: 4, close: true, reconnect: true });
      await eventually(
        'all clients are answered',
        () => clients.answered() > 500 && clients.ports().length === 32,
      );
      const [victim = 0] = gateway.workerPids();
      const theirs = connectionsOf(victim, port);
      process.kill(victim, 'SIGKILL');
      const took = await eventually('a new worker serves', async () => {
        const { workers } = await gateway.status().catch(() => ({ workers: [] }));
        return workers.filter((one) => one.state === 'running' && one.pid !== victim).length === 2;
      });
      const answered = clients.answered();
      await eventually('the others go on', () => clients.answered() > answered + 500);
      const openAfter = clients.ports().length;
      await Promise.all([clients.stop(), fresh.stop()]);

      t.diagnostic(
        `replaced after ${took.toFixed()} ms, ${clients.losses.length} of ${theirs.size} connections lost`,
      );
      assert.ok(took < 1_500, `a new worker served after ${took} ms`);
      const alien = clients.losses.filter((loss) => !theirs.has(loss.port));
      assert.deepEqual(alien, [], 'connections of the other worker were lost');
      assert.equal(openAfter, 32 - clients.losses.length - clients.farewells);
      assert.ok(clients.losses.length <= theirs.size);
      // With a connection per request, at most the few that were on the dead worker at that instant.
      assert.ok(fresh.losses.length <= 4, JSON.stringify(fresh.losses));
      assert.deepEqual(kinds(fresh, 'refused'), []);
      assertAllOk(clients, fresh);
    });
  });

  test('leaves no trace once it is replaced', { skip: noWrk }, async () => {
    await using(await startGateway({ workers: 2, dynamic: routes() }), async (gateway) => {
      const [victim = 0] = gateway.workerPids();
      process.kill(victim, 'SIGKILL');
      await eventually('a new worker serves', async () => {
        const { workers } = await gateway.status().catch(() => ({ workers: [] }));
        return workers.filter((one) => one.state === 'running' && one.pid !== victim).length === 2;
      });
      const report = await runWrk({ url: gateway.url('web'), seconds: 2, connections: 32 });
      assert.ok(report.requests > 1_000, report.output);
      assert.deepEqual([report.non2xx, report.errors], [0, []], report.output);
    });
  });
});

describe('workers replaced one by one', { timeout: 60_000 }, () => {
  test('lose no request of keep-alive clients', { skip: noHey }, async () => {
    await using(await startGateway({ workers: 2, dynamic: routes() }), async (gateway) => {
      const clients = startClients({ port: gateway.port('web'), connections: 16, reconnect: true });
      const [hey] = await Promise.all([
        runHey({ url: gateway.url('web'), seconds: 5, connections: 16 }),
        sleep(1_000).then(() => roll(gateway)),
      ]);
      await clients.stop();
      assert.deepEqual([hey.non2xx, hey.errors], [0, []], hey.output);
      assert.deepEqual(clients.losses, []);
      assert.ok(clients.farewells >= 16, `only ${clients.farewells} connections were told to go`);
      assertAllOk(clients);
    });
  });

  test('lose next to nothing of clients that take a connection for each', { skip: noHey }, async (t) => {
    await using(await startGateway({ workers: 2, dynamic: routes() }), async (gateway) => {
      const clients = startClients({
        port: gateway.port('web'),
        connections: 16,
        close: true,
        reconnect: true,
      });
      const [hey] = await Promise.all([
        runHey({ url: gateway.url('web'), seconds: 5, connections: 8, close: true }),
        sleep(1_000).then(() => roll(gateway)),
      ]);
      await clients.stop();
      const answered = clients.answered() + hey.requests;
      const errors = hey.errors.map((line) => Number(/\d+/.exec(line)?.[0] ?? 1));
      const lost = errors.reduce((sum, count) => sum + count, clients.losses.length);
      t.diagnostic(`${answered} answered, ${lost} lost`);
      assert.equal(hey.non2xx, 0, hey.output);
      // The kernel resets what waits in a closing listener's queue, unless net.ipv4.tcp_migrate_req is 1.
      const most = migratesRequests() ? 0 : Math.max(8, answered / 1_000);
      assert.ok(lost <= most, `${lost} lost\n${hey.output}`);
      assert.deepEqual(kinds(clients, 'cut'), []);
      assertAllOk(clients);
    });
  });
});

describe('SIGTERM', { timeout: 60_000 }, () => {
  test('lets everyone finish who honours Connection: close and has left by then', async () => {
    const lifeCycle = { requestAcceptGraceTimeout: '1s', graceTimeOut: '5s' };
    const gateway = await startGateway({
      workers: 2,
      static: { entryPoints: { web: { transport: { lifeCycle } } }, ping: {} },
      dynamic: routes(),
    });
    const clients = startClients({ port: gateway.port('web'), connections: 16, reconnect: true });
    try {
      await eventually('all clients are answered', () => clients.answered() > 500);
      gateway.signal('SIGTERM');
      await eventually('ping tells the balancer in front to look elsewhere', async () => {
        const ping = await fetch(`${gateway.url('traefik')}/ping`, { headers: { Connection: 'close' } });
        return ping.status === 503;
      });
      const answered = clients.answered();
      await eventually('requests are still served', () => clients.answered() > answered + 100);
      // The balancer has seen it and sends nobody any more.
      await clients.stop();
      const { code } = await gateway.exited;
      assert.equal(code, 0);
      assert.deepEqual(clients.losses, []);
      assertAllOk(clients);
    } finally {
      await clients.stop();
      gateway.kill();
    }
  });

  test('cuts no answer and no announced connection of clients that never stop coming', async () => {
    const gateway = await startGateway({ workers: 2, dynamic: routes() });
    const clients = startClients({ port: gateway.port('web'), connections: 16, reconnect: false });
    await eventually('all clients are answered', () => clients.answered() > 500);
    gateway.signal('SIGTERM');
    const { code } = await gateway.exited;
    await clients.stop();
    assert.equal(code, 0);
    assert.deepEqual(clients.losses, []);
    assert.equal(clients.farewells, 16, 'each connection was told to go');
    assertAllOk(clients);
  });

  test('waits for an answer under way, and tells its connection to go', async () => {
    let release = (): void => {};
    const slow = await startOrigin({
      answer: (_request, response) => {
        release = () => response.end('late');
      },
    });
    const dynamic = {
      http: {
        routers: { all: { rule: 'PathPrefix(`/`)', service: 's' } },
        services: { s: { loadBalancer: { servers: [{ url: slow.url }] } } },
      },
    };
    const gateway = await startGateway({ dynamic });
    try {
      const answer = fetch(gateway.url('web'));
      await eventually('the request has arrived', () => slow.requests.length === 1);
      gateway.signal('SIGTERM');
      await eventually('nobody is let in any more', () => isRefused(gateway.port('web')));
      release();
      const got = await answer;
      assert.equal(got.headers.get('connection'), 'close');
      assert.equal(await got.text(), 'late');
      assert.equal((await gateway.exited).code, 0);
    } finally {
      gateway.kill();
      await slow.stop();
    }
  });
});

/** Settles when every worker of before is gone and two others run. */
async function roll(gateway: TestGateway): Promise<void> {
  const old = gateway.workerPids();
  gateway.signal('SIGUSR2');
  await eventually(
    'all workers are replaced',
    () => {
      const now = gateway.workerPids();
      return now.length === old.length && !now.some((pid) => old.includes(pid));
    },
    20_000,
  );
}

async function using(gateway: TestGateway, run: (gateway: TestGateway) => Promise<void>): Promise<void> {
  try {
    await run(gateway);
  } finally {
    await gateway.stop();
  }
}

function migratesRequests(): boolean {
  try {
    return readFileSync('/proc/sys/net/ipv4/tcp_migrate_req', 'utf8').trim() === '1';
  } catch {
    return false;
  }
}

function kinds(clients: SteadyClients, kind: string): object[] {
  return clients.losses.filter((loss) => loss.kind === kind);
}

function assertAllOk(...groups: readonly SteadyClients[]): void {
  for (const clients of groups) assert.deepEqual(Object.keys(clients.statuses), ['200']);
}
