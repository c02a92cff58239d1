// forwardAuth towards the auth server and what is made of its answer, without a cache.

import assert from 'node:assert/strict';
import http from 'node:http';
import net from 'node:net';
import { after, before, beforeEach, test } from 'node:test';
import { getHeader } from '../../../../src/proxy/headers.ts';
import { ANSWERED, CONTINUE } from '../../../../src/proxy/hooks.ts';
import { forwardAuthSchema } from '../../../../src/proxy/middlewares/forward-auth/options.ts';
import { managedNames } from '../../../../src/proxy/middlewares/forward-auth/identity.ts';
import {
  type AuthServer,
  bearer,
  type Bench,
  bodyOf,
  exchange,
  FakeClient,
  header,
  openBench,
  pass,
  run,
  startAuthServer,
  until,
} from '../../../support/forward-auth.ts';

let auth: AuthServer;
let bench: Bench;

before(async () => {
  auth = await startAuthServer((_, response) => response.end());
  bench = openBench();
});
beforeEach(() => {
  auth.seen.length = 0;
  auth.answer = (_, response) => response.end();
});
after(async () => {
  bench.close();
  await auth.close();
});

function build(options: Record<string, unknown> = {}) {
  return bench.build({ address: auth.address, ...options });
}

const intake = [
  'x-real-ip',
  '10.1.1.1',
  'x-forwarded-proto',
  'wss',
  'x-forwarded-port',
  '8080',
  'x-forwarded-host',
  'app.test:8080',
  'x-forwarded-server',
  'gate',
];

test('the auth call is a GET of exactly the address with the client headers', async () => {
  const hooks = build();
  const x = exchange({
    method: 'POST',
    headers: [...bearer('t'), 'cookie', 'a=1', 'te', 'trailers', 'x-a', '\xe9'],
  });
  assert.equal(await run(hooks, x), CONTINUE);
  const [call] = auth.seen;
  assert.equal(call?.method, 'GET');
  assert.equal(call.url, '/verify?x=1');
  assert.equal(`http://${call.headers.host}/verify?x=1`, auth.address);
  assert.equal(call.headers.authorization, 'Bearer t');
  assert.equal(call.headers.cookie, 'a=1');
  assert.equal(call.headers['x-a'], '\xe9');
  assert.equal(call.headers.te, undefined);
  assert.equal(call.headers['x-forwarded-method'], 'POST');
  assert.equal(call.headers['x-forwarded-uri'], '/a?q=1');
});

test('trustForwardHeader unset passes what the entry point set and sends the peer alone', async () => {
  await pass(build(), [
    ...intake,
    'x-forwarded-for',
    '9.9.9.9',
    'x-forwarded-uri',
    '/other',
    'x-forwarded-prefix',
    '/p',
  ]);
  const headers = auth.seen[0]?.headers ?? {};
  assert.equal(headers['x-forwarded-for'], '10.1.1.1');
  assert.equal(headers['x-forwarded-uri'], '/a?q=1');
  assert.equal(headers['x-forwarded-proto'], 'http');
  assert.equal(headers['x-forwarded-port'], '8080');
  assert.equal(headers['x-forwarded-prefix'], '/p');
  assert.equal(headers['x-real-ip'], '10.1.1.1');
});

test('trustForwardHeader false removes the managed headers and computes the port', async () => {
  await pass(build({ trustForwardHeader: false }), [...intake, 'x-forwarded-prefix', '/p'], {
    authority: 'app.test',
    scheme: 'https',
  });
  const headers = auth.seen[0]?.headers ?? {};
  assert.equal(headers['x-forwarded-port'], '443');
  assert.equal(headers['x-forwarded-proto'], 'https');
  assert.equal(headers['x-forwarded-prefix'], undefined);
  assert.equal(headers['x-real-ip'], undefined);
  assert.equal(headers['x-forwarded-server'], undefined);
});

test('trustForwardHeader true keeps what is there, appends the peer and never says ws', async () => {
  const kept = [
    'x-forwarded-for',
    '1.1.1.1',
    'x-forwarded-for',
    '2.2.2.2',
    'x-forwarded-uri',
    '/other',
    'x-forwarded-method',
    'PUT',
  ];
  await pass(build({ trustForwardHeader: true, authRequestHeaders: ['Authorization'] }), [
    ...intake,
    ...kept,
    ...bearer('t'),
    'x-b',
    '1',
  ]);
  const headers = auth.seen[0]?.headers ?? {};
  assert.equal(headers['x-forwarded-for'], '1.1.1.1, 2.2.2.2, 10.1.1.1');
  assert.equal(headers['x-forwarded-uri'], '/other');
  assert.equal(headers['x-forwarded-method'], 'PUT');
  assert.equal(headers['x-forwarded-proto'], 'https');
  assert.equal(headers['x-forwarded-server'], 'gate');
  assert.equal(headers.authorization, 'Bearer t');
  assert.equal(headers['x-b'], undefined);
});

