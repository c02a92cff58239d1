// A gateway as an attacker meets it: a public, a protected and a cached route before one recording origin,
// and a recording auth server.

import assert from 'node:assert/strict';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { startGateway, type TestGateway } from './gateway.ts';
import { type RawAnswer, type RawOptions, requestText, sendRaw } from './raw.ts';

export interface Seen {
  readonly method: string;
  /** Path with query, as it arrived. */
  readonly target: string;
  /** Names and values as they arrived, alternating, one char a byte. */
  readonly raw: readonly string[];
  body: string;
  /** The request ended before its body did. */
  cut: boolean;
}

export interface FrontDoor {
  readonly gateway: TestGateway;
  readonly port: number;
  /** What reached the origin since `forget`. */
  readonly origin: readonly Seen[];
  /** What reached the auth server since `forget`. */
  readonly auth: readonly Seen[];
  forget(): void;
  send(parts: string | readonly string[], options?: RawOptions): Promise<RawAnswer>;
  /** One request with `Connection: close` beside its own headers, and its answer. */
  ask(line: string, headers?: readonly string[]): Promise<RawAnswer>;
  stop(): Promise<void>;
}

export interface FrontDoorOptions {
  /** Of the entry point `web`. */
  readonly entryPoint?: object;
  readonly routers?: object;
  readonly middlewares?: object;
}

/**
 * Routes: `/health` public, `/api` protected, `/cached` protected with a cache, `/nowhere` without a server,
 * `/old` redirected; the origin has a WebSocket at `/ws/…`, public, and at `/api/ws`. The auth server lets
 * `Authorization: good` through.
 */
export async function openFrontDoor(options: FrontDoorOptions = {}): Promise<FrontDoor> {
  const origin: Seen[] = [];
  const auth: Seen[] = [];
  const backend = await startOrigin(origin);
  const authServer = await startAuth(auth);
  const identity = ['X-User-Id', 'X-User-Role', 'X-Auth.Info'];
  const forwardAuth = {
    address: `http://127.0.0.1:${authServer.port}/verify`,
    authResponseHeaders: identity,
  };
  const cache = { ttl: '60s', key: ['header:Authorization'] };
  const gateway = await startGateway({
    static: { entryPoints: { web: options.entryPoint ?? {} } },
    dynamic: {
      http: {
        routers: {
          health: { rule: 'PathPrefix(`/health`)', service: 'origin', priority: 50 },
          login: { rule: 'Path(`/auth/login`)', service: 'origin', priority: 150 },
          ws: { rule: 'PathPrefix(`/ws`)', service: 'origin', priority: 200 },
          api: { rule: 'PathPrefix(`/api`)', service: 'origin', middlewares: ['auth'], priority: 100 },
          cached: {
            rule: 'PathPrefix(`/cached`)',
            service: 'origin',
            middlewares: ['auth-cached'],
            priority: 100,
          },
          trusting: {
            rule: 'PathPrefix(`/trusting`)',
            service: 'origin',
            middlewares: ['auth-trusting'],
            priority: 100,
          },
          nowhere: { rule: 'PathPrefix(`/nowhere`)', service: 'none', priority: 100 },
          old: { rule: 'PathPrefix(`/old`)', service: 'origin', middlewares: ['moved'], priority: 100 },
          ...options.routers,
        },
        middlewares: {
          auth: { forwardAuth },
          'auth-cached': { forwardAuth: { ...forwardAuth, authRequestHeaders: ['Authorization'], cache } },
          'auth-trusting': { forwardAuth: { ...forwardAuth, trustForwardHeader: true } },
          moved: { redirectScheme: { scheme: 'https', permanent: true } },
          ...options.middlewares,
        },
        services: {
          origin: { loadBalancer: { servers: [{ url: `http://127.0.0.1:${backend.port}` }] } },
          none: { loadBalancer: { servers: [] } },
        },
      },
    },
  });
  const port = gateway.port('web');
  return {
    gateway,
    port,
    origin,
    auth,
    forget() {
      origin.length = 0;
      auth.length = 0;
    },
    send: (parts, rawOptions) => sendRaw(port, parts, rawOptions),
    ask: (line, headers = []) => sendRaw(port, requestText(line, [...headers, 'Connection: close'])),
    async stop() {
      await gateway.stop();
      // No byte of a client's may end a worker or reach a bug.
      const wrong = /^.*(?:"level":"fatal"|A bug of the gateway).*$/m.exec(gateway.logs());
      await Promise.all([backend.stop(), authServer.stop()]);
      assert.equal(wrong?.[0], undefined);
    },
  };
}

interface Started {
  readonly port: number;
  stop(): Promise<void>;
}

async function startOrigin(seen: Seen[]): Promise<Started> {
  const sockets = new WebSocketServer({ noServer: true });
  const server = createServer((request, response) => {
    const one = remember(request, seen);
    request.on('data', (chunk: Buffer) => (one.body += chunk.toString('latin1')));
    request.on('end', () => {
      if (one.target === '/health/stream') streamed(response);
      else if (one.target.startsWith('/health/status/'))
        response.writeHead(Number(one.target.slice(15))).end();
      else response.setHeader('Content-Length', 15).end('from the origin');
    });
  });
  server.on('upgrade', (request, socket, head) => {
    remember(request, seen);
    sockets.handleUpgrade(request, socket, head, (client) =>
      client.on('message', (data) => client.send(data)),
    );
  });
  const started = await listening(server);
  return {
    port: started.port,
    async stop() {
      for (const client of sockets.clients) client.terminate();
      await started.stop();
    },
  };
}

/** `from the origin` in chunks that cannot travel together. */
function streamed(response: ServerResponse): void {
  response.write('from ');
  setTimeout(() => response.write('the '), 20);
  setTimeout(() => response.end('origin'), 40);
}

function startAuth(seen: Seen[]): Promise<Started> {
  const server = createServer((request, response) => {
    remember(request, seen);
    const isGood = request.headers.authorization === 'good';
    if (isGood) response.setHeader('X-User-Id', '7').setHeader('X-User-Role', 'reader');
    response.writeHead(isGood ? 200 : 401).end();
  });
  return listening(server);
}

function remember(request: IncomingMessage, seen: Seen[]): Seen {
  const { method = '', url: target = '', rawHeaders: raw } = request;
  const one: Seen = { method, target, raw, body: '', cut: false };
  seen.push(one);
  request.on('close', () => (one.cut = !request.complete));
  return one;
}

async function listening(server: ReturnType<typeof createServer>): Promise<Started> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Values of `name` in a flat list, whatever its case. */
export function valuesOf(raw: readonly string[], name: string): string[] {
  return raw.filter((_, i) => i % 2 === 1 && (raw[i - 1] as string).toLowerCase() === name.toLowerCase());
}
