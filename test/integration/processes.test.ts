// The gateway as its operators meet it: processes that die, signals, reloads, ports that are taken.

import assert from 'node:assert/strict';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually, runCommand, startGateway, type TestGateway } from '../support/gateway.ts';
import { isAlive } from '../support/process.ts';

test('a worker killed with SIGKILL is replaced at once and nothing is refused meanwhile', async () => {
  await withOrigin(async (origin) => {
    const gateway = await startGateway({ workers: 2, dynamic: routesTo(origin) });
    await stopping(gateway, async () => {
      const [victim] = gateway.workerPids();
      assert.ok(victim !== undefined);
      let refused = 0;
      let going = true;
      const load = (async () => {
        while (going) {
          const status = await ask(gateway, '/').catch((error: unknown) => {
            if (String((error as { cause?: unknown }).cause).includes('ECONNREFUSED')) refused += 1;
            return 0;
          });
          assert.ok(status === 200 || status === 0);
        }
      })();
      process.kill(victim, 'SIGKILL');
      await eventually(
        'two workers run',
        async () => {
          const { workers } = await gateway.status().catch(() => ({ workers: [] }));
          const serving = workers.filter((one) => one.state === 'running' && one.pid !== victim);
          return serving.length === 2;
        },
        30_000,
      );
      going = false;
      await load;
      assert.equal(refused, 0);
      // How soon it serves is the machine's affair; that nothing is waited for is the gateway's.
      const died = gateway
        .logs()
        .split('\n')
        .find((line) => line.includes('worker died and is replaced'));
      assert.match(died ?? '', /signal SIGKILL/);
      assert.match(died ?? '', /"delay":0\b/);
    });
  });
});

test('a new configuration reaches all workers and a broken file changes nothing', async () => {
  await withOrigin(async (origin) => {
    const gateway = await startGateway({ workers: 2 });
    await stopping(gateway, async () => {
      assert.equal(await ask(gateway, '/'), 404);
      await gateway.writeDynamic(routesTo(origin));
      assert.equal(await ask(gateway, '/'), 200);
      const { version } = await gateway.status();
      gateway.putDynamic('http: { routers: [');
      await eventually(
        'the diagnostic is there',
        async () => (await gateway.status()).diagnostics.length > 0,
      );
      assert.equal((await gateway.status()).version, version);
      assert.equal(await ask(gateway, '/'), 200);
    });
  });
});

test('a broken first configuration starts all the same and mends without a restart', async () => {
  await withOrigin(async (origin) => {
    const gateway = await startGateway({ dynamic: 'http: { routers: [' });
    await stopping(gateway, async () => {
      assert.equal(await ask(gateway, '/'), 404);
      await gateway.writeDynamic(routesTo(origin));
      assert.equal(await ask(gateway, '/'), 200);
    });
  });
});

test('SIGHUP reads the files again when nothing watches them', async () => {
  await withOrigin(async (origin) => {
    const gateway = await startGateway({ flags: ['--providers.file.watch=false'] });
    await stopping(gateway, async () => {
      gateway.putDynamic(routesTo(origin));
      gateway.signal('SIGHUP');
      await eventually('the route is there', async () => (await ask(gateway, '/')) === 200);
    });
  });
});

test('SIGUSR1 opens the logs anew in every process', async () => {
  await withOrigin(async (origin) => {
    const gateway = await startGateway({
      flags: ['--accessLog.filePath=access.log'],
      dynamic: routesTo(origin),
    });
    await stopping(gateway, async () => {
      const path = join(gateway.dir, 'access.log');
      await ask(gateway, '/first');
      await eventually('a line', () => has(path, '/first'));
      renameSync(path, `${path}.1`);
      gateway.signal('SIGUSR1');
      await eventually('a line in the new file', async () => {
        await ask(gateway, '/second');
        return has(path, '/second');
      });
      assert.ok(!has(path, '/first'));
    });
  });
});

test('SIGUSR2 replaces every worker without losing a request', async () => {
  await withOrigin(async (origin) => {
    const gateway = await startGateway({ workers: 2, dynamic: routesTo(origin) });
    await stopping(gateway, async () => {
      const before = gateway.workerPids();
      let going = true;
      const answers = new Map<string, number>();
      const load = (async () => {
        while (going) {
          const answer = await askOnce(gateway.port('web'));
          answers.set(answer, (answers.get(answer) ?? 0) + 1);
        }
      })();
      gateway.signal('SIGUSR2');
      await gateway.waitForLog(/workers are replaced/, 20_000);
      going = false;
      await load;
      assert.ok((answers.get('200') ?? 0) > 0);
      // The kernel resets what waits in the queue of a listener that closes, unless it may hand it over.
      assert.ok((answers.get('ECONNRESET') ?? 0) <= (handsOver() ? 0 : 1), JSON.stringify([...answers]));
      answers.delete('200');
      answers.delete('ECONNRESET');
      assert.deepEqual([...answers], []);
      assert.ok(gateway.workerPids().every((pid) => !before.includes(pid)));
      assert.equal(gateway.workerPids().length, 2);
    });
  });
});

test('SIGTERM says 503 on ping while it still serves, finishes what runs, then exits 0', async () => {
  await withOrigin(async (origin) => {
    const gateway = await startGateway({
      static: {
        ping: {},
        entryPoints: {
          web: { transport: { lifeCycle: { requestAcceptGraceTimeout: '700ms', graceTimeOut: '5s' } } },
        },
      },
      dynamic: routesTo(origin),
    });
    await stopping(gateway, async () => {
      assert.equal(await pingOf(gateway), 200);
      const slow = ask(gateway, '/slow');
      gateway.signal('SIGTERM');
      await eventually('ping says 503', async () => (await pingOf(gateway)) === 503);
      assert.equal(await ask(gateway, '/'), 200);
      assert.equal(await slow, 200);
      assert.deepEqual(await gateway.exited, { code: 0, signal: null });
      assert.match(gateway.logs(), /"message":"stopped"/);
    });
  });
});

