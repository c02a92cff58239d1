// jwt: options, claims, and keys that change.

import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { createSigner } from 'fast-jwt';
import { GatewayError } from '../../../../src/proxy/errors.ts';
import { TokenCheck } from '../../../../src/proxy/middlewares/jwt/check.ts';
import { staticKey } from '../../../../src/proxy/middlewares/jwt/key-source.ts';
import { type JwtOptions, jwtSchema } from '../../../../src/proxy/middlewares/jwt/options.ts';
import { RemoteKeys } from '../../../../src/proxy/middlewares/jwt/remote-keys.ts';
import { jwt } from '../../../../src/proxy/middlewares/jwt.ts';
import { readToken } from '../../../../src/proxy/middlewares/jwt/token.ts';
import type { AuthClient } from '../../../../src/proxy/upstream/auth-client.ts';
import { build } from './workbench.ts';

const secret = 'a secret of thirty-two bytes, or more';
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ed = generateKeyPairSync('ed25519');
const publicKey = rsa.publicKey.export({ type: 'spki', format: 'pem' }) as string;
const exp = (): number => Math.floor(Date.now() / 1000) + 600;

const refused: readonly [object, RegExp][] = [
  [{}, /exactly one of/],
  [{ secret, publicKey }, /exactly one of/],
  [{ secret: 'short' }, /at least 32 bytes/],
  [{ secret, algorithms: 'none' }, /expected algorithms of/],
  [{ secret, algorithms: 'RS256' }, /algorithms for a secret, RS256 is none/],
  [{ publicKey, algorithms: ['HS256'] }, /algorithms for a public key, HS256 is none/],
  [{ publicKey, algorithms: ['ES256'] }, /fits none of the algorithms/],
  [{ publicKey: 'x' }, /expected a PEM text/],
  [{ publicKey: rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }) }, /this is a private key/],
  [{ jwksUrl: 'ftp://x/y' }, /http or https URL/],
  [{ secret, clockTolerance: '1h' }, /0s to 5m/],
  [{ secret, scopes: ['a"b'] }, /scopes of RFC 6749/],
  [{ secret, claimsToHeaders: { sub: 'a b' } }, /not a header name/],
  [{ secretFile: '/nowhere' }, /was not read/],
];
for (const [options, message] of refused) {
  test(`jwt refuses the options ${JSON.stringify(Object.keys(options))} with ${message.source}`, () => {
    assert.throws(
      () => build('jwt', options),
      (error: Error) => {
        assert.match(error.message, message);
        assert.ok(!error.message.includes(secret));
        return true;
      },
    );
  });
}

const optionsOf = (written: object): JwtOptions => jwtSchema.parse(written);

function judge(written: object, claims: Record<string, unknown>, fields: [string, string][] = []) {
  const options = optionsOf({ secret, ...written });
  const check = new TokenCheck(options, fields, staticKey(options), 'f00d');
  return check.of(createSigner({ key: secret, algorithm: 'HS256', noTimestamp: true })(claims));
}

test('a secret in a file is held to what is asked of one that is written', () => {
  const read = (text: string): JwtOptions =>
    jwt.withFiles?.(optionsOf({ secretFile: '/run/secrets/jwt' }), () => text) as JwtOptions;
  for (const text of ['', '\n', 'short', `${'a'.repeat(31)}\n`, publicKey, `${publicKey}\n${secret}`])
    assert.throws(() => read(text), /^Error: secretFile: /, text);
  assert.throws(
    () => read('hunter2'),
    (error: Error) => !error.message.includes('hunter2'),
  );
  assert.equal(read(`${secret}\n`).secret, secret);
  for (const text of [publicKey, 'x'.repeat(31)])
    assert.throws(() => optionsOf({ secret: text }), /expected a secret/);
});

test('a name that ends in a byte that is a blank elsewhere is a name', () => {
  for (const name of ['Nicol\u00e0', '\u0420\u0418\u0413\u041e\u0420']) {
    const outcome = judge({}, { exp: exp(), sub: name }, [['sub', 'x-user']]);
    assert.ok(typeof outcome === 'object' && 'headers' in outcome, name);
    assert.deepEqual(outcome.headers, ['x-user', Buffer.from(name).toString('latin1')]);
  }
  for (const name of [' bob', 'bob ', 'bob\u00a0', '\u3000bob', 'bob\t'])
    assert.equal(
      judge({}, { exp: exp(), sub: name }, [['sub', 'x-user']]),
      'invalid_token',
      JSON.stringify(name),
    );
});

