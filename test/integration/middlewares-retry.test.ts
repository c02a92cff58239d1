// retry on the wire: which requests are sent again, as what, and how often.

import assert from 'node:assert/strict';
import { connect, createServer, type Server as TcpServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, describe, test } from 'node:test';
import { type Ask, ask } from '../support/ask.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { type Origin, startOrigin } from '../support/origin.ts';

describe('retry', () => {
  let origin: Origin;
  let dead: number;
  let gateway: TestGateway;
  before(async () => {
    origin = await startOrigin();
    dead = await freePort();
    const middlewares = {
      plain: { retry: { attempts: 3 } },
      status: { retry: { attempts: 3, status: ['500-503'] } },
      risky: { retry: { attempts: 3, status: '503', retryNonIdempotentMethod: true } },
      small: {
        retry: { attempts: 3, status: '503', maxRequestBodyBytes: 4, retryNonIdempotentMethod: true },
      },
      waits: { retry: { attempts: 2, status: '503', initialInterval: '50ms' } },
      brief: { retry: { attempts: 50, status: '503', initialInterval: '40ms', timeout: '60ms' } },
      strip: { stripPrefix: { prefixes: ['/api'] } },
      none: { retry: { attempts: 0 } },
    };
    const router = (name: string, rest: object = {}): [string, object] => [
      name,
      { rule: `Host(\`${name}.test\`)`, service: 'origin', middlewares: [name], ...rest },
    ];
    gateway = await startGateway({
      dynamic: {
        http: {
          routers: Object.fromEntries([
            ...Object.keys(middlewares).map((name) => router(name)),
            router('both', { middlewares: ['status', 'strip'] }),
            router('gone', { middlewares: ['plain'], service: 'dead' }),
          ]),
          middlewares,
          services: {
            origin: { loadBalancer: { servers: [{ url: origin.url }] } },
            dead: { loadBalancer: { servers: [{ url: `http://127.0.0.1:${dead}` }] } },
          },
        },
      },
    });
  });
  after(async () => {
    await gateway.stop();
    await origin.stop();
  });
  beforeEach(() => {
    origin.requests.length = 0;
    let asked = 0;
    origin.answerWith((_request, response) => {
      response.statusCode = ++asked < 3 ? 503 : 200;
      response.end(`answer ${asked}`);
    });
  });

  const get = (host: string, options: Partial<Ask> = {}) =>
    ask(gateway.port('web'), { ...options, target: '/api/x?q=1', host: `${host}.test` });

  test('an answer with a listed status is asked for again, the last one reaches the client', async () => {
    const answer = await get('status');
    assert.deepEqual([answer.status, answer.body], [200, 'answer 3']);
    assert.equal(origin.requests.length, 3);
  });

  test('without listed statuses an answer is an answer', async () => {
    assert.equal((await get('plain')).status, 503);
    assert.equal(origin.requests.length, 1);
  });

  test('what further middlewares did to the request is undone before it is sent again', async () => {
    assert.equal((await get('both')).status, 200);
    assert.deepEqual(
      origin.requests.map(({ target, headers }) => [target, headers['x-forwarded-prefix']]),
      [1, 2, 3].map(() => ['/x?q=1', '/api']),
    );
  });

  test('a POST is sent again only where that is allowed, with its body', async () => {
    assert.equal((await get('status', { method: 'POST', body: 'hello' })).status, 503);
    assert.equal(origin.requests.length, 1);
    origin.requests.length = 0;
    assert.equal((await get('risky', { method: 'POST', body: 'hello' })).status, 200);
    assert.deepEqual(
      origin.requests.map(({ body }) => body),
      ['hello', 'hello'],
    );
  });

  test('a body longer than maxRequestBodyBytes is sent whole, and once', async () => {
    const body = 'x'.repeat(100_000);
    const answer = await get('small', { method: 'POST', body });
    assert.equal(answer.status, 503);
    assert.deepEqual(
      origin.requests.map(({ body: seen }) => seen.length),
      [100_000],
    );
  });

  test('initialInterval lets time pass between two attempts, timeout ends them', async () => {
    assert.equal((await get('waits')).status, 503);
    assert.equal(origin.requests.length, 2);
    origin.answerWith((_request, response) => void response.writeHead(503).end());
    origin.requests.length = 0;
    assert.equal((await get('brief')).status, 503);
    assert.ok(
      origin.requests.length >= 2 && origin.requests.length <= 5,
      `${origin.requests.length} attempts`,
    );
  });

  test('a server that is not there is tried attempts times, and found when it comes', async () => {
    assert.equal((await get('gone')).status, 502);
    const late = await listen(dead);
    try {
      assert.equal((await get('gone')).status, 200);
    } finally {
      late.close();
    }
  });

  test('a client that goes away during the pause ends it', async () => {
    const client = connect(gateway.port('web'), '127.0.0.1');
    client.on('error', () => {});
    origin.answerWith((_request, response) => {
      response.writeHead(503).end();
      // Not the end of one half alone, after which a client might still read.
      client.resetAndDestroy();
    });
    client.write('GET / HTTP/1.1\r\nHost: waits.test\r\n\r\n');
    await gateway.waitForLog(/client\.gone/);
    assert.equal(origin.requests.length, 1);
  });

  test('attempts of 0 are an error, and only its routers answer 503', async () => {
    assert.equal((await get('none')).status, 503);
    assert.equal(origin.requests.length, 0);
    const { diagnostics } = await gateway.status();
    assert.ok(diagnostics.some(({ message }) => /expected 1 to 100 attempts/.test(message)));
  });
});

async function freePort(): Promise<number> {
  const server = await listen(0);
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function listen(port: number): Promise<TcpServer> {
  const server = createServer((socket) => {
    socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
  });
  return new Promise((resolve, reject) => {
    server.on('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}