test('authRequestHeaders is an allow-list that the written X-Forwarded headers do not need', async () => {
  await pass(build({ authRequestHeaders: 'Authorization' }), [...intake, ...bearer('t'), 'cookie', 'a=1']);
  const headers = auth.seen[0]?.headers ?? {};
  assert.equal(headers.authorization, 'Bearer t');
  assert.equal(headers.cookie, undefined);
  assert.equal(headers['x-forwarded-port'], undefined);
  assert.equal(headers['x-forwarded-host'], 'app.test:8080');
});

test('a listed identity header of the client is gone in every spelling, also when auth omits it', async () => {
  const hooks = build({ authResponseHeaders: ['X-User-Id', 'X-Roles'], headerField: 'X-Who' });
  auth.answer = (_, response) =>
    response.setHeader('x-user-id', ['17', '18']).setHeader('X-Who', 'ann').end();
  const spoofed = [
    'x-user-id',
    '1',
    'x_user_id',
    '1',
    'x.user.id',
    '1',
    "x!user'id",
    '1',
    'x-roles',
    'root',
    'x_who',
    'eve',
    'x-keep',
    'k',
  ];
  const x = await pass(hooks, spoofed);
  assert.deepEqual(x.headers, ['x-keep', 'k', 'x-user-id', '17', 'x-user-id', '18']);
  assert.equal(x.username, 'ann');
  assert.deepEqual(
    managedNames(
      forwardAuthSchema.parse({
        address: auth.address,
        authResponseHeaders: 'X_User_Id',
        headerField: 'X-Who',
      }),
    ),
    ['x-user-id', 'x-who'],
  );
});

test('authResponseHeadersRegex clears and copies by canonical name, framing headers never', async () => {
  const hooks = build({ authResponseHeadersRegex: '^X-Auth-|^Content-|^Host$|^Connection$' });
  auth.answer = (_, response) =>
    response.setHeader('x-auth-user', 'ann').setHeader('content-length', '0').end();
  const x = await pass(hooks, ['x-auth-user', 'eve', 'x_auth_role', 'root', 'x-other', '1']);
  assert.deepEqual(x.headers, ['x-other', '1', 'x-auth-user', 'ann']);
});

test('an answer that is not 2xx goes to the client whole, without hop-by-hop headers', async () => {
  auth.answer = (_, response) => {
    response.writeHead(403, {
      'Set-Cookie': ['a=1', 'b=2'],
      'WWW-Authenticate': 'Basic',
      'Keep-Alive': 'timeout=9',
    });
    response.end('no entry');
  };
  const x = exchange();
  assert.equal(await run(build(), x), ANSWERED);
  assert.equal(x.status, 403);
  assert.equal(Buffer.from(x.answerBody).toString(), 'no entry');
  assert.deepEqual(
    x.responseHeaders.filter((_, at) => at % 2 === 0),
    ['set-cookie', 'set-cookie', 'www-authenticate'],
  );
});

test('Location is made absolute against the address unless it is to be preserved', async () => {
  let location = '/login?next=%2F';
  auth.answer = (_, response) => response.writeHead(302, { Location: location }).end();
  const origin = new URL(auth.address).origin;
  assert.equal(getHeader((await pass(build())).responseHeaders, 'location'), `${origin}/login?next=%2F`);
  assert.equal(
    getHeader((await pass(build({ preserveLocationHeader: true }))).responseHeaders, 'location'),
    location,
  );
  location = 'https://sso.test/x';
  assert.equal(getHeader((await pass(build())).responseHeaders, 'location'), location);
  location = '/\\evil.test';
  assert.equal(getHeader((await pass(build())).responseHeaders, 'location'), `${origin}/%5Cevil.test`);
  location = 'http://[';
  assert.equal((await pass(build())).status, 500);
});

test('authSigninURL turns a 401 into a redirect', async () => {
  auth.answer = (_, response) => response.writeHead(401).end('x');
  const x = await pass(build({ authSigninURL: 'https://sso.test/in' }));
  assert.equal(x.status, 302);
  assert.equal(getHeader(x.responseHeaders, 'location'), 'https://sso.test/in');
});

test('named auth cookies replace those of the backend, and listed auth headers reach the client', async () => {
  auth.answer = (_, response) =>
    response.writeHead(200, { 'Set-Cookie': ['s=new; Path=/', 'other=1'], 'X-Plan': 'pro' }).end();
  const hooks = build({ addAuthCookiesToResponse: ['s'], authClientResponseHeaders: ['X-Plan'] });
  const x = await pass(hooks);
  x.responseHeaders = ['set-cookie', 's=old', 'x-plan', 'free', 'set-cookie', 't=1'];
  void hooks.response?.(x);
  assert.deepEqual(x.responseHeaders, ['set-cookie', 't=1', 'x-plan', 'pro', 'set-cookie', 's=new; Path=/']);
});

