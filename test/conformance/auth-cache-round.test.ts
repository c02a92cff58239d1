// Round the auth check, with a cache in it: an hour of attempts, kept. Whatever is sent, no request reaches a guarded
// server without an identity, and no identity but its own.

import assert from 'node:assert/strict';
import { connect as connectHttp2 } from 'node:http2';
import { after, before, beforeEach, describe, test } from 'node:test';
import { type AuthStage, answerQuestion, startAuthStage } from '../support/auth-stage.ts';
import { requestText, sendRaw } from '../support/raw.ts';

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** What is `/a` once it is normalised, for router, auth server and server alike; and what reaches no server. */
const sameTargets: ReadonlySet<string> = new Set([
  'GET //a',
  'GET /./a',
  'GET /x/../a?',
  'GET /%61?',
  'GET /a?',
  // Answered by the gateway itself, where it is understood: it is about the gateway.
  'OPTIONS *',
]);

/** `/` of every host but those named is guarded, and the cache knows the token `t` there. */
function configuration(auth: string, origin: string): object {
  const cached = { address: auth, authResponseHeaders: ['X-User-Id'], cache: { ttl: '60s' } };
  const guarded = (rule: string, more: object = {}) => ({
    rule,
    service: 'origin',
    middlewares: ['auth'],
    ...more,
  });
  const host = (name: string) => `Host(\`${name}.test\`)`;
  const balanced = { loadBalancer: { servers: [{ url: origin }] } };
  return {
    http: {
      routers: {
        all: guarded('PathPrefix(`/`)', { priority: 1 }),
        public: { rule: 'Path(`/public`)', service: 'origin', priority: 2 },
        'tie-a': guarded('Path(`/tie`) && Method(`GET`)', { priority: 5 }),
        'tie-b': {
          rule: 'Path(`/tie`) && Method(`PUT`)',
          service: 'origin',
          middlewares: ['auth'],
          priority: 5,
        },
        retry: guarded(host('retry'), { middlewares: ['again', 'auth'] }),
        'retry-in': guarded(host('retry-in'), { middlewares: ['auth', 'again'] }),
        errors: guarded(host('errors'), { middlewares: ['pages', 'auth'] }),
        'errors-in': guarded(host('errors-in'), { middlewares: ['auth', 'pages'] }),
        chain: guarded(host('chain'), { middlewares: ['chain'] }),
        'chain-deep': guarded(host('chain-deep'), { middlewares: ['outer-chain'] }),
        mirror: guarded(host('mirror'), { service: 'mirrored' }),
        failover: guarded(host('failover'), { service: 'failing' }),
        weighted: guarded(host('weighted'), { service: 'shares' }),
        'in-service': { rule: host('in-service'), service: 'with-auth' },
        two: guarded(host('two'), { middlewares: ['auth', 'second'] }),
        'two-turned': guarded(host('two-turned'), { middlewares: ['second', 'auth'] }),
        api: guarded(host('api'), { service: 'api@internal' }),
        ping: guarded(host('ping'), { service: 'ping@internal' }),
        strip: guarded(host('strip'), { middlewares: ['auth', 'strip'] }),
        'strip-first': guarded(host('strip-first'), { middlewares: ['strip', 'auth'] }),
        override: guarded(host('override'), { middlewares: ['auth', 'set'] }),
        loose: guarded(host('loose'), { middlewares: ['trusting'] }),
      },
      middlewares: {
        auth: { forwardAuth: cached },
        second: {
          forwardAuth: { ...cached, address: `${auth}/second`, authResponseHeaders: ['X-Second-Id'] },
        },
        trusting: { forwardAuth: { ...cached, trustForwardHeader: true } },
        again: { retry: { attempts: 3, initialInterval: '1ms' } },
        pages: { errors: { status: ['400-599'], service: 'origin', query: '/page/{status}' } },
        chain: { chain: { middlewares: ['auth'] } },
        'outer-chain': { chain: { middlewares: ['chain'] } },
        strip: { stripPrefix: { prefixes: ['/open', '/secret'] } },
        set: { headers: { customRequestHeaders: { 'X-Set': 'by the gateway' } } },
      },
      services: {
        origin: balanced,
        dead: { loadBalancer: { servers: [{ url: 'http://127.0.0.1:1' }] } },
        mirrored: { mirroring: { service: 'origin', mirrors: [{ name: 'origin', percent: 100 }] } },
        failing: { failover: { service: 'dead', fallback: 'origin', errors: { status: ['500-599'] } } },
        shares: {
          weighted: {
            services: [
              { name: 'origin', weight: 1 },
              { name: 'origin', weight: 1 },
            ],
          },
        },
        'with-auth': { ...balanced, middlewares: ['auth'] },
      },
    },
  };
}

