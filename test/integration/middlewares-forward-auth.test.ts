// forwardAuth on the wire: what the auth server is told, and what its answer means to client and server.

import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { after, before, beforeEach, describe, test } from 'node:test';
import { type Answer, type Ask, ask } from '../support/ask.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { type Origin, type SeenRequest, startOrigin } from '../support/origin.ts';

describe('forwardAuth on the wire', () => {
  let origin: Origin;
  let auth: Origin;
  let gateway: TestGateway;
  before(async () => {
    origin = await startOrigin({ answer: (_request, response) => void response.end('from the origin') });
    auth = await startOrigin();
    const address = `${auth.url}/verify?from=gateway`;
    const options: Readonly<Record<string, object>> = {
      unset: { authResponseHeaders: ['X-User', 'X-Role'] },
      distrust: { trustForwardHeader: false },
      trust: { trustForwardHeader: true, authRequestHeaders: ['Cookie'] },
      pattern: { authResponseHeadersRegex: '^X-Auth-' },
      method: { preserveRequestMethod: true },
      body: { forwardBody: true, maxBodySize: 8 },
      location: { preserveLocationHeader: true },
      signin: { authSigninURL: 'https://login.test/?a=b' },
      cookies: { addAuthCookiesToResponse: ['session'] },
      small: { maxResponseBodySize: 4 },
      dead: { address: 'http://127.0.0.1:1/' },
      stripped: {},
    };
    const names = Object.keys(options);
    gateway = await startGateway({
      static: { entryPoints: { web: {}, trusting: { forwardedHeaders: { insecure: true } } } },
      dynamic: {
        http: {
          routers: Object.fromEntries(
            names.map((name) => [
              name,
              {
                rule: `Host(\`${name}.test\`)`,
                service: 'origin',
                middlewares: name === 'stripped' ? ['cut', name] : [name],
              },
            ]),
          ),
          middlewares: {
            cut: { stripPrefix: { prefixes: ['/api'] } },
            ...Object.fromEntries(
              names.map((name) => [name, { forwardAuth: { address, ...options[name] } }]),
            ),
          },
          services: { origin: { loadBalancer: { servers: [{ url: origin.url }] } } },
        },
      },
    });
  });
  beforeEach(() => {
    origin.requests.length = 0;
    auth.requests.length = 0;
    answerAuth(200);
  });
  after(async () => {
    await gateway?.stop();
    await Promise.all([origin?.stop(), auth?.stop()]);
  });

  function answerAuth(
    status: number,
    headers: Readonly<Record<string, string | string[]>> = {},
    body = '',
  ): void {
    auth.answerWith((_request, response: ServerResponse) => {
      for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
      response.statusCode = status;
      response.end(body);
    });
  }

  function send(name: string, more: Partial<Ask> = {}, entryPoint = 'web'): Promise<Answer> {
    return ask(gateway.port(entryPoint), { host: `${name}.test`, ...more });
  }

  function asked(): SeenRequest {
    assert.equal(auth.requests.length, 1, 'the auth server is asked once');
    return auth.requests[0] as SeenRequest;
  }

  function forwardedOf({ headers }: SeenRequest): Readonly<Record<string, unknown>> {
    const managed = Object.entries(headers).filter(([name]) => /^x-(forwarded-|real-ip)/.test(name));
    const { 'x-forwarded-server': server, ...others } = Object.fromEntries(managed);
    return server === undefined ? others : { ...others, 'x-forwarded-server': 'named' };
  }

  const spoofed = {
    'X-Forwarded-For': '6.6.6.6',
    'X-Forwarded-Host': 'evil.test',
    'X-Forwarded-Proto': 'https',
    'X-Forwarded-Uri': '/evil',
    'X-Forwarded-Method': 'TRACE',
    'X-Forwarded-Port': '666',
    'X-Real-Ip': '6.6.6.6',
  };

  test('the auth server gets the client’s headers, its own URL and what was asked for', async () => {
    const headers = { Cookie: 'a=1', Authorization: 'Bearer b', 'X-Own': ['c', 'd'], ...spoofed };
    const target = '/a%2Fb/../c?d=e';
    assert.equal(
      (await send('unset', { method: 'POST', target, headers, body: 'not for auth' })).status,
      200,
    );
    const call = asked();
    assert.deepEqual([call.method, call.target, call.body], ['GET', '/verify?from=gateway', '']);
    assert.equal(call.headers.host, new URL(auth.url).host);
    assert.equal(call.headers.cookie, 'a=1');
    assert.equal(call.headers.authorization, 'Bearer b');
    assert.equal(call.headers['x-own'], 'c, d');
    assert.equal(call.headers['content-length'], undefined);
    assert.deepEqual(forwardedOf(call), {
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-host': 'unset.test',
      'x-forwarded-method': 'POST',
      'x-forwarded-port': '80',
      'x-forwarded-proto': 'http',
      'x-forwarded-server': 'named',
      'x-forwarded-uri': '/c?d=e',
      'x-real-ip': '127.0.0.1',
    });
    assert.equal(origin.requests[0]?.body, 'not for auth');
  });

  test('trustForwardHeader: false says only what the gateway knows', async () => {
    await send('distrust', { headers: spoofed }, 'trusting');
    assert.deepEqual(forwardedOf(asked()), {
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-host': 'distrust.test',
      'x-forwarded-method': 'GET',
      'x-forwarded-port': '80',
      'x-forwarded-proto': 'http',
      'x-forwarded-uri': '/',
    });
  });

  test('trustForwardHeader: true passes on what a trusted proxy said, and nothing of others', async () => {
    const headers = { ...spoofed, Cookie: 'a=1', 'X-Own': 'c' };
    await send('trust', { headers }, 'trusting');
    assert.equal(asked().headers.cookie, 'a=1');
    assert.equal(asked().headers['x-own'], undefined);
    assert.deepEqual(forwardedOf(asked()), {
      'x-forwarded-for': '6.6.6.6, 127.0.0.1',
      'x-forwarded-host': 'evil.test',
      'x-forwarded-method': 'TRACE',
      'x-forwarded-port': '666',
      'x-forwarded-proto': 'https',
      'x-forwarded-server': 'named',
      'x-forwarded-uri': '/evil',
      'x-real-ip': '6.6.6.6',
    });
    auth.requests.length = 0;
    await send('trust', { headers, target: '/x' });
    const { 'x-forwarded-for': client, 'x-forwarded-uri': uri } = forwardedOf(asked());
    assert.deepEqual([client, uri], ['127.0.0.1', '/x']);
  });

  test('a middleware before it changes what the auth server hears of the path', async () => {
    await send('stripped', { target: '/api/x?y' });
    assert.equal(asked().headers['x-forwarded-uri'], '/x?y');
    assert.equal(asked().headers['x-forwarded-prefix'], '/api');
  });

  test('listed headers come from the auth server alone', async () => {
    answerAuth(204, { 'X-User': 'ann', 'X-Other': 'kept back', 'Set-Cookie': 'session=1' });
    const answer = await send('unset', {
      headers: { 'X-User': 'mallory', 'X-Role': 'admin', x_role: 'admin' },
    });
    assert.deepEqual(answer, { status: 200, headers: ['content-length: 15'], body: 'from the origin' });
    const seen = origin.requests[0]?.headers ?? {};
    assert.deepEqual(
      [seen['x-user'], seen['x-role'], seen['x_role'], seen['x-other']],
      ['ann', undefined, undefined, undefined],
    );
  });

  test('headers by pattern come from the auth server alone', async () => {
    answerAuth(200, { 'X-Auth-Id': '7' });
    await send('pattern', { headers: { 'X-Auth-Id': '1', 'X-Auth-Role': 'admin' } });
    const seen = origin.requests[0]?.headers ?? {};
    assert.deepEqual([seen['x-auth-id'], seen['x-auth-role']], ['7', undefined]);
  });

  test('method and body go along when asked to', async () => {
    await send('method', { method: 'DELETE' });
    assert.equal(asked().method, 'DELETE');
    auth.requests.length = 0;
    await send('body', { method: 'POST', body: '8 bytes!' });
    assert.deepEqual([asked().body, asked().headers['content-length']], ['8 bytes!', '8']);
    assert.equal(origin.requests.at(-1)?.body, '8 bytes!');
    const empty = { headers: ['content-length: 0'], body: '' };
    assert.deepEqual(await send('body', { method: 'POST', body: '9 bytes!!' }), { status: 401, ...empty });
    assert.equal(auth.requests.length, 1);
  });

  test('any other answer goes to the client as it is', async () => {
    const headers = { 'WWW-Authenticate': 'Bearer', 'Set-Cookie': ['a=1', 'b=2'], 'Content-Type': 'text/x' };
    for (const status of [302, 401, 403, 429, 503]) {
      answerAuth(status, { ...headers, 'Keep-Alive': 'timeout=1' }, 'no entry');
      assert.deepEqual(await send('unset'), {
        status,
        headers: [
          'content-length: 8',
          'content-type: text/x',
          'set-cookie: a=1',
          'set-cookie: b=2',
          'www-authenticate: Bearer',
        ],
        body: 'no entry',
      });
    }
    assert.equal(origin.requests.length, 0);
  });

  test('Location is made absolute unless it shall stay', async () => {
    answerAuth(302, { Location: '/login?to=x' });
    const empty = 'content-length: 0';
    assert.deepEqual((await send('unset')).headers, [empty, `location: ${auth.url}/login?to=x`]);
    assert.deepEqual((await send('location')).headers, [empty, 'location: /login?to=x']);
    answerAuth(401, { 'X-Secret': 'of the auth server' }, 'body');
    const signin = await send('signin');
    assert.equal(signin.status, 302);
    assert.ok(signin.headers.includes('location: https://login.test/?a=b'));
    assert.ok(!signin.headers.some((line) => line.startsWith('x-secret')));
  });

  test('cookies of the auth server replace those of the server when listed', async () => {
    answerAuth(200, { 'Set-Cookie': ['session=new; Path=/', 'other=1'] });
    origin.answerWith((_request, response) => {
      response.setHeader('Set-Cookie', ['session=old', 'own=1']).end('from the origin');
    });
    const { headers } = await send('cookies');
    const cookies = ['set-cookie: own=1', 'set-cookie: session=new; Path=/'];
    assert.deepEqual(headers, ['content-length: 15', ...cookies]);
    origin.answerWith((_request, response) => void response.end('from the origin'));
  });

  test('an auth server that cannot be asked or says too much closes the way', async () => {
    const empty = { headers: ['content-length: 0'], body: '' };
    assert.deepEqual(await send('dead'), { status: 500, ...empty });
    answerAuth(200, {}, 'five!');
    assert.deepEqual(await send('small'), { status: 401, ...empty });
    auth.answerWith((request) => void request.socket.destroy());
    assert.deepEqual(await send('unset'), { status: 500, ...empty });
    assert.equal(origin.requests.length, 0);
  });
});
