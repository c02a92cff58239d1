// Attacks on answers that are held, replaced, retried and filtered: nothing of one request may reach another,
// and what leaves says of itself what it is.

import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { after, before, beforeEach, describe, test } from 'node:test';
import { ask } from '../support/ask.ts';
import { eventually, startGateway, type TestGateway } from '../support/gateway.ts';
import { type Origin, startOrigin } from '../support/origin.ts';
import { bodyOfAnswer, headerOf, requestText, sendRaw } from '../support/raw.ts';
import { openRaw, startWireServer, type WireServer } from '../support/wire.ts';

describe('answers under attack', () => {
  let origin: Origin;
  let pages: Origin;
  let auth: Origin;
  let wire: WireServer;
  let gateway: TestGateway;
  /** What the wire server does with a connection's text so far. */
  let onWire: (socket: Socket, text: string, nth: number) => void = () => {};

  before(async () => {
    origin = await startOrigin();
    pages = await startOrigin({ name: 'page' });
    auth = await startOrigin();
    wire = await startWireServer((socket, text, nth) => onWire(socket, text, nth));
    const dead = await freePort();
    const middlewares = {
      small: { compress: { minResponseBodyBytes: 1 } },
      again: { compress: { minResponseBodyBytes: 1 } },
      buffer: { buffering: { maxResponseBodyBytes: 100_000 } },
      retry: { retry: { attempts: 3, status: ['500-599', '413', '401'] } },
      page: { errors: { status: ['400-599'], service: 'pages', query: '/{status}?from={url}' } },
      self: { errors: { status: ['400-599'], service: 'origin', query: '/page' } },
      lost: { errors: { status: ['400-599'], service: 'dead', query: '/page' } },
      who: { forwardAuth: { address: auth.url, authResponseHeaders: ['X-User'], cache: undefined } },
      limit: { buffering: { maxRequestBodyBytes: 10 } },
    };
    const routes: Record<string, { middlewares: string[]; service?: string }> = {
      'buffer-compress': { middlewares: ['buffer', 'small'], service: 'wire' },
      'compress-twice': { middlewares: ['small', 'again'] },
      'compress-errors': { middlewares: ['small', 'page'] },
      'errors-compress': { middlewares: ['page', 'small'] },
      'retry-errors': { middlewares: ['retry', 'page'] },
      'errors-retry': { middlewares: ['page', 'retry'] },
      'retry-auth': { middlewares: ['retry', 'who'] },
      'auth-retry': { middlewares: ['who', 'retry'] },
      'errors-auth': { middlewares: ['page', 'who'] },
      loop: { middlewares: ['self', 'self'] },
      lost: { middlewares: ['lost'] },
      'retry-limit': { middlewares: ['retry', 'limit'] },
      'retry-wire': { middlewares: ['retry'], service: 'wire' },
      'page-wire': { middlewares: ['page'], service: 'wire' },
      plain: { middlewares: [] },
    };
    gateway = await startGateway({
      dynamic: {
        http: {
          middlewares,
          routers: Object.fromEntries(
            Object.entries(routes).map(([name, rest]) => [
              name,
              { rule: `Host(\`${name}.test\`)`, service: 'origin', ...rest },
            ]),
          ),
          services: {
            origin: { loadBalancer: { servers: [{ url: origin.url }] } },
            pages: { loadBalancer: { servers: [{ url: pages.url }] } },
            wire: { loadBalancer: { servers: [{ url: wire.url }] } },
            dead: { loadBalancer: { servers: [{ url: `http://127.0.0.1:${dead}` }] } },
          },
        },
      },
    });
  });
  after(async () => {
    await gateway.stop();
    await Promise.all([origin.stop(), pages.stop(), auth.stop(), wire.stop()]);
  });
  beforeEach(() => {
    for (const one of [origin, pages, auth]) one.requests.length = 0;
    origin.answerWith((_request, response) => void response.end('origin'));
    pages.answerWith((_request, response) => void response.end('page'));
    auth.answerWith((_request, response) => void response.end());
    onWire = () => {};
  });

  const get = (host: string, headers: Record<string, string> = {}, target = '/') =>
    ask(gateway.port('web'), { target, host: `${host}.test`, headers });

  test('an error in place of a held answer does not pass through the filters of that answer', async () => {
    onWire = (socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5000\r\n\r\nhalf');
      setTimeout(() => socket.destroy(), 50);
    };
    const answer = await sendRaw(
      gateway.port('web'),
      requestText('GET /', ['Host: buffer-compress.test', 'Accept-Encoding: gzip', 'Connection: close']),
    );
    assert.deepEqual(answer.statuses, [502]);
    const encoding = headerOf(answer.text, 'content-encoding');
    const body = bodyOfAnswer(answer.text);
    const text = encoding === 'gzip' ? gunzipSync(Buffer.from(body, 'latin1')).toString() : body;
    assert.equal(text, 'Bad Gateway');
  });

  test('a body that two middlewares would compress is compressed once, streamed or not', async () => {
    for (const isStreamed of [false, true]) {
      origin.answerWith((_request, response) => {
        response.setHeader('content-type', 'text/plain');
        if (isStreamed) response.write('x'.repeat(2000));
        response.end('x'.repeat(2000));
      });
      const { headers } = await get('compress-twice', { 'accept-encoding': 'gzip' });
      const encodings = headers.filter((line) => line.startsWith('content-encoding'));
      assert.deepEqual(encodings, ['content-encoding: gzip'], String(isStreamed));
    }
  });

  test('an error page is compressed by what stands further out, and by nothing that stands further in', async () => {
    origin.answerWith((_request, response) => {
      response.writeHead(500, { 'content-type': 'text/plain' });
      response.end('x'.repeat(3000));
    });
    for (const host of ['compress-errors', 'errors-compress']) {
      const answer = await sendRaw(
        gateway.port('web'),
        requestText('GET /', [`Host: ${host}.test`, 'Accept-Encoding: gzip', 'Connection: close']),
      );
      const encoded = headerOf(answer.text, 'content-encoding') === 'gzip';
      const body = Buffer.from(bodyOfAnswer(answer.text), 'latin1');
      assert.equal((encoded ? gunzipSync(body) : body).toString(), 'page', host);
    }
  });

  test('retry outside or inside of an error page: the page never counts as an attempt of the service', async () => {
    origin.answerWith((_request, response) => void response.writeHead(503).end('down'));
    const inside = await get('errors-retry');
    assert.deepEqual(
      [inside.status, inside.body, origin.requests.length, pages.requests.length],
      [503, 'page', 3, 1],
    );
    origin.requests.length = 0;
    pages.requests.length = 0;
    const outside = await get('retry-errors');
    assert.deepEqual([outside.status, outside.body], [503, 'page']);
    assert.deepEqual([origin.requests.length, pages.requests.length], [3, 3]);
  });

  test('an attempt behind forwardAuth asks again, and nothing of the first identity or the client’s stays', async () => {
    let asked = 0;
    auth.answerWith((_request, response) => {
      asked++;
      response.writeHead(200, asked === 1 ? { 'x-user': 'first' } : {}).end();
    });
    let served = 0;
    origin.answerWith((_request, response) => void response.writeHead(++served < 3 ? 503 : 200).end());
    const answer = await get('retry-auth', { 'X-User': 'admin', x_user: 'admin' });
    assert.equal(answer.status, 200);
    assert.deepEqual(
      [asked, origin.requests.map(({ headers }) => headers['x-user'] ?? null)],
      [3, ['first', null, null]],
    );
    assert.ok(origin.requests.every(({ headers }) => headers['x_user'] === undefined));
  });

  test('a second attempt that the auth server refuses is refused, whatever it said before', async () => {
    let asked = 0;
    auth.answerWith((_request, response) => void response.writeHead(++asked === 1 ? 200 : 401).end('no'));
    origin.answerWith((_request, response) => void response.writeHead(503).end('secret'));
    const answer = await get('retry-auth');
    assert.deepEqual([answer.status, answer.body, origin.requests.length], [401, 'no', 1]);
  });

  test('retry behind forwardAuth keeps the identity of every attempt', async () => {
    auth.answerWith((_request, response) => void response.writeHead(200, { 'x-user': 'ann' }).end());
    origin.answerWith((_request, response) => void response.writeHead(503).end());
    await get('auth-retry', { 'X-User': 'admin' });
    assert.deepEqual(
      origin.requests.map(({ headers }) => headers['x-user']),
      ['ann', 'ann', 'ann'],
    );
    assert.equal(auth.requests.length, 1);
  });

  test('what a client writes into its target leaves path and query of the error page as they are', async () => {
    origin.answerWith((_request, response) => void response.writeHead(500).end());
    for (const target of [
      '//evil.test/x',
      '/%2e%2e/x',
      '/a?b=1&from=2#',
      '/{status}{url}',
      '/%0d%0aX:1',
      '/a;b',
    ]) {
      pages.requests.length = 0;
      await get('errors-compress', {}, target);
      const [seen] = pages.requests;
      if (seen === undefined) continue;
      const url = new URL(seen.target, 'http://pages.test');
      assert.equal(url.pathname, '/500', target);
      assert.deepEqual([...url.searchParams.keys()], ['from'], target);
      assert.equal(new URL(url.searchParams.get('from') ?? '').host, 'errors-compress.test', target);
    }
  });

  test('error pages of error pages end, with and without a service behind', async () => {
    origin.answerWith((_request, response) => void response.writeHead(500).end('mine'));
    const loop = await get('loop');
    assert.deepEqual([loop.status, loop.body], [500, 'Internal Server Error']);
    assert.ok(origin.requests.length <= 3, String(origin.requests.length));
    const lost = await get('lost');
    assert.deepEqual([lost.status, lost.body], [500, 'Internal Server Error']);
  });

  test('a refusal of the auth server is replaced without the service being asked', async () => {
    auth.answerWith((_request, response) => void response.writeHead(401).end('login'));
    const answer = await get('errors-auth', { cookie: 'session=1' });
    assert.deepEqual([answer.status, answer.body, origin.requests.length], [401, 'page', 0]);
  });

  test('a body over the limit is refused however often it is tried', async () => {
    for (const headers of [['Transfer-Encoding: chunked'], ['Content-Length: 30']]) {
      const body =
        headers[0]?.startsWith('T') === true ? `1e\r\n${'x'.repeat(30)}\r\n0\r\n\r\n` : 'x'.repeat(30);
      const answer = await sendRaw(
        gateway.port('web'),
        requestText('PUT /', ['Host: retry-limit.test', 'Connection: close', ...headers], body),
      );
      assert.deepEqual(answer.statuses, [413], headers[0]);
      assert.equal(origin.requests.length, 0);
    }
  });

  test('the rest of a dropped answer is never the beginning of another one', async () => {
    const evil = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nSECRET';
    onWire = (socket, text, nth) => {
      const asked = text.split('\r\n\r\n').length - 1;
      if (asked === 0) return;
      // A body that is longer than said, late, and looks like an answer.
      socket.write(`HTTP/1.1 503 No\r\nContent-Length: 4\r\n\r\nfour`);
      setImmediate(() => socket.write(evil));
      void nth;
    };
    for (const host of ['retry-wire', 'page-wire']) {
      for (let i = 0; i < 10; i++) {
        const answer = await get(host);
        assert.notEqual(answer.body, 'SECRET');
        assert.equal(answer.status, 503);
      }
    }
  });

  test('a dropped answer that never ends costs its connection and holds nobody up', async () => {
    onWire = (socket, text) => {
      if (!text.endsWith('\r\n\r\n')) return;
      socket.write('HTTP/1.1 503 No\r\nContent-Length: 1000\r\n\r\nabc');
    };
    const known = wire.connections.length;
    const started = performance.now();
    const answer = await get('page-wire');
    assert.deepEqual([answer.status, answer.body], [503, 'page']);
    assert.ok(performance.now() - started < 900);
    await eventually('the connection is closed', () =>
      wire.connections.slice(known).every(({ socket }) => socket.destroyed || socket.readableEnded),
    );
  });

  test('clients that leave in the midst of every phase end their request once, and the gateway serves on', async () => {
    const phases: Record<string, () => void> = {
      'retry-auth': () => auth.answerWith(() => {}),
      'errors-retry': () => {
        origin.answerWith((_request, response) => void response.writeHead(503).end());
        pages.answerWith(() => {});
      },
      'compress-twice': () =>
        origin.answerWith((_request, response) => {
          response.writeHead(200, { 'content-type': 'text/plain' });
          response.write('x'.repeat(100_000));
        }),
      'buffer-compress': () => {
        onWire = (socket) => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\nhalf');
      },
    };
    for (const [host, prepare] of Object.entries(phases)) {
      prepare();
      const client = await openRaw(gateway.port('web'));
      client.write(requestText('GET /gone', [`Host: ${host}.test`, 'Accept-Encoding: gzip']));
      await eventually(
        'the request is under way',
        () => [auth, origin, pages].some(({ requests }) => requests.length > 0) || host === 'buffer-compress',
      );
      await new Promise((resolve) => setTimeout(resolve, 30));
      client.destroy();
      for (const one of [origin, pages, auth]) one.requests.length = 0;
    }
    origin.answerWith((_request, response) => void response.end());
    assert.equal((await get('plain')).status, 200);
    assert.equal(gateway.workerPids().length, 1);
    assert.doesNotMatch(gateway.logs(), /gateway\.bug|uncaught|TypeError/i);
  });

  test('a gateway told to stop lets filters finish and then ends', async () => {
    origin.answerWith((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/plain' });
      response.write('x'.repeat(2000));
      setTimeout(() => response.end('end'), 300);
    });
    const answer = get('compress-twice', { 'accept-encoding': 'gzip' });
    await eventually('the request is under way', () => origin.requests.length > 0);
    const stopped = gateway.stop();
    assert.equal((await answer).status, 200);
    assert.equal((await stopped).code, 0);
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
