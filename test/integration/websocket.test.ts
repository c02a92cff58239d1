// WebSockets through the gateway: the handshake like any request, then messages, pings and closes both ways.

import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, describe, test } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import { isNodeEngine, onlyUws } from '../support/engine.ts';
import { eventually, startGateway, type TestGateway } from '../support/gateway.ts';
import { type Origin, startOrigin } from '../support/origin.ts';
import {
  accessLine,
  exchangeRaw,
  residentBytes,
  routesTo,
  startWireServer,
  testAccessLog,
  type WireServer,
} from '../support/wire.ts';

const MiB = 1024 * 1024;
const asBytes = 'a tunnel passes bytes, with back-pressure both ways and without a bound on messages';
const offer =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';

describe('a WebSocket through the gateway', () => {
  let gateway: TestGateway;
  let backend: Backend;
  let refusing: Origin;
  let auth: Origin;
  let badAccept: WireServer;
  let client: WebSocket | undefined;

  before(async () => {
    backend = await startBackend();
    refusing = await startOrigin({
      answer: (request, response) => {
        response.statusCode = Number(request.url?.slice(-3));
        response.setHeader('x-why', 'because');
        response.end(`refused ${request.url}`);
      },
    });
    auth = await startOrigin({
      answer: (request, response) => {
        response.statusCode = request.headers['authorization'] === 'Bearer good' ? 200 : 401;
        response.setHeader('x-user-id', '7');
        response.end('who are you?');
      },
    });
    badAccept = await startWireServer((socket) => {
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: wrong\r\n\r\n',
      );
    });
    const { http } = routesTo({
      ws: backend.url,
      refusing: refusing.url,
      auth: backend.url,
      bad: badAccept.url,
      dead: 'http://127.0.0.1:1',
    }) as {
      http: { routers: Record<string, object> };
    };
    http.routers['auth'] = { ...http.routers['auth'], middlewares: ['who'] };
    gateway = await startGateway({
      static: {
        accessLog: testAccessLog,
        entryPoints: { web: {}, small: { http: { maxWebSocketMessage: 65_536 } } },
      },
      dynamic: {
        http: {
          ...http,
          middlewares: {
            who: { forwardAuth: { address: `${auth.url}/`, authResponseHeaders: ['X-User-Id'] } },
          },
        },
      },
    });
  });
  beforeEach(() => {
    client?.terminate();
    client = undefined;
  });
  after(async () => {
    client?.terminate();
    await gateway?.stop();
    await Promise.all([backend?.stop(), refusing?.stop(), auth?.stop(), badAccept?.stop()]);
  });

  async function open(
    path: string,
    protocols: string[] = [],
    headers = {},
    entryPoint = 'web',
  ): Promise<{ client: WebSocket; server: WebSocket; request: IncomingMessage }> {
    const accepted = backend.next();
    client = new WebSocket(`ws://127.0.0.1:${gateway.port(entryPoint)}${path}`, protocols, { headers });
    await new Promise((resolve, reject) => client?.once('open', resolve).once('error', reject));
    return { client, ...(await accepted) };
  }

  test('text and binary messages pass both ways as they are', async () => {
    const { client, server } = await open('/ws/echo');
    client.send('hé 😀');
    assert.deepEqual(await message(server), { data: Buffer.from('hé 😀'), isBinary: false });
    client.send(Buffer.from([0, 255, 1]));
    assert.deepEqual(await message(server), { data: Buffer.from([0, 255, 1]), isBinary: true });
    server.send('back');
    assert.deepEqual(await message(client), { data: Buffer.from('back'), isBinary: false });
    server.send(Buffer.alloc(0));
    assert.deepEqual(await message(client), { data: Buffer.alloc(0), isBinary: true });
    assert.doesNotMatch(gateway.logs(), /corked callback/, 'the engine told the operator of its own affairs');
  });

  test('a message that follows the handshake at once is not lost', async () => {
    backend.greeting = 'welcome';
    try {
      const path = `ws://127.0.0.1:${gateway.port('web')}/ws/greeting`;
      client = new WebSocket(path);
      assert.equal((await message(client)).data.toString(), 'welcome');
    } finally {
      backend.greeting = null;
    }
  });

  test('fragments are put together, up to 16 MiB', async () => {
    const { client, server } = await open('/ws/fragments');
    const big = Buffer.alloc(15 * MiB, 7);
    const got = message(server, 20_000);
    for (let at = 0; at < big.length; at += 5 * MiB) {
      client.send(big.subarray(at, at + 5 * MiB), { fin: at + 5 * MiB >= big.length, binary: true });
    }
    assert.ok((await got).data.equals(big));
    const back = message(client, 20_000);
    server.send(big);
    assert.ok((await back).data.equals(big));
  });

  test(
    'a client message over the bound cuts the client and tells the server 1009',
    onlyUws(asBytes),
    async () => {
      const { client, server } = await open('/ws/too-big-up');
      const ends = [closed(client), closed(server)];
      client.send(Buffer.alloc(17 * MiB));
      const [atClient, atServer] = await Promise.all(ends);
      assert.equal(atServer?.code, 1009);
      // The engine sends no close frame here.
      assert.equal(atClient?.code, 1006);
    },
  );

  test('a server message over the bound closes both ends with 1009', onlyUws(asBytes), async () => {
    const { client, server } = await open('/ws/too-big-down');
    const ends = [closed(client), closed(server)];
    server.send(Buffer.alloc(17 * MiB));
    const [atClient, atServer] = await Promise.all(ends);
    assert.equal(atServer?.code, 1009);
    assert.equal(atClient?.code, 1009);
  });

  test('an entry point has its own bound for messages', onlyUws(asBytes), async () => {
    const { client, server } = await open('/ws/small', [], {}, 'small');
    const got = message(server);
    client.send(Buffer.alloc(65_536, 1));
    assert.equal((await got).data.length, 65_536);
    const ends = [closed(client), closed(server)];
    client.send(Buffer.alloc(65_537));
    assert.deepEqual(
      (await Promise.all(ends)).map(({ code }) => code),
      [1006, 1009],
    );
    const down = await open('/ws/small-down', [], {}, 'small');
    const atClient = closed(down.client);
    down.server.send(Buffer.alloc(65_537));
    assert.equal((await atClient).code, 1009);
  });

  test('pings of both ends are answered, with their payload', async () => {
    const { client, server } = await open('/ws/pings');
    const pingAtServer = new Promise((resolve) =>
      server.once('ping', (data: Buffer) => resolve(data.toString())),
    );
    const pongAtClient = new Promise((resolve) =>
      client.once('pong', (data: Buffer) => resolve(data.toString())),
    );
    client.ping('from client');
    assert.equal(await pingAtServer, 'from client');
    assert.equal(await pongAtClient, 'from client');
    const pingAtClient = new Promise((resolve) =>
      client.once('ping', (data: Buffer) => resolve(data.toString())),
    );
    const pongAtServer = new Promise((resolve) =>
      server.once('pong', (data: Buffer) => resolve(data.toString())),
    );
    server.ping('from server');
    assert.equal(await pingAtClient, 'from server');
    assert.equal(await pongAtServer, 'from server');
  });

  for (const [code, reason] of [
    [1000, 'done'],
    [1001, 'moving'],
    [4321, 'mine'],
    [1005, ''],
  ] as const) {
    test(`close code ${code} reaches the server, and the client`, async () => {
      const up = await open(`/ws/close-up-${code}`);
      const atServer = closed(up.server);
      if (code === 1005) up.client.close();
      else up.client.close(code, reason);
      assert.deepEqual(await atServer, { code, reason });
      const down = await open(`/ws/close-down-${code}`);
      const atClient = closed(down.client);
      if (code === 1005) down.server.close();
      else down.server.close(code, reason);
      assert.deepEqual(await atClient, { code, reason });
      assert.equal((await accessLine(gateway, `/ws/close-up-${code}`))['DownstreamStatus'], 101);
      assert.equal((await accessLine(gateway, `/ws/close-down-${code}`))['DownstreamStatus'], 101);
    });
  }

  test('a server that dies is 1006 for the client, and the other way round', async () => {
    const first = await open('/ws/server-dies');
    const atClient = closed(first.client);
    first.server.terminate();
    assert.equal((await atClient).code, 1006);
    const second = await open('/ws/client-dies');
    const atServer = closed(second.server);
    second.client.terminate();
    assert.equal((await atServer).code, 1006);
    assert.equal((await accessLine(gateway, '/ws/client-dies'))['DownstreamStatus'], 101);
  });

  test('subprotocols are offered as written and the server chooses', async () => {
    backend.choose = 'graphql-ws';
    const { client, request } = await open('/ws/protocols', ['mqtt', 'graphql-ws']);
    assert.equal(client.protocol, 'graphql-ws');
    assert.equal(request.headers['sec-websocket-protocol'], 'mqtt,graphql-ws');
  });

  test('a server may leave the offered subprotocols aside', async () => {
    backend.choose = false;
    const answer = await exchangeRaw(
      gateway.port('web'),
      '/ws/no-protocol',
      `${offer}Sec-WebSocket-Protocol: mqtt\r\n`,
    );
    assert.match(answer, /^HTTP\/1\.1 101 /);
    assert.doesNotMatch(answer, /sec-websocket-protocol/i);
  });

  test('the handshake is forwarded with its own headers once, and the answer too', async () => {
    const { request } = await open('/ws/headers?q=1', [], { origin: 'https://a.example', cookie: 'a=1' });
    assert.equal(request.url, '/ws/headers?q=1');
    assert.equal(request.headers.origin, 'https://a.example');
    assert.equal(request.headers.cookie, 'a=1');
    assert.equal(request.headers.host, `127.0.0.1:${gateway.port('web')}`);
    assert.equal(request.headers['x-forwarded-proto'], 'ws');
    assert.equal(request.rawHeaders.filter((name) => name.toLowerCase() === 'sec-websocket-key').length, 1);
    // Who passes bytes on need not know what is in them.
    if (!isNodeEngine) assert.equal(request.headers['sec-websocket-extensions'], undefined);
    const answer = await exchangeRaw(gateway.port('web'), '/ws/answer', offer);
    assert.match(answer, /^HTTP\/1\.1 101 Switching Protocols\r\n/);
    assert.equal(answer.match(/sec-websocket-accept/gi)?.length, 1);
    assert.match(answer, /x-backend: yes\r\n/i);
    assert.equal(answer.match(/set-cookie: [ab]=1\r\n/gi)?.length, 2);
    assert.doesNotMatch(answer, /uWebSockets/i);
  });

  test('middlewares run on the handshake: a 401 reaches the client with its body', async () => {
    const refused = await exchangeRaw(gateway.port('web'), '/auth/closed', offer);
    assert.match(refused, /^HTTP\/1\.1 401 Unauthorized\r\n/);
    assert.match(refused, /\r\n\r\nwho are you\?$/);
    const { client, server, request } = await open('/auth/open', [], { authorization: 'Bearer good' });
    assert.equal(request.headers['x-user-id'], '7');
    client.send('in');
    assert.equal((await message(server)).data.toString(), 'in');
  });

  for (const status of [200, 302, 403, 503]) {
    test(`a server's ${status} to the handshake is passed on as it is`, async () => {
      const answer = await exchangeRaw(gateway.port('web'), `/refusing/${status}`, offer);
      assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `));
      assert.match(answer, /x-why: because\r\n/i);
      assert.match(answer, new RegExp(`\\r\\n\\r\\nrefused /refusing/${status}$`));
      assert.equal((await accessLine(gateway, `/refusing/${status}`))['DownstreamStatus'], status);
    });
  }

  test('a 101 that does not match the handshake is 500, a server that is not there 502', async () => {
    assert.match(
      await exchangeRaw(gateway.port('web'), '/bad', offer),
      /^HTTP\/1\.1 500 Internal Server Error\r\n/,
    );
    assert.match(await exchangeRaw(gateway.port('web'), '/dead', offer), /^HTTP\/1\.1 502 Bad Gateway\r\n/);
  });

  test('doubled subprotocols are a bad request', async () => {
    const answer = await exchangeRaw(gateway.port('web'), '/ws', `${offer}Sec-WebSocket-Protocol: a, a\r\n`);
    assert.match(answer, /^HTTP\/1\.1 400 /);
  });

  test('a slow client holds the server back', async () => {
    const { client, server } = await open('/ws/slow-client');
    client.pause();
    const [worker] = gateway.workerPids();
    assert.ok(worker !== undefined);
    const before = residentBytes(worker);
    const chunk = Buffer.alloc(256 * 1024, 1);
    let sent = 0;
    for (; sent < 400; sent++) {
      server.send(chunk);
      if (server.bufferedAmount > 8 * MiB) await new Promise((resolve) => setTimeout(resolve, 10));
      if (server.bufferedAmount > 32 * MiB) break;
    }
    assert.ok(server.bufferedAmount > 32 * MiB, 'the server is held back');
    assert.ok(residentBytes(worker) - before < 60 * MiB, 'memory is flat');
    let received = 0;
    client.on('message', () => received++);
    client.resume();
    const total = sent + 1;
    await eventually('everything arrives', () => received === total, 20_000);
  });

  test(
    'a server that does not read loses its tunnel at the bound, and memory stays flat',
    onlyUws(asBytes),
    async () => {
      const { client, server } = await open('/ws/slow-server');
      server.pause();
      const [worker] = gateway.workerPids();
      assert.ok(worker !== undefined);
      const before = residentBytes(worker);
      const end = closed(client, 30_000);
      const chunk = Buffer.alloc(256 * 1024, 1);
      let peak = 0;
      for (let sent = 0; sent < 800 && client.readyState === WebSocket.OPEN; sent++) {
        await new Promise((resolve) => client.send(chunk, resolve));
        peak = Math.max(peak, residentBytes(worker) - before);
      }
      // 1013, unless what the client had on its way meets a closed socket first.
      assert.ok([1006, 1013].includes((await end).code));
      assert.ok(peak < 100 * MiB, `memory grew by ${peak / MiB} MiB`);
      server.resume();
    },
  );
});

describe('a gateway that stops', () => {
  test('says 1001 to both ends of a WebSocket at the deadline', async () => {
    const backend = await startBackend();
    // The longest of all entry points counts.
    const brief = { transport: { lifeCycle: { graceTimeOut: '1s' } } };
    const gateway = await startGateway({
      static: { entryPoints: { web: brief, traefik: brief } },
      dynamic: routesTo({ ws: backend.url }),
    });
    try {
      const accepted = backend.next();
      const client = new WebSocket(`ws://127.0.0.1:${gateway.port('web')}/ws`);
      await new Promise((resolve, reject) => client.once('open', resolve).once('error', reject));
      const { server } = await accepted;
      const ends = [closed(client, 20_000), closed(server, 20_000)];
      assert.equal((await gateway.stop()).code, 0);
      const [atClient, atServer] = await Promise.all(ends);
      assert.equal(atClient?.code, 1001);
      assert.equal(atServer?.code, 1001);
    } finally {
      gateway.kill();
      await backend.stop();
    }
  });
});

