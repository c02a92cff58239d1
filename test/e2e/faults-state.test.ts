// A Redis that talks nonsense, and one that is full, while everything that lies in it is used.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { ask } from '../support/ask.ts';
import { startLiar, startServerProcess, startLoad, startTested } from '../support/fault-stage.ts';
import { eventually, type TestGateway } from '../support/gateway.ts';
import { missingRedis, startRedis, until } from '../support/redis-server.ts';
import type { SteadyClients } from '../support/steady-clients.ts';

const options = { skip: missingRedis, timeout: 90_000 };

/** Said to whatever is asked. */
const nonsense: readonly (readonly [string, (socket: Socket) => void])[] = [
  ['always OK', (socket) => void socket.write('+OK\r\n')],
  ['numbers that are none', (socket) => void socket.write(':twelve\r\n')],
  ['a string of less than no length', (socket) => void socket.write('$-99\r\n')],
  ['a list of half a billion', (socket) => void socket.write('*500000000\r\n')],
  ['a page of the web', (socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')],
  ['errors nobody knows', (socket) => void socket.write('-WHAT is this\r\n')],
];

test(
  'a Redis that talks nonsense under load fails no request and is used again when it is honest',
  options,
  async (t) => {
    const redis = await startRedis(t);
    const server = await startServerProcess(t, 'server');
    const gateway = await startTested(t, {
      workers: 2,
      static: {
        log: { level: 'INFO', format: 'json' },
        state: {
          redis: { endpoints: [`127.0.0.1:${redis.port}`] },
          secret: '0123456789 of a test, not secret',
        },
      },
      dynamic: shared(server.url),
    });
    const all = ['/open', '/limited', '/guarded', '/session'].map((path) =>
      startLoad(t, gateway, { path, connections: 3, pause: 5 }),
    );
    await busy(all);
    for (const [what, say] of nonsense) {
      await redis.kill();
      const liar = await startLiar(t, say, redis.port);
      await busy(all, what);
      for (const path of ['/open', '/limited', '/guarded', '/session']) {
        const asked = performance.now();
        const { status } = await ask(gateway.port('web'), { host: 'a.test', target: path });
        assert.equal(status, 200, `${path} while Redis says ${what}`);
        assert.ok(performance.now() - asked < 1_500, `${path} while Redis says ${what}`);
      }
      await liar.stop();
    }
    await redis.restart();
    await until(
      'Redis is used again',
      async () => (await redis.cli('KEYS', 'portcullis:*bucket*')) !== '',
      30_000,
    );
    await busy(all);
    await Promise.all(all.map((one) => one.stop()));
    const memory = largest(gateway);
    t.diagnostic(
      `${all.reduce((sum, one) => sum + one.answered(), 0)} answered, largest process ${memory.toFixed()} MiB`,
    );
    assertAllWell(all, gateway);
    assert.ok(memory < 300);
  },
);

test('a Redis that takes no writes any more fails no request', options, async (t) => {
  const redis = await startRedis(t);
  const server = await startServerProcess(t, 'server');
  const gateway = await startTested(t, {
    workers: 2,
    static: {
      state: {
        redis: { endpoints: [`127.0.0.1:${redis.port}`] },
        secret: '0123456789 of a test, not secret',
      },
    },
    dynamic: shared(server.url),
  });
  const all = ['/limited', '/guarded', '/session'].map((path) =>
    startLoad(t, gateway, { path, connections: 3, pause: 5 }),
  );
  await busy(all);
  await redis.cli('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
  await redis.cli('CONFIG', 'SET', 'maxmemory', '1');
  await busy(all);
  await gateway.waitForLog(/Redis is away/);
  await redis.cli('CONFIG', 'SET', 'maxmemory', '0');
  await gateway.waitForLog(/Redis is back/, 20_000);
  await busy(all);
  await Promise.all(all.map((one) => one.stop()));
  assertAllWell(all, gateway);
});

/** A limit nobody reaches, decisions and sessions, all in Redis. */
function shared(url: string): object {
  const router = (path: string, service: string, ...middlewares: readonly string[]): object => ({
    rule: `PathPrefix(\`/${path}\`)`,
    service,
    middlewares,
  });
  return {
    http: {
      routers: {
        open: router('open', 's'),
        limited: router('limited', 's', 'limit'),
        guarded: router('guarded', 's', 'auth'),
        session: router('session', 'session'),
      },
      middlewares: {
        limit: { rateLimit: { average: 100_000, burst: 100_000, mode: 'strict' } },
        auth: {
          forwardAuth: {
            address: `${url}/auth`,
            authResponseHeaders: ['X-User-Id'],
            authRequestHeaders: ['Authorization'],
            cache: { ttl: '100ms', key: ['header:Authorization', 'path'], shared: true },
          },
        },
      },
      services: {
        s: { loadBalancer: { servers: [{ url }] } },
        session: {
          loadBalancer: { servers: [{ url }], sticky: { header: { name: 'Mcp-Session-Id' } } },
        },
      },
    },
  };
}

/** Until some more of each were answered. */
async function busy(all: readonly SteadyClients[], during = ''): Promise<void> {
  const before = all.map((one) => one.answered());
  const isBusy = (one: SteadyClients, at: number): boolean => one.answered() > (before[at] ?? 0) + 60;
  await eventually('load', () => all.every(isBusy), 20_000).catch((error: unknown) => {
    const seen = all.map(
      (one, at) => `${one.answered() - (before[at] ?? 0)} ${JSON.stringify(one.statuses)}`,
    );
    throw new Error(`${String(error)} ${during}: ${seen.join('; ')}`, { cause: error });
  });
}

function assertAllWell(all: readonly SteadyClients[], gateway: TestGateway): void {
  const seen = all.map(({ losses, statuses }) => ({ losses, statuses: Object.keys(statuses) }));
  const wanted = all.map(() => ({ losses: [], statuses: ['200'] }));
  const said = gateway.logs().split('\n');
  const bad = said.filter((line) => /"level":"(?:error|warn)"/.test(line)).slice(0, 40);
  assert.deepEqual(seen, wanted, `${JSON.stringify(seen)}\n${bad.join('\n')}`);
}

/** MiB. */
function largest(gateway: TestGateway): number {
  const sizes = [gateway.pid, ...gateway.workerPids()].map((pid) =>
    Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]),
  );
  return Math.max(...sizes) / 1024;
}