test('time is kept within the tolerance', () => {
  const now = Math.floor(Date.now() / 1000);
  assert.equal(typeof judge({}, { exp: now - 3 }), 'object');
  assert.equal(judge({}, { exp: now - 7 }), 'invalid_token');
  assert.equal(judge({ clockTolerance: 0 }, { exp: now - 1 }), 'invalid_token');
  assert.equal(typeof judge({}, { exp: exp(), nbf: now + 3 }), 'object');
  assert.equal(judge({}, { exp: exp(), nbf: now + 7 }), 'invalid_token');
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const input = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ exp: '9999999999' })}`;
  const options = optionsOf({ secret });
  const check = new TokenCheck(options, [], staticKey(options), 'f00d');
  const signature = createHmac('sha256', secret).update(input).digest('base64url');
  assert.equal(check.of(`${input}.${signature}`), 'invalid_token');
  assert.equal(judge({}, {}), 'invalid_token');
  assert.equal(typeof judge({ requiredClaims: [] }, { a: 1 }), 'object');
  assert.equal(judge({ requiredClaims: ['toString'] }, { exp: exp() }), 'invalid_token');
});

test('claims become headers', () => {
  const fields: [string, string][] = [
    ['sub', 'x-sub'],
    ['a.b', 'x-path'],
    ['c.d', 'x-dotted'],
    ['n', 'x-number'],
    ['list', 'x-list'],
    ['object', 'x-object'],
    ['missing.far', 'x-missing'],
  ];
  const claims = { exp: exp(), sub: 'änn', a: { b: true }, 'c.d': 'e', n: 5, list: ['x', 1], object: {} };
  const outcome = judge({}, claims, fields);
  assert.ok(typeof outcome === 'object' && 'headers' in outcome);
  assert.deepEqual(outcome.headers, [
    'x-sub',
    '\xc3\xa4nn',
    'x-path',
    'true',
    'x-dotted',
    'e',
    'x-number',
    '5',
    'x-list',
    'x,1',
  ]);
  assert.equal(outcome.username, 'änn');
  assert.equal(judge({}, { ...claims, sub: ' ann' }, fields), 'invalid_token');
  assert.equal(judge({}, { ...claims, sub: 'a'.repeat(9_000) }, fields), 'invalid_token');
});

test('a remembered token is still believed no longer than it lives', (context) => {
  context.mock.timers.enable({ apis: ['Date'], now: 1_000_000_000_000 });
  const options = optionsOf({ secret });
  const check = new TokenCheck(options, [], staticKey(options), 'f00d');
  const token = createSigner({ key: secret, algorithm: 'HS256' })({ exp: 1_000_000_010 });
  assert.equal(typeof check.of(token), 'object');
  context.mock.timers.tick(14_000);
  assert.equal(typeof check.of(token), 'object');
  context.mock.timers.tick(1_000);
  assert.equal(check.of(token), 'invalid_token');
});

test('the token is in one Authorization header or one cookie', () => {
  const bearer = (value: string): string[] => ['authorization', value];
  assert.equal(readToken(bearer('Bearer a.b.c'), ''), 'a.b.c');
  assert.equal(readToken(bearer('bearer   a.b.c '), ''), 'a.b.c');
  assert.equal(readToken(bearer('Basic a.b.c'), ''), null);
  assert.equal(readToken(bearer('Bearer'), ''), 'invalid');
  assert.equal(readToken(bearer('Bearer a.b'), ''), 'invalid');
  assert.equal(readToken(bearer(`Bearer a.b.${'c'.repeat(20_000)}`), ''), 'invalid');
  assert.equal(readToken(['cookie', 'x=1; t=a.b.c'], 't'), 'a.b.c');
  assert.equal(readToken(['cookie', 't=a.b.c', 'cookie', 't=d.e.f'], 't'), 'invalid');
  assert.equal(readToken(['cookie', 't=a.b.c'], ''), null);
});

interface Answering {
  readonly client: AuthClient;
  asked: number;
  body: unknown;
}

function answering(): Answering {
  const server: Answering = {
    asked: 0,
    body: null,
    client: {
      ask(_call, listener) {
        server.asked += 1;
        const body = Buffer.from(JSON.stringify(server.body));
        queueMicrotask(() =>
          listener.onAnswer(
            server.body === null
              ? new GatewayError('auth.unreachable')
              : { status: 200, headers: [], body, tooLarge: false },
          ),
        );
        return { cancel() {} };
      },
    },
  };
  return server;
}

const jwk = (key: typeof rsa.publicKey, kid: string, more: object = {}): object => ({
  ...key.export({ format: 'jwk' }),
  kid,
  ...more,
});

test('keys are found by id and algorithm, what cannot verify is left out', async () => {
  const server = answering();
  server.body = {
    keys: [
      jwk(rsa.publicKey, 'rsa', { alg: 'RS256' }),
      jwk(ec.publicKey, 'ec'),
      jwk(ed.publicKey, 'ed'),
      jwk(rsa.publicKey, 'for-encryption', { use: 'enc' }),
      { kty: 'oct', kid: 'oct', k: Buffer.from(secret).toString('base64url') },
      { kty: 'RSA', kid: 'broken' },
      null,
    ],
  };
  const keys = new RemoteKeys(server.client, []);
  assert.equal(typeof (await keys.find('rsa', 'RS256')), 'function');
  for (const [kid, algorithm, found] of [
    ['rsa', 'RS512', false],
    ['rsa', 'HS256', false],
    ['ec', 'ES256', true],
    ['ec', 'ES384', false],
    ['ed', 'EdDSA', true],
    ['for-encryption', 'RS256', false],
    ['oct', 'HS256', false],
    ['broken', 'RS256', false],
    [null, 'ES256', true],
    [null, 'PS256', false],
  ] as const) {
    assert.equal(typeof (await keys.find(kid, algorithm)) === 'function', found, `${kid} ${algorithm}`);
  }
  // All that was missing within the cool-down asked nobody.
  assert.equal(server.asked, 1);
});

test('keys that cannot be had are asked for again after a while, not by every request', async (context) => {
  const server = answering();
  const keys = new RemoteKeys(server.client, []);
  let now = 1_000_000;
  context.mock.method(performance, 'now', () => now);
  assert.deepEqual(await Promise.all([keys.find('a', 'RS256'), keys.find('b', 'RS256')]), [
    'no_keys',
    'no_keys',
  ]);
  assert.equal(await keys.find('a', 'RS256'), 'no_keys');
  assert.equal(server.asked, 1);
  now += 2_001;
  server.body = { keys: [jwk(rsa.publicKey, 'a')] };
  assert.equal(typeof (await keys.find('a', 'RS256')), 'function');
  assert.equal(server.asked, 2);
  // Fresh ones are renewed beside the requests, and survive an address that does not answer.
  server.body = null;
  now += 601_000;
  assert.equal(typeof keys.find('a', 'RS256'), 'function');
  assert.equal(server.asked, 3);
  now += 3_000_000;
  assert.equal(await keys.find('a', 'RS256'), 'no_keys');
});

test('a key taken away ends what it has verified', async (context) => {
  const server = answering();
  let now = 1_000_000;
  context.mock.method(performance, 'now', () => now);
  server.body = { keys: [jwk(rsa.publicKey, 'a')] };
  const keys = new RemoteKeys(server.client, []);
  const check = new TokenCheck(optionsOf({ jwksUrl: 'http://x/y' }), [], keys, 'f00d');
  const key = rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  const token = createSigner({ key, algorithm: 'RS256', kid: 'a' })({ exp: exp() });
  assert.equal(typeof (await check.of(token)), 'object');
  now += 601_000;
  server.body = { keys: [jwk(ec.publicKey, 'b')] };
  await check.of(createSigner({ key, algorithm: 'RS256', kid: 'unknown' })({ exp: exp() }));
  assert.equal(await check.of(token), 'invalid_token');
});