test('a second SIGTERM ends it at once', async () => {
  const gateway = await startGateway({
    static: { entryPoints: { web: { transport: { lifeCycle: { requestAcceptGraceTimeout: '1h' } } } } },
  });
  await stopping(gateway, async () => {
    gateway.signal('SIGTERM');
    await gateway.waitForLog(/shutdown has begun/);
    gateway.signal('SIGINT');
    await gateway.waitForLog(/"message":"stopped"/, 3000);
    assert.equal((await gateway.exited).code, 0);
  });
});

test('workers leave when the primary is killed', async () => {
  const gateway = await startGateway({ workers: 2 });
  const pids = gateway.workerPids();
  process.kill(gateway.pid, 'SIGKILL');
  await eventually('no worker is left', () => pids.every((pid) => !isAlive(pid)), 15_000);
  gateway.kill();
});

test('a port that is taken ends the start with one line that names entry point and port', async () => {
  await withOrigin(async (origin) => {
    const port = new URL(origin).port;
    const { code, output } = await runCommand([`--entryPoints.front.address=127.0.0.1:${port}`]);
    assert.equal(code, 1);
    const lines = output.trim().split('\n');
    assert.equal(lines.length, 1, output);
    assert.match(lines[0] ?? '', new RegExp(`front .*127\\.0\\.0\\.1:${port}.*in use`));
  });
});

test('a second gateway on the same port does not start beside the first', async () => {
  const gateway = await startGateway({});
  await stopping(gateway, async () => {
    const { code, output } = await runCommand([`--entryPoints.web.address=127.0.0.1:${gateway.port('web')}`]);
    assert.equal(code, 1);
    assert.match(output, /in use/);
  });
});

test('a static configuration that is wrong exits 1 and names the key', async () => {
  const { code, output } = await runCommand(['--entryPoints.web.adress=:80']);
  assert.equal(code, 1);
  assert.match(output, /adress/);
});

test('a server that fails its health check is left out until it recovers, and the API shows it', async () => {
  let healthy = true;
  const sick = await serve((path) => (path === '/health' && !healthy ? 500 : 200), 'sick');
  const well = await serve(() => 200, 'well');
  const gateway = await startGateway({
    workers: 2,
    dynamic: routesTo(sick.url, [well.url], { interval: '50ms' }),
  });
  try {
    await stopping(gateway, async () => {
      const seen = async (): Promise<ReadonlySet<string>> => {
        const answers = await Promise.all(Array.from({ length: 12 }, () => bodyOf(gateway, '/')));
        return new Set(answers);
      };
      assert.deepEqual([...(await seen())].toSorted(), ['sick', 'well']);
      healthy = false;
      await eventually('only the healthy one answers', async () => (await seen()).size === 1);
      assert.deepEqual([...(await seen())], ['well']);
      const shown = await fetch(`${gateway.url('traefik')}/api/http/services/api@file`);
      const { serverStatus } = (await shown.json()) as { serverStatus: Record<string, string> };
      assert.deepEqual(serverStatus, { [sick.url]: 'DOWN', [well.url]: 'UP' });
      healthy = true;
      await eventually('both answer again', async () => (await seen()).size === 2);
    });
  } finally {
    sick.server.close();
    well.server.close();
  }
});

function routesTo(url: string, more: readonly string[] = [], healthCheck: object | null = null): object {
  const servers = [url, ...more].map((one) => ({ url: one }));
  const loadBalancer = {
    servers,
    ...(healthCheck === null ? {} : { healthCheck: { path: '/health', ...healthCheck } }),
  };
  return {
    http: {
      routers: { api: { rule: 'PathPrefix(`/`)', service: 'api', entryPoints: ['web'] } },
      services: { api: { loadBalancer } },
    },
  };
}

async function ask(gateway: TestGateway, path: string): Promise<number> {
  const response = await fetch(gateway.url('web') + path);
  await response.arrayBuffer();
  return response.status;
}

/** Over a connection of its own: the status, or the error's code. */
function askOnce(port: number): Promise<string> {
  return new Promise((resolve) => {
    const asked = request({ host: '127.0.0.1', port, agent: false }, (response) => {
      response.resume();
      response.on('end', () => resolve(String(response.statusCode)));
    });
    asked.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    asked.end();
  });
}

function handsOver(): boolean {
  return has('/proc/sys/net/ipv4/tcp_migrate_req', '1');
}

async function bodyOf(gateway: TestGateway, path: string): Promise<string> {
  return (await fetch(gateway.url('web') + path)).text();
}

async function pingOf(gateway: TestGateway): Promise<number> {
  return (await fetch(`${gateway.url('traefik')}/ping`)).status;
}

async function stopping(gateway: TestGateway, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    process.stderr.write(gateway.logs());
    throw error;
  } finally {
    await gateway.stop();
  }
}

async function withOrigin(run: (url: string) => Promise<void>): Promise<void> {
  const origin = await serve(() => 200, 'origin');
  try {
    await run(origin.url);
  } finally {
    origin.server.closeAllConnections();
    origin.server.close();
  }
}

async function serve(
  status: (path: string) => number,
  body: string,
): Promise<{ url: string; server: Server }> {
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    response.statusCode = status(path);
    if (path === '/slow') setTimeout(() => response.end(body), 1500);
    else response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}

function has(path: string, text: string): boolean {
  try {
    return readFileSync(path, 'utf8').includes(text);
  } catch {
    return false;
  }
}
