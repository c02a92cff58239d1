// Ways round the auth check, as an attacker would try them, against a whole gateway: paths, handshakes, broken
// configurations, the API, preflights.

import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, describe, test } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import { eventually, startGateway, type TestGateway } from '../support/gateway.ts';
import { type Origin, startOrigin } from '../support/origin.ts';
import { requestText, sendRaw } from '../support/raw.ts';
import { openRaw } from '../support/wire.ts';

const handshake = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];

describe('round the auth check', () => {
  let gateway: TestGateway;
  let backend: Backend;
  let auth: Origin;
  let hold: Promise<void> = Promise.resolve();

  before(async () => {
    backend = await startBackend();
    auth = await startOrigin({
      answer: async (request, response) => {
        const user = /^Bearer (alice|bob)$/.exec(request.headers['authorization'] ?? '')?.[1];
        await hold;
        response.statusCode = user === undefined ? 401 : 200;
        if (user !== undefined) response.setHeader('x-user-id', user).setHeader('x-session', `of ${user}`);
        response.end();
      },
    });
    gateway = await startGateway({
      static: { entryPoints: { web: {}, raw: { http: { sanitizePath: false } } } },
      dynamic: dynamic(),
    });
  });
  beforeEach(() => {
    hold = Promise.resolve();
    backend.clear();
    auth.requests.length = 0;
  });
  after(async () => {
    await gateway.stop();
    await Promise.all([backend.stop(), auth.stop()]);
  });

  function dynamic(): { http: Record<string, Record<string, object>> } {
    const forwardAuth = {
      address: auth.url,
      authResponseHeaders: ['X-User-Id'],
      authClientResponseHeaders: ['X-Session'],
      skipPreflight: true,
    };
    const guarded = (middleware: string, prefix: string) => ({
      rule: `PathPrefix(\`${prefix}\`)`,
      middlewares: [middleware],
      service: 'backend',
    });
    return {
      http: {
        routers: {
          public: { rule: 'PathPrefix(`/public`)', service: 'backend' },
          stripped: { ...guarded('strip', '/cut/public') },
          cached: guarded('cached', '/cached'),
          all: guarded('auth', '/'),
        },
        middlewares: {
          auth: { forwardAuth },
          cached: { forwardAuth: { ...forwardAuth, cache: { ttl: '60s' } } },
          strip: { stripPrefix: { prefixes: ['/cut'] } },
        },
        services: { backend: { loadBalancer: { servers: [{ url: backend.url }] } } },
      },
    };
  }

  const get = (path: string, headers: readonly string[] = [], entryPoint = 'web') =>
    sendRaw(gateway.port(entryPoint), requestText(`GET ${path}`, [...headers, 'Connection: close']));
  const upgrade = (path: string, headers: readonly string[] = [], entryPoint = 'web') =>
    sendRaw(gateway.port(entryPoint), requestText(`GET ${path}`, [...handshake, ...headers]));

  test('a handshake reaches the server with the very path its router was chosen by', async () => {
    const paths = [
      '/public\\..\\admin',
      '/public/..\\..\\admin',
      '/public/%2e%2e\\admin',
      '/public/..%5cadmin',
      '/public/..%5C..%5Cadmin',
      '/public/..;/admin',
      '/public/x?\\..\\..\\admin',
      '/public/\\\\evil.test/admin',
      '/cut/public\\..\\admin',
    ];
    for (const path of paths) {
      for (const send of [get, upgrade]) {
        backend.clear();
        const { statuses } = await send(path);
        const [status] = statuses;
        if (status === 400) continue;
        assert.ok(backend.seen[0]?.target.startsWith('/public'), `${path}: ${backend.seen[0]?.target}`);
        assert.doesNotMatch(backend.seen[0]?.target.split('?')[0] ?? '', /\\/);
      }
    }
    assert.equal(auth.requests.length, 0);
  });

  test('without sanitizePath a handshake and a request reach the server with one and the same path', async () => {
    for (const path of ['/public/../admin', '/public//x', '/public/./x', '/public/..%2Fadmin']) {
      await get(path, [], 'raw');
      await upgrade(path, [], 'raw');
      assert.equal(backend.seen[0]?.target, path);
      assert.equal(backend.seen[1]?.target, path);
      backend.clear();
    }
  });

  test('a handshake without credentials never reaches the server', async () => {
    const { statuses } = await upgrade('/terminal');
    assert.deepEqual(statuses, [401]);
    assert.equal(backend.seen.length, 0);
  });

  test('a header called like a property of every object is a header like any other', async () => {
    for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
      assert.deepEqual((await upgrade('/public', [`${name}: x`])).statuses, [101], name);
      assert.deepEqual((await get('/public', [`${name}: x`])).statuses, [200], name);
    }
    assert.doesNotMatch(gateway.logs(), /gateway\.bug/);
  });

  test('the server sees no subprotocol that the auth server has not seen', async () => {
    const alice = 'Authorization: Bearer alice';
    await upgrade('/x', [alice, 'Connection: sec-websocket-protocol', 'Sec-WebSocket-Protocol: admin']);
    assert.equal(auth.requests[0]?.headers['sec-websocket-protocol'], undefined);
    assert.equal(backend.seen[0]?.headers['sec-websocket-protocol'], undefined);
    await upgrade('/x', [alice, 'Sec-WebSocket-Protocol: first', 'Sec-WebSocket-Protocol: second']);
    assert.equal(auth.requests[1]?.headers['sec-websocket-protocol'], 'first, second');
    assert.match(String(backend.seen[1]?.headers['sec-websocket-protocol']), /^first,\s?second$/);
  });

  test('what a client sends before its handshake is answered reaches nobody', async () => {
    const release = holdAuth();
    const early = [
      Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]),
      requestText('GET /public/smuggled'),
      requestText('GET /admin', ['Authorization: Bearer alice']),
    ];
    const clients = [];
    for (const bytes of early) {
      const client = await openRaw(gateway.port('web'));
      client.write(requestText('GET /terminal', handshake));
      client.write(bytes);
      clients.push(client);
    }
    for (const client of clients) await client.closed();
    release();
    await get('/public/after');
    assert.deepEqual(
      backend.seen.map(({ target }) => target),
      ['/public/after'],
    );
    assert.deepEqual(backend.messages, []);
  });

  test('tunnels of two users opened at once stay with their users', async () => {
    const release = holdAuth();
    const users = ['alice', 'bob', 'alice', 'bob', 'nobody'];
    const sockets = users.map((user) => {
      const headers = { authorization: `Bearer ${user}`, 'x-user-id': 'root' };
      return new WebSocket(`${gateway.url('web').replace('http', 'ws')}/who`, { headers });
    });
    const heard = sockets.map(
      (socket) =>
        new Promise<string>((resolve) => {
          socket.on('open', () => socket.send('who am I'));
          socket.on('message', (data: Buffer) => resolve(data.toString()));
          socket.on('error', () => {});
          socket.on('unexpected-response', (_request, response) => resolve(String(response.statusCode)));
        }),
    );
    release();
    assert.deepEqual(await Promise.all(heard), ['alice', 'bob', 'alice', 'bob', '401']);
    for (const socket of sockets) socket.terminate();
  });

  test('a client that leaves while the auth server is asked leaves nothing behind for the next', async () => {
    const release = holdAuth();
    const leaving = await openRaw(gateway.port('web'));
    leaving.write(requestText('GET /a', ['Authorization: Bearer alice']));
    await eventually('the auth server is asked', () => auth.requests.length === 1);
    leaving.socket.resetAndDestroy();
    const next = get('/b', ['Authorization: Bearer bob']);
    const stranger = get('/c');
    // They came behind the end of the first one.
    await eventually('the auth server is asked for all', () => auth.requests.length === 3);
    release();
    assert.match((await next).text, /\nbob$/);
    assert.deepEqual((await stranger).statuses, [401]);
    assert.deepEqual(
      backend.seen.map(({ target }) => target),
      ['/b'],
    );
  });

  test('a decision in the cache gives its headers and its identity to nobody else', async () => {
    for (const user of ['alice', 'bob', 'alice', 'bob']) {
      const { text } = await get('/cached', [
        `Authorization: Bearer ${user}`,
        'X-User-Id: root',
        'X_User_Id: root',
      ]);
      assert.match(text, new RegExp(`\\n${user}$`));
      assert.match(text, new RegExp(`x-session: of ${user}\r`, 'i'));
    }
    assert.equal(auth.requests.length, 2);
    const others = [
      [],
      ['Authorization: Bearer carol'],
      ['Authorization: Bearer alice', 'Authorization: Bearer carol'],
      ['Authorization: Bearer carol', 'Authorization: Bearer alice'],
      ['Authorization: Bearer alice', 'Cookie: a=1'],
      ['Connection: authorization', 'Authorization: Bearer alice'],
    ];
    for (const headers of others) {
      const asked: number = auth.requests.length;
      const { text } = await get('/cached', headers);
      assert.equal(auth.requests.length, asked + 1, headers.join());
      if (!text.startsWith('HTTP/1.1 200')) assert.doesNotMatch(text, /x-session|alice/i);
    }
    const head = await sendRaw(
      gateway.port('web'),
      requestText('HEAD /cached', ['Authorization: Bearer alice']),
    );
    assert.deepEqual(head.statuses, [200]);
    assert.equal(auth.requests.at(-1)?.headers['x-forwarded-method'], 'HEAD');
  });

  test('only a preflight passes without credentials, and without an identity', async () => {
    const ask = ['Origin: https://app.test', 'Access-Control-Request-Method: DELETE'];
    const send = (line: string, headers: readonly string[], body = '') =>
      sendRaw(gateway.port('web'), requestText(line, [...headers, 'Connection: close'], body));
    assert.deepEqual((await send('OPTIONS /x', [...ask, 'X-User-Id: root'])).statuses, [200]);
    assert.equal(backend.seen[0]?.headers['x-user-id'], undefined);
    backend.clear();
    const refused: [string, string[], string?][] = [
      ['OPTIONS /x', []],
      ['OPTIONS /x', ['Origin: https://app.test']],
      ['OPTIONS /x', ['Access-Control-Request-Method: DELETE']],
      ['OPTIONS /x', [...ask, 'Content-Length: 4'], 'body'],
      ['OPTIONS /x', [...ask, 'Transfer-Encoding: chunked'], '4\r\nbody\r\n0\r\n\r\n'],
      ['GET /x', ask],
      ['DELETE /x', ask],
      ['POST /x', [...ask, 'X-HTTP-Method-Override: OPTIONS', 'Content-Length: 0']],
      ['GET /x', [...ask, ...handshake]],
    ];
    for (const [line, headers, body] of refused) {
      assert.deepEqual((await send(line, headers, body)).statuses, [401], `${line} ${headers.join()}`);
    }
    // The engine's and the server's word on a method that is none.
    assert.notEqual((await send('options /x', ask)).statuses[0], 200);
    assert.equal(backend.seen.length, 0);
  });

  test('no entry point of clients shows the API, and no page can purge', async () => {
    for (const path of [
      '/public/../api/rawdata',
      '/api/rawdata',
      '/dashboard/',
      '/ping',
      '/api/portcullis/status',
    ]) {
      assert.deepEqual((await get(path)).statuses, [401], path);
    }
    const url = `${gateway.url('traefik')}/api/portcullis/auth-cache/purge`;
    const body = '{"by":"all"}';
    const purge = async (headers: Record<string, string>, method = 'POST') =>
      (await fetch(url, method === 'POST' ? { method, headers, body } : { method, headers })).status;
    const json = { 'content-type': 'application/json' };
    assert.equal(await purge(json), 200);
    assert.equal(await purge({ ...json, origin: 'https://evil.test' }), 403);
    assert.equal(await purge({ ...json, origin: gateway.url('traefik') }), 403);
    assert.equal(await purge({ 'content-type': 'text/plain' }), 415);
    assert.equal(await purge({}, 'GET'), 405);
    for (const name of ['__proto__', 'constructor', 'toString']) {
      for (const path of [`http/${name}`, `http/routers/${name}`, name, `entrypoints/${name}`]) {
        assert.equal((await fetch(`${gateway.url('traefik')}/api/${path}`)).status, 404, path);
      }
    }
    const sorted = await fetch(`${gateway.url('traefik')}/api/http/routers?sortBy=__proto__&per_page=1`);
    assert.equal(sorted.status, 200);
  });

  test('a request that waits for the auth server is judged by the route it came in on', async () => {
    const release = holdAuth();
    const denied = get('/terminal');
    const allowed = get('/terminal', ['Authorization: Bearer alice']);
    await eventually('both are asked', () => auth.requests.length === 2);
    const open = dynamic();
    open.http['routers'] = { all: { rule: 'PathPrefix(`/`)', service: 'backend' } };
    await gateway.writeDynamic(open);
    assert.match((await get('/open')).text, /^HTTP\/1.1 200/);
    release();
    assert.deepEqual((await denied).statuses, [401]);
    assert.match((await allowed).text, /\nalice$/);
    await gateway.writeDynamic(dynamic());
    assert.deepEqual((await get('/open')).statuses, [401]);
  });

  test('whatever is wrong with a guard, its route answers 503 and the open route behind it stays shut', async () => {
    const config = dynamic();
    const forwardAuth = { address: auth.url };
    const guards: Record<string, object> = {
      'no-address': { forwardAuth: { authResponseHeaders: ['X-Guard-Id'], headerField: 'X-Guard-Name' } },
      'bad-address': { forwardAuth: { address: 'htp://user:hush@auth' } },
      'bad-key': { forwardAuth: { ...forwardAuth, cache: { ttl: '1s', key: ['user'] } } },
      'bad-ttl': { forwardAuth: { ...forwardAuth, cache: { ttl: 'soon' } } },
      'no-tls': { forwardAuth: { ...forwardAuth, tls: { ca: '/nowhere/ca.pem' } } },
      'two-kinds': { forwardAuth, addPrefix: { prefix: '/x' } },
      'unknown-key': { forwardAuth: { ...forwardAuth, adress: 'x' } },
      'unknown-kind': { forwrdAuth: forwardAuth },
      unsupported: { basicAuth: { users: ['a:b'] } },
      off: { forwardAuth: false },
      nothing: {},
      'empty-list': { ipAllowList: { sourceRange: [] } },
      'no-options': { headers: {} },
      'chain-of-none': { chain: { middlewares: ['nobody'] } },
      'chain-of-broken': { chain: { middlewares: ['auth', 'no-tls'] } },
      'chain-of-itself': { chain: { middlewares: ['chain-of-itself'] } },
    };
    const names = [...Object.keys(guards), 'missing', 'auth@nowhere', 'toString', '__proto__'];
    Object.assign(config.http['middlewares'] as object, guards);
    config.http['routers'] = { open: { rule: 'PathPrefix(`/`)', service: 'backend' } };
    for (const [i, name] of names.entries()) {
      config.http['routers'][`guarded-${i}`] = {
        rule: `PathPrefix(\`/guarded/${i}\`)`,
        middlewares: [name],
        service: 'backend',
      };
    }
    // At the start there is no older good content to go on with.
    const broken = await startGateway({ dynamic: config });
    try {
      for (const [i, name] of names.entries()) {
        const answer = await sendRaw(
          broken.port('web'),
          requestText(`GET /guarded/${i}/x`, ['Connection: close']),
        );
        assert.deepEqual(answer.statuses, [503], name);
      }
      assert.equal(backend.seen.length, 0);
      const spoofed = ['X-Guard-Id: root', 'X_Guard_Name: root', 'X-Other: 1', 'Connection: close'];
      await sendRaw(broken.port('web'), requestText('GET /', spoofed));
      const headers = backend.seen[0]?.headers;
      assert.equal(headers?.['x-other'], '1');
      assert.equal(headers?.['x-guard-id'], undefined);
      assert.equal(headers?.['x_guard_name'], undefined);
      assert.doesNotMatch(broken.logs(), /hush/);
    } finally {
      await broken.stop();
    }
  });

  /** Lets the auth server wait with its answers until the returned function is called. */
  function holdAuth(): () => void {
    let release = (): void => {};
    hold = new Promise((resolve) => (release = resolve));
    return () => release();
  }
});

interface Backend {
  readonly url: string;
  readonly seen: { readonly target: string; readonly headers: NodeJS.Dict<string | string[]> }[];
  /** Received in tunnels. */
  readonly messages: string[];
  clear(): void;
  stop(): Promise<void>;
}

/** Says who it takes the client for, to requests and in tunnels. */
async function startBackend(): Promise<Backend> {
  const seen: Backend['seen'] = [];
  const messages: string[] = [];
  const server: Server = createServer((request, response) => {
    seen.push({ target: request.url ?? '', headers: request.headers });
    response.end(String(request.headers['x-user-id'] ?? 'nobody'));
  });
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket, request) => {
    seen.push({ target: request.url ?? '', headers: request.headers });
    socket.on('message', (data: Buffer) => {
      messages.push(data.toString());
      socket.send(String(request.headers['x-user-id'] ?? 'nobody'));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    messages,
    clear() {
      seen.length = 0;
      messages.length = 0;
    },
    async stop() {
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
