// What may go wrong when auth decisions are kept, one test for each danger, on both engines with two workers.

import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { after, before, beforeEach, describe, test } from 'node:test';
import fc from 'fast-check';
import { type AuthStage, answerQuestion, startAuthStage } from '../support/auth-stage.ts';
import { jwt } from '../support/forward-auth.ts';
import { eventually } from '../support/gateway.ts';

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const workers = 2;
const connected = /^traefik_open_connections\{.*"web"/;

function configuration(auth: string, origin: string, more: Record<string, object> = {}): object {
  const forwardAuth = { address: auth, authResponseHeaders: ['X-User-Id'], timeout: '5s' };
  const guards: Record<string, object> = {
    '/': { ...forwardAuth, cache: { ttl: '60s' } },
    '/untrusting': { ...forwardAuth, trustForwardHeader: false, cache: { ttl: '60s' } },
    '/pattern': { address: auth, authResponseHeadersRegex: '^X-Role', cache: { ttl: '60s' } },
    '/short': { ...forwardAuth, cache: { ttl: '700ms' } },
    '/body': { ...forwardAuth, forwardBody: true, cache: { ttl: '60s' } },
    '/negative': { ...forwardAuth, cache: { ttl: '60s', negativeTtl: '60s' } },
    '/small': { ...forwardAuth, cache: { ttl: '60s', maxEntries: 100, negativeTtl: '60s' } },
    ...more,
  };
  const names = Object.keys(guards);
  const entries = (make: (prefix: string) => object) =>
    Object.fromEntries(names.map((prefix, at) => [`at-${at}`, make(prefix)]));
  return {
    http: {
      routers: entries((prefix) => ({
        rule: `PathPrefix(\`${prefix}\`)`,
        service: 'origin',
        middlewares: [`at-${names.indexOf(prefix)}`],
      })),
      middlewares: entries((prefix) => ({ forwardAuth: guards[prefix] })),
      services: { origin: { loadBalancer: { servers: [{ url: origin }] } } },
    },
  };
}

for (const engine of ['uws', 'node'] as const) {
  describe(`decisions that are kept, on the ${engine} engine`, () => {
    let stage: AuthStage;
    before(async () => {
      stage = await startAuthStage({
        engine,
        dynamic: configuration,
        static: { metrics: { prometheus: {} } },
      });
    });
    beforeEach(() => stage.clear());
    after(async () => {
      await stage?.stop();
      const wrong = /^.*(?:"level":"fatal"|A bug of the gateway).*$/m.exec(stage.gateway.logs());
      assert.equal(wrong?.[0], undefined);
    });

    /** So often that every worker has been asked, and has what it may keep. */
    const everywhere = (sent: Parameters<AuthStage['send']>[0], times = 8) =>
      Promise.all(Array.from({ length: times }, () => stage.send(sent)));

    test('key too small: two requests that differ in one thing the auth server sees share nothing', async () => {
      const base = { headers: { ...bearer('t'), cookie: 's=1', 'x-a': 'a' } };
      const { headers } = base;
      const variants = [
        base,
        { ...base, method: 'POST' },
        { ...base, method: 'HEAD' },
        { ...base, target: '/b' },
        { ...base, target: '/B' },
        { ...base, target: '/%62' },
        { ...base, target: '/b/' },
        { ...base, target: '/?' },
        { ...base, target: '/?b' },
        { ...base, target: '/?b=' },
        { ...base, target: '/%3Fb' },
        { ...base, target: '/%3fb' },
        { ...base, host: 'other.test' },
        { ...base, host: 'app.test:80' },
        { ...base, host: 'app.test.' },
        { ...base, from: '127.0.0.2' },
        { headers: { ...headers, ...bearer('T') } },
        { headers: { ...headers, authorization: 'bearer t' } },
        { headers: { ...headers, authorization: 'Bearer  t' } },
        { headers: { ...headers, cookie: 's=2' } },
        { headers: { ...headers, cookie: 's=1; a=2' } },
        { headers: { ...headers, cookie: 'a=2; s=1' } },
        { headers: { ...headers, 'x-a': 'A' } },
        { headers: { ...headers, 'x-a': '' } },
        { headers: { ...headers, 'x-a': ['a', 'b'] } },
        { headers: { ...headers, 'x-a': ['b', 'a'] } },
        { headers: { ...headers, 'x-a': 'a, b' } },
        { headers: { ...headers, 'x-b': 'a' } },
        { headers: { ...headers, 'x-a': 'ax-ba' } },
        { headers: { ...headers, 'x-a': '3:x-b1:a' } },
        { headers: { ...headers, 'x-a': '1:a3:x-b1:a' } },
        { ...base, target: '/untrusting' },
        { ...base, target: '/untrusting', from: '127.0.0.2' },
        { headers: { ...headers, 'x-api-key': 'k' } },
        { headers: { ...headers, 'content-type': 'a/b' } },
        { headers: { ...headers, origin: 'https://a.test' } },
        { headers: { ...headers, 'x-http-method-override': 'DELETE' } },
      ];
      for (let round = 0; round < 2; round++) {
        for (const sent of variants)
          for (const { status } of await everywhere(sent, 3)) assert.equal(status, 200, JSON.stringify(sent));
      }
      assert.deepEqual(stage.crossed, []);
      const asked = stage.auth.requests.length;
      assert.ok(asked >= variants.length && asked <= workers * variants.length, `${asked} questions`);
    });

    test('key too small: whatever separators stand in values, an identity comes with its own request', async () => {
      const text = fc.string({
        unit: fc.constantFrom('a', '1', ':', ',', ';', '=', ' ', '"', '\t', '\xff', '2:a', 'x-b', '|'),
        maxLength: 5,
      });
      const values = fc.array(text, { minLength: 1, maxLength: 3 });
      const sent = fc.record({
        authorization: text.map((tail) => `Bearer a${tail}`),
        'x-a': values,
        'x-b': values,
        cookie: text.map((tail) => `a${tail}`),
      });
      const property = fc.asyncProperty(sent, sent, text, async (one, other, tail) => {
        const target = `/${encodeURIComponent(Buffer.from(tail, 'latin1').toString('latin1'))}`;
        const crossed = { ...one, 'x-a': other['x-a'], 'x-b': other['x-b'] };
        const swapped = { ...one, 'x-a': one['x-b'], 'x-b': one['x-a'] };
        const all = [one, other, crossed, swapped, one].map((headers) => stage.send({ target, headers }));
        // A byte that one engine cannot tell is refused there.
        for (const { status } of await Promise.all(all)) assert.ok(status === 200 || status === 400);
        assert.deepEqual(stage.crossed, []);
      });
      await fc.assert(property, { numRuns: 60 });
    });

    test('vary and cache-control: the strictest word of the answer counts', async () => {
      const table: [keeps: boolean, headers: Record<string, string | string[]>][] = [
        [true, {}],
        [true, { 'cache-control': 'max-age=60' }],
        [true, { 'cache-control': 'public' }],
        [true, { vary: 'Authorization, Cookie, Accept-Encoding' }],
        [true, { vary: 'X-Whatever' }],
        [false, { vary: '*' }],
        [false, { vary: 'Authorization, *' }],
        [false, { vary: ['Authorization', '*'] }],
        [false, { 'cache-control': 'no-store' }],
        [false, { 'cache-control': 'No-Cache' }],
        [false, { 'cache-control': 'private' }],
        [false, { 'cache-control': 'max-age=0' }],
        [false, { 'cache-control': 'max-age="0"' }],
        [false, { 'cache-control': 'max-age=-1' }],
        [false, { 'cache-control': 'max-age' }],
        [false, { 'cache-control': 'max-age=60, s-maxage=0' }],
        [false, { 'cache-control': ['max-age=60', 'no-store'] }],
        [false, { 'cache-control': 'max-age=60', age: '61' }],
        [false, { 'cache-control': 'max-age=60', age: 'old' }],
        [false, { pragma: 'no-cache' }],
        [false, { expires: '-1' }],
        [false, { 'set-cookie': 'session=new' }],
      ];
      for (const [at, [keeps, headers]] of table.entries()) {
        stage.auth.answerWith((_, response) => void response.writeHead(200, headers).end());
        const before = stage.auth.requests.length;
        const sent = { headers: bearer(`row-${at}`) };
        for (let i = 0; i < 6; i++) assert.equal((await stage.send(sent)).status, 200);
        const asked = stage.auth.requests.length - before;
        assert.ok(keeps ? asked <= workers : asked === 6, `${JSON.stringify(headers)}: ${asked}`);
      }
    });

    test('token outlives itself: under load no request is let in once its token has ended', async () => {
      const exp = Date.now() / 1000 + 2.5;
      const token = jwt({ exp });
      stage.auth.answerWith((asked, response) => {
        const isOver = asked.headers.authorization === `Bearer ${token}` && Date.now() / 1000 >= exp;
        response.writeHead(isOver ? 401 : 200).end();
      });
      let late = 0;
      let refused = 0;
      const client = async (): Promise<void> => {
        while (Date.now() / 1000 < exp + 0.7) {
          const sentAt = Date.now() / 1000;
          const { status } = await stage.send({ headers: bearer(token) });
          if (sentAt > exp && status === 200) late++;
          if (status === 401) refused++;
        }
      };
      await Promise.all([client(), client(), client(), client()]);
      assert.equal(late, 0);
      assert.ok(refused > 0);
    });

    test('revocation: of 100 requests in flight none is admitted after the purge returned', async () => {
      const held: ServerResponse[] = [];
      stage.auth.answerWith((_, response) => void held.push(response));
      const all = Array.from({ length: 100 }, () => stage.send({ headers: bearer('stolen') }));
      await eventually('the questions', () => held.length >= 1);
      stage.revoked.add('Bearer stolen');
      assert.equal(await stage.purge({ by: 'token', token: 'stolen' }), 200);
      stage.auth.answerWith(answerQuestion(stage.revoked));
      for (const response of held) response.writeHead(200, { 'x-user-id': 'old' }).end();
      for (const { status } of await Promise.all(all)) assert.equal(status, 401);
      for (const { status } of await everywhere({ headers: bearer('stolen') })) assert.equal(status, 401);
      assert.equal(stage.origin.requests.length, 0);
    });

    test('revocation: a purge under load holds from the moment it returns', async () => {
      const sent = { headers: bearer('busy') };
      await everywhere(sent);
      let purgedAt = Number.POSITIVE_INFINITY;
      const ends = performance.now() + 1_500;
      let late = 0;
      const client = async (): Promise<void> => {
        while (performance.now() < ends) {
          const sentAt = performance.now();
          const { status } = await stage.send(sent);
          if (status === 200 && sentAt > purgedAt) late++;
        }
      };
      const clients = Array.from({ length: 8 }, client);
      await new Promise((resolve) => setTimeout(resolve, 300));
      stage.revoked.add('Bearer busy');
      assert.equal(await stage.purge({ by: 'token', token: 'busy' }), 200);
      purgedAt = performance.now();
      await Promise.all(clients);
      assert.equal(late, 0);
    });

    test('negative caching: a login right after a refusal succeeds, and trouble is never remembered', async () => {
      stage.revoked.add('Bearer new');
      for (const { status } of await everywhere({ headers: bearer('new') })) assert.equal(status, 401);
      stage.revoked.clear();
      for (const { status } of await everywhere({ headers: bearer('new') })) assert.equal(status, 200);
      for (const trouble of [500, 502, 503, 429, 302, 404]) {
        const sent = { target: '/negative', headers: bearer(`in-${trouble}`) };
        stage.auth.answerWith((_, response) => void response.writeHead(trouble).end());
        for (const { status } of await everywhere(sent, 4)) assert.equal(status, trouble);
        stage.auth.answerWith(answerQuestion(stage.revoked));
        for (const { status } of await everywhere(sent, 4)) assert.equal(status, 200);
      }
      // Who shows nothing is never remembered as refused; who shows a bad token is.
      const began = stage.auth.requests.length;
      for (let i = 0; i < 8; i++) assert.equal((await stage.send({ target: '/negative' })).status, 401);
      assert.equal(stage.auth.requests.length, began + 8);
      stage.revoked.add('Bearer bad');
      await everywhere({ target: '/negative', headers: bearer('bad') });
      const before = stage.auth.requests.length;
      await everywhere({ target: '/negative', headers: bearer('bad') });
      assert.equal(stage.auth.requests.length, before);
    });

    test('auth server down: what is kept serves to its end and not beyond, and the rest is shut', async () => {
      const sent = { target: '/short', headers: bearer('t') };
      for (const { status } of await everywhere(sent)) assert.equal(status, 200);
      stage.auth.answerWith((_, response) => void response.destroy());
      const began = performance.now();
      await eventually('all workers refuse', async () =>
        (await everywhere(sent)).every(({ status }) => status === 500),
      );
      assert.ok(performance.now() - began < 5_000);
      assert.equal((await stage.send({ target: '/short', headers: bearer('other') })).status, 500);
      stage.auth.answerWith(answerQuestion(stage.revoked));
      for (const { status } of await everywhere(sent)) assert.equal(status, 200);
    });

    test('absent is absent: what auth does not say deletes the client’s own, on miss and hit', async () => {
      stage.auth.answerWith((_, response) => void response.writeHead(200).end());
      const spellings = ['X-User-Id', 'x-user-id', 'X_User_Id', 'x-user_id', 'X.User.Id'];
      for (const name of spellings) {
        const sent = { headers: { ...bearer('t'), [name]: 'root' } };
        for (const { body } of await everywhere(sent, 4)) assert.equal(body, 'nobody');
      }
      // Names that are known by a pattern alone are the client's own on routes without this middleware.
      const roles = ['X-Role', 'x-role-of', 'X_Role', 'X.Role'];
      for (const name of roles)
        await everywhere({ target: '/pattern', headers: { ...bearer('t'), [name]: 'root' } }, 4);
      for (const { rawHeaders } of stage.origin.requests) assert.ok(!rawHeaders.includes('root'));
      assert.ok(stage.auth.requests.length <= workers * (spellings.length + roles.length));
    });

    test('one-shot answers: each of many at once gets a cookie of its own', async () => {
      let given = 0;
      stage.auth.answerWith((_, response) => {
        const number = ++given;
        setTimeout(() => response.writeHead(401, { 'set-cookie': `challenge=${number}` }).end(), 20);
      });
      const answers = await everywhere({ headers: bearer('t') }, 40);
      const cookies = new Set(answers.map(({ headers }) => String(headers['set-cookie'])));
      assert.equal(cookies.size, 40);
    });

    test('stampede: 200 cold requests at once ask once a worker, at expiry, too', async () => {
      stage.auth.answerWith((asked, response, body) => {
        setTimeout(() => void answerQuestion(stage.revoked)(asked, response, body), 150);
      });
      // Opening 200 connections takes its time; a question is open for as long as the answer takes.
      const sent = { target: '/short', headers: bearer('crowd') };
      for (let round = 1; round <= 2; round++) {
        const before = stage.auth.requests.length;
        for (const { status } of await everywhere(sent, 200)) assert.equal(status, 200);
        const asked = stage.auth.requests.length - before;
        assert.ok(asked <= workers * 2, `${asked} questions in round ${round}`);
        await new Promise((resolve) => setTimeout(resolve, 900));
      }
      assert.deepEqual(stage.crossed, []);
    });

    test('stampede: those who leave cancel nobody, and the failure of the first denies only the first', async () => {
      const held: ServerResponse[] = [];
      stage.auth.answerWith((_, response) => void held.push(response));
      const leaving = new AbortController();
      const gone = Array.from({ length: 10 }, () =>
        stage.send({ headers: bearer('t'), signal: leaving.signal }).catch(() => null),
      );
      await eventually('the questions', () => held.length >= 1);
      const staying = Array.from({ length: 20 }, () => stage.send({ headers: bearer('t') }));
      await eventually('all wait', async () => (await sumOf(stage, connected)) === 30);
      leaving.abort();
      await Promise.all(gone);
      await eventually('the gateway knows', async () => (await sumOf(stage, connected)) === 20);
      stage.auth.answerWith(answerQuestion(stage.revoked));
      for (const response of held) response.destroy();
      const statuses = (await Promise.all(staying)).map(({ status }) => status);
      // Who asked may have been one that stayed: at most one a worker.
      assert.ok(statuses.filter((status) => status !== 200).length <= workers, statuses.join(' '));
    });

    test('memory: random tokens and refusals do not push out who is there all the time', async () => {
      const hot = Array.from({ length: 20 }, (_, at) => ({ target: '/small', headers: bearer(`hot-${at}`) }));
      const askHot = () => Promise.all(hot.map((sent) => stage.send(sent)));
      // Until both workers know them all.
      for (let quiet = 0, rounds = 0; quiet < 6 && rounds < 100; rounds++) {
        const before = stage.auth.requests.length;
        await askHot();
        quiet = stage.auth.requests.length === before ? quiet + 1 : 0;
      }
      let stolen = 0;
      let sentHot = 0;
      for (let round = 0; round < 6; round++) {
        const random = Array.from(
          { length: 300 },
          (_, at) => `${round % 3 === 0 ? 'no' : 'random'}-${round}-${at}`,
        );
        for (const token of random) if (token.startsWith('no')) stage.revoked.add(`Bearer ${token}`);
        await Promise.all(random.map((token) => stage.send({ target: '/small', headers: bearer(token) })));
        const before = stage.auth.requests.length;
        await askHot();
        sentHot += hot.length;
        stolen += stage.auth.requests.length - before;
      }
      assert.ok(1 - stolen / sentHot >= 0.99, `${stolen} of ${sentHot} asked again`);
    });

    test('reload: from the moment a changed middleware runs, nothing the old one was told is found', async () => {
      const refusing = configuration(`${stage.auth.url}/strict`, stage.origin.url);
      const lenient = configuration(stage.auth.url, stage.origin.url);
      stage.auth.answerWith((asked, response, body) => {
        if (asked.url?.startsWith('/strict') === true) response.writeHead(403).end();
        else void answerQuestion(stage.revoked)(asked, response, body);
      });
      let isOn = true;
      const odd: number[] = [];
      const client = async (): Promise<void> => {
        while (isOn) {
          const { status } = await stage.send({ headers: bearer('t') });
          if (status !== 200 && status !== 403) odd.push(status);
        }
      };
      const clients = Array.from({ length: 6 }, client);
      for (let flip = 0; flip < 4; flip++) {
        await stage.gateway.writeDynamic(refusing);
        for (const { status } of await everywhere({ headers: bearer('t') })) assert.equal(status, 403);
        await stage.gateway.writeDynamic(lenient);
        for (const { status } of await everywhere({ headers: bearer('t') })) assert.equal(status, 200);
      }
      isOn = false;
      await Promise.all(clients);
      assert.deepEqual(odd, []);
      assert.deepEqual(stage.crossed, []);
    });

    test('body: what was asked with a body is asked each time, and is no answer to anything else', async () => {
      stage.auth.answerWith((asked, response, body) => {
        if (body === 'evil') response.writeHead(403).end();
        else void answerQuestion(stage.revoked)(asked, response, body);
      });
      const post = (body: string) => ({ method: 'POST', target: '/body', headers: bearer('t'), body });
      for (const { status } of await everywhere(post('good'), 5)) assert.equal(status, 200);
      assert.equal(stage.auth.requests.length, 5);
      for (const { status } of await everywhere({ ...post(''), body: '' }, 5)) assert.equal(status, 200);
      const before = stage.auth.requests.length;
      for (const { status } of await everywhere(post('evil'), 5)) assert.equal(status, 403);
      assert.equal(stage.auth.requests.length, before + 5);
    });

    test('handshakes: a kept decision opens tunnels until it is purged', async () => {
      const headers = {
        ...bearer('t'),
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      };
      for (const { body } of await everywhere({ headers })) assert.notEqual(body, 'nobody');
      assert.ok(stage.auth.requests.length <= workers);
      stage.revoked.add('Bearer t');
      assert.equal(await stage.purge({ by: 'token', token: 't' }), 200);
      const reached = stage.origin.requests.length;
      for (const { status } of await everywhere({ headers })) assert.equal(status, 401);
      assert.equal(stage.origin.requests.length, reached);
      assert.deepEqual(stage.crossed, []);
    });
  });
}

/** Of all series whose name and labels match; those of both workers together. */
async function sumOf(stage: AuthStage, series: RegExp): Promise<number> {
  const text = await (await fetch(`${stage.gateway.url('traefik')}/metrics`)).text();
  const lines = text.split('\n').filter((line) => series.test(line));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}
