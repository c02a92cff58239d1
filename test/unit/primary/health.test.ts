// Health checks against real servers: what counts as healthy, and that each change is told once.

import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import type { ServerState } from '../../../src/model/ipc.ts';
import type { LoadBalancerSpec, Snapshot } from '../../../src/model/snapshot.ts';
import { createHealthMonitor, type HealthMonitor } from '../../../src/primary/health/monitor.ts';
import { probeUrl } from '../../../src/primary/health/probe.ts';
import { createSemaphore } from '../../../src/primary/health/semaphore.ts';
import { linesLog, service, until } from './support.ts';
import { noTls } from '../../../src/model/tls.ts';

interface Rig {
  readonly monitor: HealthMonitor;
  readonly changes: ServerState[];
  readonly lines: string[];
}

test('a server that begins to fail goes down once, and up once when it recovers', async () => {
  let status = 200;
  await withServer(
    (_, response) => response.writeHead(status).end(),
    async (url) => {
      await withMonitor(async ({ monitor, changes, lines }) => {
        monitor.follow(snapshot(service('api@file', [url], {})));
        status = 500;
        await until('down', () => changes.length === 1);
        await pause(100);
        assert.deepEqual(changes, [{ service: 'api@file', url, up: false }]);
        assert.deepEqual(monitor.serverStates('api@file'), new Map([[url, false]]));
        status = 204;
        await until('up', () => changes.length === 2);
        assert.deepEqual(changes[1], { service: 'api@file', url, up: true });
        assert.equal(lines.filter((line) => line.startsWith('server is down')).length, 1);
        assert.match(lines.join('\n'), /"reason":"status 500"/);
      });
    },
  );
});

test('the first probe does not wait for an interval', async () => {
  await withServer(
    (_, response) => response.writeHead(500).end(),
    async (url) => {
      await withMonitor(async ({ monitor, changes }) => {
        monitor.follow(snapshot(service('api@file', [url], { interval: 3_600_000 })));
        await until('down', () => changes.length === 1);
      });
    },
  );
});