for (const engine of ['uws', 'node'] as const) {
  describe(`round the auth check with a cache, on the ${engine} engine`, () => {
    let stage: AuthStage;
    before(async () => {
      stage = await startAuthStage({ engine, dynamic: configuration, static: { ping: {} } });
    });
    beforeEach(() => stage.clear());
    after(async () => {
      await stage?.stop();
      const wrong = /^.*(?:"level":"fatal"|A bug of the gateway).*$/m.exec(stage.gateway.logs());
      assert.equal(wrong?.[0], undefined);
    });

    /** What a worker may have kept for who is let in. */
    const warm = async (sent: Parameters<AuthStage['send']>[0] = { headers: bearer('t') }): Promise<void> => {
      const all = await Promise.all(Array.from({ length: 8 }, () => stage.send(sent)));
      for (const { status } of all) assert.equal(status, 200);
    };
    /** Nothing came through to the origin but what its own identity came with. */
    const nothingThrough = (what: string): void => {
      const bare = stage.origin.requests.filter(({ headers }) => headers['x-user-id'] === undefined);
      assert.deepEqual(
        bare.map(({ method, target }) => `${method} ${target}`),
        [],
        what,
      );
      assert.deepEqual(stage.crossed, [], what);
    };
    const raw = (line: string, headers: readonly string[]) =>
      sendRaw(stage.gateway.port('web'), requestText(line, [...headers, 'Connection: close']), {
        quiet: 100,
      });

    test('a decision for one path, method or host is none for another that only looks like it', async () => {
      await warm();
      await warm({ target: '/a', headers: bearer('t') });
      stage.revoked.add('Bearer t');
      const lines = [
        'GET /A',
        'GET /a/',
        'GET //a',
        'GET /./a',
        'GET /x/../a?',
        'GET /%61?',
        'GET /%2561',
        'GET /a%00',
        'GET /a;x',
        'GET /a%2f',
        'GET /a%2F',
        'GET /a?',
        'GET /a??',
        'GET /?/a',
        'GET /%2e/a%2e',
        'HEAD /a',
        'POST /a',
        'OPTIONS /a',
        'DELETE /a',
        'PROPFIND /a',
        'get /a',
        'GET http://app.test/b',
        'GET /a#b',
        'OPTIONS *',
        'CONNECT app.test:80',
        'TRACE /a',
      ];
      for (const line of lines) {
        const { statuses } = await raw(line, ['Authorization: Bearer t']);
        const isSame = sameTargets.has(line);
        for (const status of statuses)
          assert.ok(status >= 400 || (isSame && status === 200), `${line}: ${status}`);
      }
      const hosts = [
        'APP.TEST',
        'app.test.',
        'app.test:80',
        'app.test:443',
        'app.test:0080',
        'xapp.test',
        'app.test,b',
      ];
      for (const host of hosts) {
        const { statuses } = await raw('GET /a', [`Host: ${host}`, 'Authorization: Bearer t']);
        for (const status of statuses) assert.ok(status >= 400, `${host}: ${status}`);
      }
      nothingThrough('another path');
    });

    test('headers that say another method, path, host, scheme or address change nothing for the router', async () => {
      await warm({ target: '/public', headers: {} }).catch(() => {});
      stage.origin.requests.length = 0;
      const claims = [
        'X-HTTP-Method-Override: GET',
        'X-Method-Override: GET',
        'X-Original-URL: /public',
        'X-Rewrite-URL: /public',
        'X-Forwarded-Uri: /public',
        'X-Forwarded-Host: public.test',
        'X-Forwarded-Proto: https',
        'X-Forwarded-For: 127.0.0.1',
        'X-Forwarded-Method: OPTIONS',
        'Forwarded: for=127.0.0.1;host=public.test',
        'X-Real-Ip: 127.0.0.1',
        'X_Forwarded_Uri: /public',
        'X-Forwarded-Prefix: /public',
        'X-User-Id: root',
        'X_User_Id: root',
        'X.User.Id: root',
        'Origin: https://app.test',
        'Access-Control-Request-Method: GET',
        'Referer: https://app.test/public',
      ];
      for (const claim of claims) {
        const { statuses } = await raw('GET /secret', [claim]);
        assert.deepEqual(statuses, [401], claim);
        const asked = stage.auth.requests.at(-1);
        assert.equal(asked?.headers['x-forwarded-uri'], '/secret', claim);
        assert.equal(asked?.headers['x-forwarded-method'], 'GET', claim);
        assert.equal(asked?.headers['x-forwarded-host'], 'app.test', claim);
        assert.equal(asked?.headers['x-user-id'], undefined, claim);
      }
      // Nor for a middleware that trusts what a proxy said, as long as the client is none.
      await warm({ host: 'loose.test', target: '/mine', headers: bearer('t') });
      stage.revoked.add('Bearer t');
      const { statuses } = await raw('GET /secret', [
        'Host: loose.test',
        'X-Forwarded-Uri: /mine',
        'Authorization: Bearer t',
      ]);
      assert.deepEqual(statuses, [401]);
      nothingThrough('claims');
    });

    test('a nominated, repeated or folded credential is another question, and never a hit', async () => {
      await warm();
      stage.revoked.add('Bearer bad').add('Bearer bad, Bearer t');
      const before = stage.auth.requests.length;
      const tries: readonly (readonly string[])[] = [
        ['Connection: authorization', 'Authorization: Bearer t'],
        ['Connection: close, Authorization', 'Authorization: Bearer t'],
        ['Authorization: Bearer bad', 'Authorization: Bearer t'],
        ['Authorization:Bearer\tt '],
        ['Authorization : Bearer t'],
        ['Authorization: Bearer bad', ' Bearer t'],
        ['Authorization_: Bearer t'],
        ['Proxy-Authorization: Bearer t'],
        ['Cookie2: s=1'],
      ];
      for (const headers of tries) {
        const line = requestText('GET /', headers);
        const { statuses } = await sendRaw(stage.gateway.port('web'), line, { quiet: 100 });
        const isWhitespace = headers[0] === 'Authorization:Bearer\tt ';
        for (const status of statuses)
          assert.ok(status >= 400 || isWhitespace, `${JSON.stringify(headers)}: ${status}`);
      }
      assert.ok(stage.auth.requests.length > before);
      nothingThrough('credentials');
      // The order of cookies and of values belongs to the question.
      await warm({ headers: { cookie: ['a=1', 'b=2'] } });
      await warm({ headers: { cookie: ['b=2', 'a=1'] } });
      await warm({ headers: { cookie: 'a=1; b=2' } });
      nothingThrough('cookies');
    });

    const inside: [host: string, what: string][] = [
      ['retry', 'a retry outside of auth'],
      ['retry-in', 'a retry inside of auth'],
      ['errors', 'error pages outside'],
      ['errors-in', 'error pages inside'],
      ['chain', 'a chain'],
      ['chain-deep', 'a chain in a chain'],
      ['mirror', 'mirrors'],
      ['failover', 'a failover'],
      ['weighted', 'shares'],
      ['in-service', 'auth on the service'],
      ['two', 'two auth servers'],
      ['two-turned', 'two auth servers, turned round'],
      ['strip', 'a path cut after auth'],
      ['strip-first', 'a path cut before auth'],
      ['override', 'a header set after auth'],
    ];
    for (const [name, what] of inside) {
      test(`${what}: nothing comes through without its identity, on a miss, on a hit, after a purge`, async () => {
        const host = `${name}.test`;
        const guarded = () => stage.origin.requests.filter(({ target }) => !target.startsWith('/page/'));
        const refused = async (headers: Record<string, string>): Promise<void> => {
          const reached = await settled(guarded);
          for (let i = 0; i < 4; i++) assert.equal((await stage.send({ host, headers })).status, 401);
          assert.equal(await settled(guarded), reached);
        };
        await refused({});
        await warm({ host, headers: bearer('t') });
        assert.ok(guarded().every(({ headers }) => headers['x-user-id'] !== undefined));
        await refused({});
        await refused({ 'x-user-id': 'root', 'x-second-id': 'root' });
        stage.revoked.add('Bearer t');
        assert.equal(await stage.purge({ by: 'token', token: 't' }), 200);
        await refused(bearer('t'));
        if (name === 'failover' || !name.startsWith('strip')) assert.deepEqual(stage.crossed, []);
        for (const { target, headers } of stage.origin.requests)
          if (target.startsWith('/page/')) assert.equal(headers['x-user-id'], undefined);
      });
    }

    test('two auth servers on one router: each is asked, each decides, neither takes the other’s word', async () => {
      const host = 'two.test';
      stage.auth.answerWith((asked, response, body) => {
        if (asked.url === '/second') response.writeHead(403, { 'x-user-id': 'root' }).end();
        else void answerQuestion(stage.revoked)(asked, response, body);
      });
      for (let i = 0; i < 4; i++)
        assert.equal((await stage.send({ host, headers: bearer('t') })).status, 403);
      stage.auth.answerWith((asked, response, body) => {
        if (asked.url !== '/second') response.writeHead(403).end();
        else void answerQuestion(stage.revoked)(asked, response, body);
      });
      await stage.purge({ by: 'all' });
      for (let i = 0; i < 4; i++)
        assert.equal((await stage.send({ host, headers: bearer('t') })).status, 403);
      assert.equal(stage.origin.requests.length, 0);
    });

    test('services of the gateway itself behind auth are as shut as any other', async () => {
      for (const [host, target] of [
        ['api.test', '/api/rawdata'],
        ['ping.test', '/ping'],
        ['api.test', '/dashboard/'],
      ]) {
        const sent = { host: String(host), target: String(target) };
        for (let i = 0; i < 3; i++) assert.equal((await stage.send(sent)).status, 401);
        assert.equal((await stage.send({ ...sent, headers: { 'x-user-id': 'root' } })).status, 401);
      }
      const { status } = await stage.send({ target: '/.well-known/acme-challenge/any-token_0' });
      assert.equal(status, 401);
      assert.equal((await stage.send({ target: '/ping' })).status, 401);
      assert.equal((await stage.send({ target: '/tie' })).status, 401);
      assert.equal((await stage.send({ target: '/tie', method: 'PUT' })).status, 401);
      nothingThrough('internal services');
    });

    test('whatever status an auth server has, only 2xx lets in, and only once it is the last word', async () => {
      for (const status of [200, 201, 202, 204, 205, 206, 226, 299]) {
        stage.auth.answerWith((_, response) => void response.writeHead(status, { 'x-user-id': 'ok' }).end());
        assert.equal((await stage.send({ headers: bearer(`s${status}`) })).status, 200, `${status}`);
      }
      stage.crossed.length = 0;
      for (const status of [
        300, 301, 302, 303, 304, 307, 308, 400, 401, 403, 407, 418, 421, 429, 500, 501, 503, 599,
      ]) {
        stage.auth.answerWith((_, response) => void response.writeHead(status, { 'x-user-id': 'no' }).end());
        for (let i = 0; i < 2; i++)
          assert.equal((await stage.send({ headers: bearer(`s${status}`) })).status, status);
      }
      const reached = stage.origin.requests.length;
      stage.auth.answerWith((_, response) => {
        response.writeEarlyHints({ link: '</a>; rel=preload', 'x-user-id': 'early' });
        response.writeContinue();
        response.writeProcessing();
        response.writeHead(403).end();
      });
      assert.equal((await stage.send({ headers: bearer('hints') })).status, 403);
      assert.equal(stage.origin.requests.length, reached);
    });

    test('what an auth server says of its connection takes no identity away and adds none', async () => {
      stage.auth.answerWith((_, response) => {
        response.setHeader('connection', 'X-User-Id, close');
        response.setHeader('x-user-id', Buffer.from('x').toString('base64url'));
        response.setHeader('x-admin', 'yes');
        response.setHeader('x_user_id', 'alias');
        response.end();
      });
      const sent = { headers: { ...bearer('t'), connection: 'x-user-id, close', 'x-user-id': 'root' } };
      for (let i = 0; i < 6; i++) await stage.send(sent);
      for (const { headers, rawHeaders } of stage.origin.requests) {
        // The client's own never comes through; the server's, nominated or not, is one value or none.
        assert.notEqual(headers['x-user-id'], 'root');
        assert.equal(headers['x-admin'], undefined);
        assert.equal(headers['x_user_id'], undefined);
        assert.ok(rawHeaders.filter((text) => text.toLowerCase() === 'x-user-id').length <= 1);
      }
    });

    test('a purge cannot be sent by a page, nor through an entry point of clients', async () => {
      await warm();
      const before = stage.auth.requests.length;
      const url = `${stage.gateway.url('traefik')}/api/portcullis/auth-cache/purge`;
      const body = '{"by":"all"}';
      const attempts: RequestInit[] = [
        { method: 'POST', body },
        { method: 'POST', body, headers: { 'content-type': 'text/plain' } },
        { method: 'POST', body, headers: { 'content-type': 'application/x-www-form-urlencoded' } },
        { method: 'POST', body, headers: { 'content-type': 'multipart/form-data; boundary=a' } },
        {
          method: 'POST',
          body,
          headers: { 'content-type': 'application/json', origin: 'https://evil.test' },
        },
        { method: 'POST', body, headers: { 'content-type': 'application/json', origin: 'null' } },
        { method: 'PUT', body, headers: { 'content-type': 'application/json' } },
        { method: 'GET' },
      ];
      for (const attempt of attempts) {
        const { status } = await fetch(url, attempt);
        assert.ok(status >= 400, `${JSON.stringify(attempt)}: ${status}`);
      }
      const target = '/api/portcullis/auth-cache/purge';
      const headers = { 'content-type': 'application/json' };
      assert.equal((await stage.send({ method: 'POST', target, headers, body })).status, 401);
      await warm();
      // The refused POST asked once; what was kept is kept.
      assert.ok(stage.auth.requests.length <= before + 1);
    });

    // The other engine speaks HTTP/1.1 alone.
    if (engine === 'uws') return;
    test('HTTP/2 and HTTP/1.1 ask the same, and neither opens what the other was refused', async () => {
      await warm();
      const session = connectHttp2(stage.gateway.url('web'));
      session.on('error', () => {});
      const over2 = (headers: Record<string, string>) =>
        new Promise<number>((resolve, reject) => {
          const stream = session.request({ ':path': '/', ':authority': 'app.test', ...headers });
          stream.on('response', (answer) => resolve(Number(answer[':status'])));
          stream.on('error', reject);
          stream.resume();
        });
      assert.equal(await over2(bearer('t')), 200);
      assert.equal(await over2({}), 401);
      assert.equal(await over2({ ...bearer('t'), ':path': '/b' }), 200);
      stage.revoked.add('Bearer t');
      assert.equal(await over2({ ...bearer('t'), ':path': '/c' }), 401);
      assert.equal(await over2({ ...bearer('t'), ':authority': 'other.test' }), 401);
      await stage.purge({ by: 'token', token: 't' });
      assert.equal(await over2(bearer('t')), 401);
      session.close();
      nothingThrough('HTTP/2');
    });
  });
}

/** How many there are once no more come: mirrors come after the answer. */
async function settled(list: () => readonly unknown[]): Promise<number> {
  for (let count = -1; ; ) {
    const now = list().length;
    if (now === count) return count;
    count = now;
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}
