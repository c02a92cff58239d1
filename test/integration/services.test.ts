// Which server a request goes to, and as whom the gateway introduces itself there.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { eventually, startGateway, type TestGateway } from '../support/gateway.ts';
import { type Origin, type SeenRequest, startOrigin } from '../support/origin.ts';
import { routesTo } from '../support/wire.ts';

describe('a load balancer', () => {
  let gateway: TestGateway;
  const origins: Origin[] = [];
  let isSick = false;

  before(async () => {
    for (const name of ['a', 'b', 'c']) {
      const origin = await startOrigin({
        name,
        answer: (request, response) => {
          if (request.url === '/health') response.statusCode = name === 'b' && isSick ? 500 : 200;
          response.setHeader('set-cookie', ['own=1; Path=/', 'other=2']);
          response.end(name);
        },
      });
      origins.push(origin);
    }
    const [a, b, c] = origins.map((origin) => origin.url);
    const sticky = { cookie: {} };
    gateway = await startGateway({
      dynamic: routesTo({
        weighted: {
          servers: [
            { url: a, weight: 5 },
            { url: b, weight: 3 },
            { url: c, weight: 2 },
          ],
        },
        none: { servers: [{ url: a, weight: 0 }, { url: b }] },
        sticky: {
          servers: [{ url: a }, { url: b }, { url: c }],
          sticky,
          healthCheck: { path: '/health', interval: '200ms', timeout: '1s' },
        },
        named: {
          servers: [{ url: a }],
          sticky: {
            cookie: {
              name: 'my@cookie',
              secure: true,
              httpOnly: true,
              sameSite: 'none',
              maxAge: 9,
              path: '/p',
            },
          },
        },
        host: { servers: [{ url: a }], passHostHeader: false },
        path: { servers: [{ url: `${a}/base/`, preservePath: true }] },
        nopath: { servers: [{ url: `${a}/base/` }] },
      }),
    });
  });
  after(async () => {
    await gateway?.stop();
    for (const origin of origins) await origin.stop();
  });

  function get(path: string, headers = {}): Promise<Response> {
    return fetch(`${gateway.url('web')}${path}`, { headers });
  }

  test('servers get their share exactly, and weight 0 none', async () => {
    const turns: Record<string, number> = {};
    for (let i = 0; i < 100; i++) {
      const name = await (await get('/weighted')).text();
      turns[name] = (turns[name] ?? 0) + 1;
    }
    assert.deepEqual(turns, { a: 50, b: 30, c: 20 });
    for (let i = 0; i < 10; i++) assert.equal(await (await get('/none')).text(), 'b');
  });

  test('a first visit sets the cookie as Traefik does, beside the cookies of the server', async () => {
    const answer = await get('/sticky');
    const name = await answer.text();
    const cookies = answer.headers.getSetCookie();
    assert.deepEqual(cookies.slice(0, 2), ['own=1; Path=/', 'other=2']);
    const url = origins.find((_, i) => 'abc'[i] === name)?.url ?? '';
    const cookieName = `_${createHash('sha1').update('_TRAEFIK_BACKEND_sticky@file').digest('hex').slice(0, 5)}`;
    const value = createHash('sha256').update(url).digest('hex').slice(0, 16);
    assert.equal(cookies[2], `${cookieName}=${value}; Path=/`);
    for (let i = 0; i < 9; i++) {
      const again = await get('/sticky', { cookie: `x=y; ${cookieName}=${value}` });
      assert.equal(await again.text(), name);
      assert.equal(again.headers.getSetCookie().length, 2);
    }
  });

  test('an unknown cookie gets a new one; name and attributes follow the configuration', async () => {
    const answer = await get('/named', { cookie: 'my_cookie=nobody' });
    const [, , line = ''] = answer.headers.getSetCookie();
    assert.match(line, /^my_cookie=[0-9a-f]{16}; Path=\/p; Max-Age=9; HttpOnly; Secure; SameSite=None$/);
  });

  test('a server its health check finds sick loses its clients, and gets them back', async () => {
    const value = createHash('sha256')
      .update(origins[1]?.url ?? '')
      .digest('hex')
      .slice(0, 16);
    const cookieName = `_${createHash('sha1').update('_TRAEFIK_BACKEND_sticky@file').digest('hex').slice(0, 5)}`;
    const cookie = `${cookieName}=${value}`;
    assert.equal(await (await get('/sticky', { cookie })).text(), 'b');
    isSick = true;
    await eventually('clients of the sick server go elsewhere', async () => {
      const answer = await get('/sticky', { cookie });
      const elsewhere = (await answer.text()) !== 'b';
      if (elsewhere) assert.equal(answer.headers.getSetCookie().length, 3, 'pinned anew');
      return elsewhere;
    });
    for (let i = 0; i < 10; i++) assert.notEqual(await (await get('/sticky')).text(), 'b');
    isSick = false;
    await eventually('they come back', async () => (await (await get('/sticky', { cookie })).text()) === 'b');
  });

  test('passHostHeader false names the server itself', async () => {
    const [a] = origins;
    await get('/host/x');
    assert.equal(lastOf(a)?.headers.host, `127.0.0.1:${a?.port}`);
    await get('/nopath/x');
    assert.equal(lastOf(a)?.headers.host, `127.0.0.1:${gateway.port('web')}`);
  });

  test("a server's own path counts with preservePath only", async () => {
    const [a] = origins;
    await get('/path/x?q=1');
    assert.equal(lastOf(a)?.target, '/base/path/x?q=1');
    await get('/nopath/x?q=1');
    assert.equal(lastOf(a)?.target, '/nopath/x?q=1');
  });
});

describe('a service all of whose servers are down', () => {
  test('answers 503 with its own text, and serves again when one is back', async () => {
    let status = 500;
    const origin = await startOrigin({
      answer: (_, response) => {
        response.statusCode = status;
        response.end('here');
      },
    });
    const gateway = await startGateway({
      dynamic: routesTo({
        down: {
          servers: [{ url: origin.url }],
          healthCheck: { path: '/health', interval: '150ms', timeout: '1s' },
        },
      }),
    });
    try {
      await eventually(
        'the server is down',
        async () => (await fetch(`${gateway.url('web')}/down`)).status === 503,
      );
      const answer = await fetch(`${gateway.url('web')}/down`);
      assert.equal(await answer.text(), 'no available server\n');
      assert.equal(answer.headers.get('content-type'), 'text/plain; charset=utf-8');
      assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
      status = 200;
      await eventually(
        'the server is back',
        async () => (await fetch(`${gateway.url('web')}/down`)).status === 200,
      );
    } finally {
      await gateway.stop();
      await origin.stop();
    }
  });
});

/** Its health checks aside. */
function lastOf(origin: Origin | undefined): SeenRequest | undefined {
  return origin?.requests.findLast((request) => request.target !== '/health');
}