test('forwardBody sends the body with its length; too long a one is 401', async () => {
  const hooks = build({ forwardBody: true, maxBodySize: 5, preserveRequestMethod: true });
  await pass(hooks, [], { method: 'PUT', body: bodyOf('hello') });
  assert.equal(auth.seen[0]?.method, 'PUT');
  assert.equal(auth.seen[0]?.body, 'hello');
  assert.equal(auth.seen[0]?.headers['content-length'], '5');
  const x = await pass(hooks, [], { method: 'PUT', body: bodyOf('hello!') });
  assert.equal(x.status, 401);
  assert.equal(auth.seen.length, 1);
});

test('an answer body over the limit is 401, whatever its status', async () => {
  auth.answer = (_, response) => response.end('0123456789');
  const x = exchange();
  assert.equal(await run(build({ maxResponseBodySize: 9 }), x), ANSWERED);
  assert.equal(x.status, 401);
  assert.equal(await run(build({ maxResponseBodySize: 10 }), exchange()), CONTINUE);
});

test('an auth server that streams for ever holds the request no longer than the timeout', async () => {
  let closed = false;
  auth.answer = (_, response) => {
    response.write('x');
    const timer = setInterval(() => response.write('x'), 5);
    response.on('close', () => {
      closed = true;
      clearInterval(timer);
    });
  };
  const x = await pass(build({ timeout: '100ms', statusOnError: 503 }));
  assert.equal(x.status, 503);
  assert.equal(x.error?.code, 'auth.timeout');
  await until(() => closed);
});

test('an unreachable auth server fails closed', async () => {
  const probe = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => probe.once('listening', resolve));
  const { port } = probe.address() as net.AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  const x = await pass(build({ address: `http://127.0.0.1:${port}/` }), [], {});
  assert.equal(x.status, 500);
  assert.equal(x.answerBody, '');
  assert.equal(x.error?.code, 'auth.unreachable');
});

test('a client that goes away ends its auth call', async () => {
  let closed = false;
  auth.answer = (_, response) => void response.on('close', () => (closed = true));
  const client = new FakeClient();
  const done = pass(build(), [], { client });
  await until(() => auth.seen.length === 1);
  client.leave();
  assert.equal((await done).error?.code, 'client.gone');
  await until(() => closed);
});

test('a kept connection that the server closes is replaced once, a fresh one that dies is not', async () => {
  let requests = 0;
  let connections = 0;
  const server = net.createServer((socket) => {
    connections++;
    let onThis = 0;
    socket.on('error', () => {});
    socket.on('data', () => {
      requests++;
      if (++onThis === 2) socket.resetAndDestroy();
      else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    });
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const hooks = build({ address: `http://127.0.0.1:${(server.address() as net.AddressInfo).port}/` });
  assert.equal(await run(hooks, exchange()), CONTINUE);
  // A connection rests for two turns of the event loop before it serves again.
  for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(await run(hooks, exchange()), CONTINUE);
  assert.deepEqual([connections, requests], [2, 3]);
  server.removeAllListeners('connection');
  server.on('connection', (socket) =>
    socket.once('data', () => (requests++, socket.destroy())).on('error', () => {}),
  );
  const fresh = bench.build({
    address: `http://localhost:${(server.address() as net.AddressInfo).port}/x`,
    timeout: '2s',
  });
  requests = 0;
  assert.equal((await pass(fresh)).status, 500);
  assert.equal(requests, 1);
  server.close();
});

test('skipPreflight lets a CORS preflight by, without the identity headers it may claim', async () => {
  auth.answer = (_, response) => response.writeHead(401).end();
  const hooks = build({ skipPreflight: true, authResponseHeaders: ['X-User-Id'] });
  const preflight = ['origin', 'https://a.test', 'access-control-request-method', 'PUT', 'x-user-id', '1'];
  const x = await pass(hooks, preflight, { method: 'OPTIONS' });
  assert.equal(x.status, 0);
  assert.equal(header(x, 'x-user-id'), null);
  assert.equal(auth.seen.length, 0);
  assert.equal((await pass(hooks, ['origin', 'https://a.test'], { method: 'OPTIONS' })).status, 401);
});

test('options that cannot work are refused with the reason', () => {
  const refused = (options: Record<string, unknown>) => {
    const result = forwardAuthSchema.safeParse({ address: 'http://a.test', ...options });
    assert.equal(result.success, false);
    return result.error?.issues[0]?.message ?? '';
  };
  assert.match(refused({ address: 'auth:8080' }), /http/);
  assert.match(refused({ authResponseHeadersRegex: '(' }), /regular expression/);
  assert.match(refused({ cache: { ttl: '5s', key: ['everything'] } }), /header:<Name>/);
  assert.match(refused({ cache: { ttl: 0 } }), /above 0/);
  assert.match(refused({ authResponseHeaders: ['X User'] }), /header names/);
});

test('an auth header with a bare CR admits nobody', async () => {
  const server = http.createServer((_, response) => {
    response.socket?.write('HTTP/1.1 200 OK\r\nX-User-Id: 1\rX-Admin: 1\r\nContent-Length: 0\r\n\r\n');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = `http://127.0.0.1:${(server.address() as net.AddressInfo).port}/`;
  const x = await pass(build({ address, authResponseHeaders: ['X-User-Id'] }));
  assert.equal(x.status, 500);
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});