interface Backend {
  readonly url: string;
  greeting: string | null;
  choose: string | false;
  /** The next socket accepted. */
  next(): Promise<{ server: WebSocket; request: IncomingMessage }>;
  stop(): Promise<void>;
}

async function startBackend(): Promise<Backend> {
  const http: Server = createServer();
  const waiting: ((accepted: { server: WebSocket; request: IncomingMessage }) => void)[] = [];
  const backend = { greeting: null as string | null, choose: false as string | false };
  const sockets = new WebSocketServer({
    server: http,
    maxPayload: 64 * MiB,
    handleProtocols: () => backend.choose,
  });
  sockets.on('headers', (headers) => headers.push('X-Backend: yes', 'Set-Cookie: a=1', 'Set-Cookie: b=1'));
  sockets.on('connection', (server, request) => {
    server.on('error', () => {});
    if (backend.greeting !== null) server.send(backend.greeting);
    waiting.shift()?.({ server, request });
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', () => resolve()));
  return Object.assign(backend, {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    next: () =>
      new Promise<{ server: WebSocket; request: IncomingMessage }>((resolve) => waiting.push(resolve)),
    stop: () =>
      new Promise<void>((resolve) => {
        for (const socket of sockets.clients) socket.terminate();
        http.close(() => resolve());
        http.closeAllConnections();
      }),
  });
}

function message(socket: WebSocket, ms = 5000): Promise<{ data: Buffer; isBinary: boolean }> {
  return within(ms, 'a message', (resolve) => {
    socket.once('message', (data, isBinary) => resolve({ data: data as Buffer, isBinary }));
  });
}

function closed(socket: WebSocket, ms = 8000): Promise<{ code: number; reason: string }> {
  return within(ms, 'a close', (resolve) => {
    socket.on('error', () => {});
    socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() }));
  });
}

function within<T>(ms: number, what: string, begin: (resolve: (value: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`waited ${ms} ms for ${what}`)), ms);
    begin((value) => {
      clearTimeout(timer);
      resolve(value);
    });
  });
}
