// A request that wants to leave HTTP behind and calls itself a preflight, and what is left of a request whose auth
// server is gone, on both engines.

import assert from 'node:assert/strict';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { after, before, beforeEach, describe, test } from 'node:test';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { type Origin, startOrigin } from '../support/origin.ts';
import { requestText, sendRaw } from '../support/raw.ts';

const preflight = ['Origin: http://page.test', 'Access-Control-Request-Method: GET'];

for (const engine of ['uws', 'node'] as const) {
  describe(`round the auth check by another protocol, ${engine} engine`, { timeout: 60_000 }, () => {
    let gateway: TestGateway;
    let auth: Origin;
    let server: Switcher;

    before(async () => {
      server = await startSwitcher();
      auth = await startOrigin({
        answer: (request, response) => {
          if (request.headers['x-cut'] !== undefined) response.destroy();
          else response.writeHead(401).end();
        },
      });
      const forwardAuth = { address: auth.url, skipPreflight: true, authResponseHeadersRegex: '^X-Role' };
      const router = (rule: string, ...middlewares: readonly string[]): object => ({
        rule,
        middlewares,
        service: 'server',
      });
      gateway = await startGateway({
        engine,
        dynamic: {
          http: {
            routers: {
              all: router('PathPrefix(`/`)', 'auth'),
              paged: router('PathPrefix(`/paged`)', 'page', 'auth'),
            },
            middlewares: {
              auth: { forwardAuth },
              cached: { forwardAuth: { ...forwardAuth, cache: { ttl: '60s' } } },
              page: { errors: { status: ['500-599'], service: 'server', query: '/error-page' } },
            },
            services: { server: { loadBalancer: { servers: [{ url: server.url }] } } },
          },
        },
      });
    });
    beforeEach(() => {
      server.seen.length = 0;
      server.switched = 0;
    });
    after(async () => {
      await gateway?.stop();
      await Promise.all([auth?.stop(), server?.stop()]);
    });

    test('a handshake is no preflight, whatever its method and headers', async () => {
      for (const protocol of ['telnet', 'websocket', 'tcp', 'SPDY/3.1']) {
        const wants = ['Connection: Upgrade', `Upgrade: ${protocol}`, 'Sec-WebSocket-Version: 13'];
        const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';
        for (const method of ['OPTIONS', 'GET']) {
          const asked = requestText(`${method} /x`, [...wants, key, ...preflight]);
          const { statuses } = await sendRaw(gateway.port('web'), asked);
          assert.equal(server.switched, 0, `${method} ${protocol}`);
          // Without the switch it is a preflight like any other.
          if (statuses[0] !== 401)
            assert.equal(server.seen.at(-1)?.method, 'OPTIONS', `${method} ${protocol}`);
        }
      }
    });

    test('an error page for an auth server that fails is asked for without what only that one may say', async () => {
      const lines = ['X-Role: admin', 'X_Role_Name: admin', 'X-Cut: 1', 'Connection: close'];
      const { statuses } = await sendRaw(gateway.port('web'), requestText('GET /paged', lines));
      assert.deepEqual(statuses, [500]);
      assert.equal(server.seen[0]?.target, '/error-page');
      assert.doesNotMatch(JSON.stringify(server.seen), /admin/);
    });
  });
}

interface Switcher {
  readonly url: string;
  readonly seen: {
    readonly method: string;
    readonly target: string;
    readonly headers: IncomingHttpHeaders;
  }[];
  switched: number;
  stop(): Promise<void>;
}

/** Switches to whatever it is asked for. */
async function startSwitcher(): Promise<Switcher> {
  const sockets = new Set<Socket>();
  const server = createServer(({ method = '', url: target = '', headers }, response) => {
    switcher.seen.push({ method, target, headers });
    response.end('server');
  });
  server.on('connection', (socket: Socket) => sockets.add(socket));
  server.on('upgrade', ({ headers }, socket) => {
    switcher.switched += 1;
    socket.end(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${headers.upgrade}\r\n\r\nhello`,
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const switcher: Switcher = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen: [],
    switched: 0,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return switcher;
}
