// basicAuth, digestAuth and jwt on the wire, through a real worker.

import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { hashSync } from 'bcryptjs';
import { createSigner } from 'fast-jwt';
import { type Answer, ask } from '../support/ask.ts';
import { eventually, startGateway, type TestGateway } from '../support/gateway.ts';
import { type Origin, startOrigin } from '../support/origin.ts';

const md5 = (text: string): string => createHash('md5').update(text).digest('hex');
const sha = (text: string): string => `{SHA}${createHash('sha1').update(text).digest('base64')}`;
const basic = (pair: string): string => `Basic ${Buffer.from(pair).toString('base64')}`;
const apr1 = '$apr1$abcdefgh$h9FWgUz3n9YxylKLlR5SQ/';
const secret = 'an old secret that is long enough for anybody';

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const pemOf = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }) as string;
const privateOf = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }) as string;
const inAnHour = (): number => Math.floor(Date.now() / 1000) + 3600;
const hs = createSigner({ key: secret, algorithm: 'HS256' });

describe('authentication on the wire', () => {
  let origin: Origin;
  let keyServer: Origin;
  let gateway: TestGateway;
  let folder: string;
  let jwks: object = { keys: [] };

  const middlewaresIn = (users: string): Record<string, object> => ({
    basic: {
      basicAuth: {
        users: [`ann:${hashSync('bcrypt-secret', 4)}`, `bob:${apr1}`, `cid:${sha('sha-secret')}`],
        headerField: 'X-User',
      },
    },
    gone: { basicAuth: { users: [`cid:${sha('sha-secret')}`], removeHeader: true, realm: 'a "realm"' } },
    slow: { basicAuth: { users: [`dan:${hashSync('x', 12)}`] } },
    file: { basicAuth: { usersFile: users } },
    nofile: { basicAuth: { usersFile: `${users}.missing` } },
    plain: { basicAuth: { users: ['ann:in-the-clear'] } },
    doubled: { basicAuth: { users: [`ann:${apr1.replaceAll('$', '$$$$')}`] } },
    nobody: { basicAuth: { users: [] } },
    digest: { digestAuth: { users: [`ann:traefik:${md5('ann:traefik:secret')}`], headerField: 'X-User' } },
    secret: {
      jwt: {
        secret,
        audience: 'us',
        issuer: ['them'],
        scopes: ['read'],
        claimsToHeaders: { sub: 'X-Sub', 'realm.roles': 'X-Roles' },
        cookie: 'token',
        removeHeader: true,
      },
    },
    pem: { jwt: { publicKey: pemOf(rsa.publicKey) } },
    jwks: { jwt: { jwksUrl: `${keyServer.url}/keys` } },
    nokeys: { jwt: { jwksUrl: 'http://127.0.0.1:1/keys' } },
    badkey: { jwt: { publicKey: '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n' } },
    twokeys: { jwt: { secret, publicKey: pemOf(rsa.publicKey) } },
  });

  before(async () => {
    origin = await startOrigin({ name: 'in' });
    keyServer = await startOrigin({
      answer: (_request, response) => void response.end(JSON.stringify(jwks)),
    });
    folder = mkdtempSync(join(tmpdir(), 'portcullis-users-'));
    const usersFile = join(folder, 'users');
    writeFileSync(usersFile, `# users\n\nfay:${sha('one')}\n`);
    const middlewares = middlewaresIn(usersFile);
    const routers = Object.fromEntries(
      Object.keys(middlewares).map((name) => [
        name,
        { rule: `Host(\`${name}.test\`)`, service: 'origin', middlewares: [name], entryPoints: ['web'] },
      ]),
    );
    const open = { rule: 'Host(`open.test`)', service: 'origin', entryPoints: ['web'] };
    const services = { origin: { loadBalancer: { servers: [{ url: origin.url }] } } };
    gateway = await startGateway({
      dynamic: { http: { routers: { ...routers, open }, middlewares, services } },
    });
  });
  beforeEach(() => void (origin.requests.length = 0));
  after(async () => {
    await gateway?.stop();
    await origin?.stop();
    await keyServer?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const get = (
    name: string,
    headers: Record<string, string | string[]> = {},
    target = '/',
  ): Promise<Answer> => ask(gateway.port('web'), { host: `${name}.test`, headers, target });
  const bearer = (name: string, token: string): Promise<Answer> =>
    get(name, { authorization: `Bearer ${token}` });
  const seen = (name: string): unknown => origin.requests.at(-1)?.headers[name];
  const challengeOf = (answer: Answer): string =>
    answer.headers.find((line) => line.startsWith('www-authenticate: ')) ?? '';

  test('basicAuth asks for a name and a password', async () => {
    assert.deepEqual(await get('basic'), {
      status: 401,
      headers: ['content-length: 17', 'content-type: text/plain', 'www-authenticate: Basic realm="traefik"'],
      body: '401 Unauthorized\n',
    });
    assert.equal(challengeOf(await get('gone')), 'www-authenticate: Basic realm="a \\"realm\\""');
    assert.equal(origin.requests.length, 0);
  });

  for (const pair of ['ann:bcrypt-secret', 'bob:secret', 'cid:sha-secret']) {
    test(`basicAuth lets ${pair} in, twice, and tells the server who it is`, async () => {
      for (const _ of [1, 2]) {
        const answer = await get('basic', { authorization: basic(pair), 'x-user': 'eve', x_user: 'eve' });
        assert.equal(answer.status, 200);
        assert.equal(seen('x-user'), pair.slice(0, 3));
        assert.equal(seen('x_user'), undefined);
        assert.equal(seen('authorization'), basic(pair));
      }
    });
  }

  for (const value of [
    basic('ann:wrong'),
    basic('eve:bcrypt-secret'),
    basic('ann:'),
    basic('ann'),
    basic(''),
    'Basic !!!!',
    'Bearer x',
    `${basic('ann:bcrypt-secret')}=`,
  ]) {
    test(`basicAuth keeps ${JSON.stringify(value)} out`, async () => {
      assert.equal((await get('basic', { authorization: value })).status, 401);
      assert.equal(origin.requests.length, 0);
    });
  }

  test('basicAuth keeps two Authorization headers out', async () => {
    const authorization = [basic('cid:sha-secret'), basic('ann:other')];
    assert.equal((await get('basic', { authorization })).status, 401);
  });

  test('basicAuth removes the header when told to', async () => {
    assert.equal((await get('gone', { authorization: basic('cid:sha-secret') })).status, 200);
    assert.equal(seen('authorization'), undefined);
  });

  test('no client sends the header of an auth middleware, on no route', async () => {
    for (const name of ['x-user', 'X_User', 'x-sub', 'x.roles']) {
      assert.equal((await get('open', { [name]: 'eve' })).status, 200);
      assert.equal(seen(name.toLowerCase()), undefined, name);
    }
  });

  test('a changed users file is in force without a reload, a broken one changes nothing', async () => {
    const path = join(folder, 'users');
    const put = (text: string): void => {
      writeFileSync(`${path}.new`, text);
      renameSync(`${path}.new`, path);
    };
    const status = async (pair: string): Promise<number> =>
      (await get('file', { authorization: basic(pair) })).status;
    assert.equal(await status('fay:one'), 200);
    put(`fay:${sha('two')}\n`);
    await eventually('the new password', async () => (await status('fay:two')) === 200);
    assert.equal(await status('fay:one'), 401);
    put('fay:in-the-clear\n');
    await gateway.waitForLog(/last good content of the file stays/);
    assert.equal(await status('fay:two'), 200);
    assert.doesNotMatch(gateway.logs(), /in-the-clear/);
  });

  for (const name of ['nofile', 'plain', 'doubled', 'nobody', 'badkey', 'twokeys']) {
    test(`the broken middleware of ${name}.test closes its router alone`, async () => {
      assert.equal((await get(name, { authorization: basic('ann:in-the-clear') })).status, 503);
      assert.equal(origin.requests.length, 0);
    });
  }

  test('what is wrong with users is told by name and without the hash', async () => {
    const { diagnostics } = await gateway.status();
    const said = diagnostics.map(({ message }) => message).join('\n');
    assert.match(said, /hash of bcrypt, apr1 or \{SHA\} for the user "ann"/);
    assert.match(said, /each dollar sign stands twice/);
    assert.doesNotMatch(said + gateway.logs(), /in-the-clear|h9FWgUz3n9YxylKLlR5SQ/);
  });

  test('logins that are being checked hold no other request up', async () => {
    let isOver = false;
    const logins = Promise.all(
      [1, 2, 3].map((at) => get('slow', { authorization: basic(`dan:${at}`) })),
    ).finally(() => {
      isOver = true;
    });
    let others = 0;
    while (!isOver) {
      assert.equal((await get('open')).status, 200);
      others += 1;
    }
    assert.deepEqual(
      (await logins).map(({ status }) => status),
      [401, 401, 401],
    );
    // On the worker's own thread there would be none between two checks.
    assert.ok(others >= 10, `${others} requests were answered meanwhile`);
  });

  interface Digest {
    readonly user?: string;
    readonly password?: string;
    readonly uri?: string;
    readonly nc?: string;
    readonly cut?: RegExp;
    readonly with?: string;
  }

  const digestFor = (challenge: string, digest: Digest = {}): string => {
    const { user = 'ann', password = 'secret', uri = '/a?b=1', nc = '00000001' } = digest;
    const part = (name: string): string => new RegExp(`${name}="([^"]*)"`).exec(challenge)?.[1] ?? '';
    const [realm, nonce] = [part('realm'), part('nonce')];
    const response = md5(
      `${md5(`${user}:${realm}:${password}`)}:${nonce}:${nc}:cnonce:auth:${md5(`GET:${uri}`)}`,
    );
    return [
      `Digest username="${user}"`,
      `realm="${realm}"`,
      `nonce="${nonce}"`,
      `uri="${uri}"`,
      'qop=auth',
      `nc=${nc}`,
      'cnonce="cnonce"',
      `response="${response}"`,
      `opaque="${part('opaque')}"`,
      'algorithm=MD5',
    ].join(', ');
  };

  test('digestAuth lets a user in with an answer to its challenge, and each count once', async () => {
    const first = await get('digest');
    assert.equal(first.status, 401);
    assert.equal(first.body, '401 Unauthorized\n');
    const challenge = challengeOf(first);
    assert.match(
      challenge,
      /^www-authenticate: Digest realm="traefik", nonce="[^"]+", opaque="[0-9a-f]{32}", algorithm=MD5, qop="auth"$/,
    );
    const authorization = digestFor(challenge);
    assert.equal((await get('digest', { authorization, 'x-user': 'eve' }, '/a?b=1')).status, 200);
    assert.equal(seen('x-user'), 'ann');
    const again = await get('digest', { authorization }, '/a?b=1');
    assert.equal(again.status, 401);
    assert.match(challengeOf(again), /, stale=true$/);
    for (const nc of ['00000003', '00000002']) {
      const next = await get('digest', { authorization: digestFor(challenge, { nc }) }, '/a?b=1');
      assert.equal(next.status, 200, nc);
    }
  });

  test('digestAuth keeps out what is wrong in any part', async () => {
    const challenge = challengeOf(await get('digest'));
    const foreign = challenge.replace(/nonce="[^"]+"/, 'nonce="made-up"');
    const wrong: readonly [string, string, boolean][] = [
      [digestFor(challenge, { password: 'other' }), '/a?b=1', false],
      [digestFor(challenge, { user: 'eve' }), '/a?b=1', false],
      [digestFor(challenge), '/other', false],
      [digestFor(challenge).replace('qop=auth, ', ''), '/a?b=1', false],
      [digestFor(challenge).replace('MD5', 'SHA-256'), '/a?b=1', false],
      [`${digestFor(challenge)}, nc=00000009`, '/a?b=1', false],
      [digestFor(foreign), '/a?b=1', true],
    ];
    for (const [authorization, target, isStale] of wrong) {
      const answer = await get('digest', { authorization }, target);
      assert.equal(answer.status, 401, authorization);
      assert.equal(challengeOf(answer).endsWith('stale=true'), isStale, authorization);
    }
    assert.equal(origin.requests.length, 0);
  });

  const good = { sub: 'ann', aud: ['us', 'other'], iss: 'them', scope: 'write read', exp: inAnHour() };

  test('jwt lets a token in and tells the server what it says', async () => {
    const token = hs({ ...good, realm: { roles: ['a', 'b'] } });
    for (const _ of [1, 2]) {
      const answer = await get('secret', { authorization: `Bearer ${token}`, 'x-sub': 'eve', x_sub: 'eve' });
      assert.equal(answer.status, 200);
      assert.deepEqual([seen('x-sub'), seen('x-roles'), seen('x_sub')], ['ann', 'a,b', undefined]);
      assert.equal(seen('authorization'), undefined);
    }
    assert.equal((await get('secret', { cookie: `a=b; token=${token}` })).status, 200);
    assert.equal((await get('secret', {}, `/?access_token=${token}`)).status, 401);
    assert.ok(!gateway.logs().includes(token));
  });

  test('jwt answers as RFC 6750 says', async () => {
    const none = await get('secret');
    assert.deepEqual([none.status, challengeOf(none)], [401, 'www-authenticate: Bearer realm="traefik"']);
    const bad = await bearer('secret', 'a.b.c');
    assert.deepEqual(
      [bad.status, challengeOf(bad), bad.body],
      [401, 'www-authenticate: Bearer realm="traefik", error="invalid_token"', '401 Unauthorized\n'],
    );
    const scope = await bearer('secret', hs({ ...good, scope: 'write' }));
    assert.deepEqual(
      [scope.status, challengeOf(scope)],
      [403, 'www-authenticate: Bearer realm="traefik", error="insufficient_scope", scope="read"'],
    );
    const two = await get('secret', { authorization: [`Bearer ${hs(good)}`, 'Bearer x'] });
    assert.equal(two.status, 400);
    assert.equal(origin.requests.length, 0);
  });

  const { aud: _aud, ...forNobody } = good;
  const { iss: _iss, ...fromNobody } = good;
  const { exp: _exp, ...forEver } = good;
  const rejected: readonly [string, () => string][] = [
    ['is expired', () => hs({ ...good, exp: inAnHour() - 7200 })],
    ['is not valid yet', () => hs({ ...good, nbf: inAnHour() })],
    ['is for another audience', () => hs({ ...good, aud: 'them' })],
    ['is for nobody', () => hs(forNobody)],
    ['is from someone else', () => hs({ ...good, iss: 'other' })],
    ['is from nobody', () => hs(fromNobody)],
    ['never expires', () => hs(forEver)],
    ['is signed with another secret', () => createSigner({ key: `${secret}!`, algorithm: 'HS256' })(good)],
    ['has a line break in a claim', () => hs({ ...good, sub: 'ann\r\nx-admin: 1' })],
    ['has a list that reads as another one', () => hs({ ...good, realm: { roles: ['a,admin'] } })],
    [
      'is not signed',
      () => {
        const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
        return `${part({ alg: 'none', typ: 'JWT' })}.${part(good)}.`;
      },
    ],
    [
      'is changed',
      () => {
        const [head, , signature] = hs(good).split('.');
        const body = Buffer.from(JSON.stringify({ ...good, sub: 'admin' })).toString('base64url');
        return `${head}.${body}.${signature}`;
      },
    ],
  ];
  for (const [what, make] of rejected) {
    test(`jwt refuses a token that ${what}`, async () => {
      const answer = await bearer('secret', make());
      assert.ok(answer.status === 401 || answer.status === 400, String(answer.status));
      assert.equal(origin.requests.length, 0);
    });
  }

  test('jwt verifies with a public key, and never takes that key for a secret', async () => {
    const signed = createSigner({ key: privateOf(rsa.privateKey), algorithm: 'RS256' })({ exp: inAnHour() });
    assert.equal((await bearer('pem', signed)).status, 200);
    const head = Buffer.from('{"alg":"HS256","typ":"JWT"}').toString('base64url');
    const body = Buffer.from(JSON.stringify({ exp: inAnHour() })).toString('base64url');
    const { createHmac } = await import('node:crypto');
    const forged = createHmac('sha256', pemOf(rsa.publicKey)).update(`${head}.${body}`).digest('base64url');
    assert.equal((await bearer('pem', `${head}.${body}.${forged}`)).status, 401);
  });

  test('jwt fetches keys once for many requests, and again for a key it does not know', async () => {
    jwks = { keys: [{ ...rsa.publicKey.export({ format: 'jwk' }), kid: 'one', use: 'sig' }] };
    const sign = (kid: string, key: KeyObject, algorithm: 'RS256' | 'ES256'): string =>
      createSigner({ key: privateOf(key), algorithm, kid })({ sub: kid, exp: inAnHour() });
    const token = sign('one', rsa.privateKey, 'RS256');
    const answers = await Promise.all(Array.from({ length: 20 }, () => bearer('jwks', token)));
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
    assert.equal(keyServer.requests.length, 1);
    assert.equal(keyServer.requests[0]?.target, '/keys');
    for (let i = 0; i < 20; i++) {
      assert.equal((await bearer('jwks', sign(`made-up-${i}`, ec.privateKey, 'ES256'))).status, 401);
    }
    assert.ok(keyServer.requests.length <= 2, `asked ${keyServer.requests.length} times`);
  });

  test('jwt answers 503 while nobody knows the keys', async () => {
    const token = createSigner({ key: privateOf(rsa.privateKey), algorithm: 'RS256', kid: 'one' })({});
    const answer = await bearer('nokeys', token);
    assert.equal(answer.status, 503);
    assert.equal(origin.requests.length, 0);
  });
});