test('a server of h2c is asked in HTTP/2, on a connection of its own each time', async () => {
  let status = 200;
  let connections = 0;
  const server = createHttp2Server((_request, response) => void response.writeHead(status).end());
  server.on('session', () => connections++);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `h2c://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    await withMonitor(async ({ monitor, changes }) => {
      monitor.follow(snapshot(service('grpc@file', [url], { interval: 30 })));
      await until('three probes', () => connections >= 3);
      assert.deepEqual(changes, []);
      status = 500;
      await until('down', () => changes.length === 1);
    });
  } finally {
    server.close();
  }
});

test('a refused connection and a server that stays silent are down', async () => {
  await withServer(
    () => {},
    async (silent) => {
      const refused = await closedPort();
      await withMonitor(async ({ monitor, changes, lines }) => {
        monitor.follow(snapshot(service('api@file', [refused, silent], { timeout: 100 })));
        await until('both down', () => changes.length === 2);
        assert.match(lines.join('\n'), /ECONNREFUSED/);
        assert.match(lines.join('\n'), /no answer within 100 ms/);
      });
    },
  );
});

test('rise and fall ask for so many probes in a row, and initial says where a server begins', async () => {
  const answers = [200, 500, 200, 200, 500, 200, 500, 500, 500];
  let asked = 0;
  await withServer(
    (_, response) => {
      response.writeHead(answers[asked] ?? 500).end();
      asked += 1;
    },
    async (url) => {
      await withMonitor(async ({ monitor, changes }) => {
        const checked = snapshot(
          service('api@file', [url], {
            rise: 2,
            fall: 3,
            initial: 'down',
            interval: 10,
            unhealthyInterval: 10,
          }),
        );
        assert.deepEqual(monitor.downFor(checked), [{ service: 'api@file', url, up: false }]);
        monitor.follow(checked);
        await until('up after the fourth', () => changes.length === 1);
        assert.equal(asked, 4);
        await until('down after the ninth', () => changes.length === 2);
        assert.equal(asked, 9);
      });
    },
  );
});

test('method, path, host and headers are those of the check', async () => {
  const seen: IncomingMessage[] = [];
  await withServer(
    (request, response) => {
      seen.push(request);
      response.end();
    },
    async (url) => {
      await withMonitor(async ({ monitor }) => {
        const check = {
          method: 'HEAD',
          path: '/up?deep=1',
          hostname: 'api.example.com',
          headers: { 'X-Probe': 'yes' },
        };
        monitor.follow(snapshot(service('api@file', [url], check)));
        await until('asked', () => seen.length > 0);
        assert.equal(seen[0]?.method, 'HEAD');
        assert.equal(seen[0]?.url, '/up?deep=1');
        assert.equal(seen[0]?.headers.host, 'api.example.com');
        assert.equal(seen[0]?.headers['x-probe'], 'yes');
      });
    },
  );
});

test('a redirect is followed, or taken as the answer when followRedirects is off', async () => {
  const hits: string[] = [];
  const handler: RequestListener = (request, response) => {
    hits.push(request.url ?? '');
    if (request.url === '/health') response.writeHead(302, { location: '/broken' }).end();
    else response.writeHead(500).end();
  };
  await withServer(handler, async (url) => {
    await withMonitor(async ({ monitor, changes }) => {
      monitor.follow(snapshot(service('api@file', [url], {})));
      await until('down', () => changes.length === 1);
      monitor.follow(snapshot(service('api@file', [url], { followRedirects: false })));
      await until('up', () => changes.length === 2);
      assert.ok(hits.includes('/broken'));
    });
  });
});

test('an exact status accepts no other', async () => {
  await withServer(
    (_, response) => response.writeHead(200).end(),
    async (url) => {
      await withMonitor(async ({ monitor, changes }) => {
        monitor.follow(snapshot(service('api@file', [url], { status: 204 })));
        await until('down', () => changes.length === 1);
      });
    },
  );
});

test('a reload that leaves a service as it was keeps what is known of its servers', async () => {
  await withServer(
    (_, response) => response.writeHead(500).end(),
    async (url) => {
      await withMonitor(async ({ monitor, changes }) => {
        const api = service('api@file', [url], {});
        monitor.follow(snapshot(api));
        await until('down', () => changes.length === 1);
        const other = await closedPort();
        const next = snapshot(service('api@file', [url, other], {}), service('more@file', [url]));
        assert.deepEqual(monitor.downFor(next), [{ service: 'api@file', url, up: false }]);
        monitor.follow(next);
        await until('the new one is down too', () => changes.length === 2);
        await pause(80);
        assert.deepEqual(
          changes.map((change) => change.url),
          [url, other],
        );
      });
    },
  );
});

test('a service that leaves the configuration is asked no more', async () => {
  let asked = 0;
  await withServer(
    (_, response) => {
      asked += 1;
      response.end();
    },
    async (url) => {
      await withMonitor(async ({ monitor }) => {
        monitor.follow(snapshot(service('api@file', [url], {})));
        await until('asked', () => asked > 1);
        monitor.follow(snapshot());
        await pause(60);
        const then = asked;
        await pause(120);
        assert.equal(asked, then);
        assert.equal(monitor.serverStates('api@file'), null);
      });
    },
  );
});

test('an address in the path of a check is never asked', () => {
  const server = { url: 'http://10.0.0.1:8080', path: '', weight: 1 };
  const check = service('api@file', [], {}).healthCheck;
  assert.ok(check !== null);
  for (const path of [
    'http://169.254.169.254/',
    '//evil/',
    'file:///etc/passwd',
    '/\\evil/',
    '\\\\evil/',
    ' //evil/',
    '\t//evil/',
    '/\n/evil/',
    ' http://evil/',
    'ht\ttp://evil/',
  ]) {
    assert.equal(probeUrl(server, { ...check, path }), null);
  }
  assert.equal(
    probeUrl(server, { ...check, scheme: 'https', port: 9000 })?.href,
    'https://10.0.0.1:9000/health',
  );
});

test('no more probes run at once than the limit allows', async () => {
  const semaphore = createSemaphore(2);
  let running = 0;
  let most = 0;
  const work = async (): Promise<void> => {
    running += 1;
    most = Math.max(most, running);
    await pause(5);
    running -= 1;
  };
  await Promise.all(Array.from({ length: 10 }, () => semaphore.run(work)));
  assert.equal(most, 2);
});

function snapshot(...services: readonly LoadBalancerSpec[]): Snapshot {
  return { version: 1, hash: 'h', routers: [], middlewares: [], services, transports: [], tls: noTls };
}

async function withMonitor(run: (rig: Rig) => Promise<void>): Promise<void> {
  const changes: ServerState[] = [];
  const lines: string[] = [];
  const monitor = createHealthMonitor(linesLog(lines), (state) => changes.push(state));
  try {
    await run({ monitor, changes, lines });
  } finally {
    await monitor.close();
  }
}

async function withServer(handler: RequestListener, run: (url: string) => Promise<void>): Promise<void> {
  const server = await listen(createServer(handler));
  try {
    await run(urlOf(server));
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

function listen(server: Server): Promise<Server> {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

function urlOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function closedPort(): Promise<string> {
  const server = await listen(createServer());
  const url = urlOf(server);
  await new Promise((resolve) => server.close(resolve));
  return url;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
