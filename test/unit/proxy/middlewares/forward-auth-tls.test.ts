// forwardAuth.tls as workers get it: what is taken, what is refused, and what is never said.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { forwardAuth } from '../../../../src/proxy/middlewares/forward-auth.ts';
import { openBench } from '../../../support/forward-auth.ts';
import { makeAuthority } from '../../../support/pki.ts';

const authority = makeAuthority();
after(() => authority.close());
const one = authority.issue(['one'], { client: true, subject: '/CN=one and only' });
const two = authority.issue(['two'], { client: true });

const files: Readonly<Record<string, string>> = {
  '/tls/ca.crt': authority.root,
  '/tls/cert': one.cert,
  'own.key': one.key,
  '/tls/empty': '',
  '/tls/half': '-----BEGIN CERTIFICATE-----\nMIIB',
};

function readFile(path: string): string {
  const text = files[path];
  if (text === undefined) throw new Error(`the file ${path} doesn't exist`);
  return text;
}

function optionsOf(tls: object): ReturnType<typeof forwardAuth.schema.parse> {
  return forwardAuth.schema.parse({ address: 'https://auth.test/', tls });
}

function fill(tls: object) {
  return forwardAuth.withFiles?.(optionsOf(tls), readFile).tls;
}

test('files and texts become texts, and what was left out stays so', () => {
  const filled = fill({ ca: '/tls/ca.crt', cert: '/tls/cert', key: 'own.key' });
  assert.equal(filled?.ca, authority.root);
  assert.equal(filled?.cert, one.cert);
  assert.equal(filled?.key, one.key);
  assert.deepEqual(fill({ ca: authority.root, cert: two.cert, key: two.key })?.key, two.key);
  assert.equal(fill({ insecureSkipVerify: true })?.ca, undefined);
  assert.equal(fill({ ca: '' })?.ca, '');
  const plain = forwardAuth.schema.parse({ address: 'https://auth.test/' });
  assert.equal(forwardAuth.withFiles?.(plain, readFile), plain);
});

test('what no connection can be made with is refused, and its place is told', () => {
  const cases: readonly (readonly [object, RegExp])[] = [
    [{ ca: '/tls/none' }, /\/tls\/none doesn't exist/],
    [{ ca: '/tls/empty' }, /^Error: tls\.ca: \/tls\/empty: the file holds no PEM text/],
    [{ ca: '/tls/half' }, /^Error: tls\.ca: \/tls\/half: there are no certificates that can be read/],
    [{ ca: files['/tls/half'] }, /^Error: tls\.ca: there are no certificates/],
    [{ ca: 'two\nlines' }, /^Error: tls\.ca is neither a PEM text nor a path/],
    [{ cert: '/tls/cert' }, /only of use together/],
    [{ key: 'own.key' }, /only of use together/],
    [{ cert: '/tls/cert', key: '/tls/empty' }, /tls\.key: \/tls\/empty: the file holds no PEM text/],
    [{ cert: '/tls/cert', key: two.key }, /tls\.cert: \/tls\/cert: the key is not the one/],
    [{ cert: '/tls/half', key: 'own.key' }, /tls\.cert: \/tls\/half: the certificate cannot be read/],
  ];
  for (const [tls, message] of cases) assert.throws(() => fill(tls), message, JSON.stringify(tls));
});

test('nothing of a key is in what is said about it', () => {
  const [, base64 = ''] = two.key.split('\n');
  const bare = two.key.split('\n').slice(1, -2).join('');
  for (const key of [base64, bare, two.key, two.key.replace('PRIVATE', 'PRIVY'), `${bare}\n`])
    assert.throws(
      () => fill({ cert: '/tls/cert', key }),
      (error: Error) => !error.message.includes(base64.slice(0, 12)),
    );
});

test('a path that was not read is refused where the middleware is built', () => {
  const bench = openBench();
  try {
    const tls = { ca: '/tls/ca.crt' };
    assert.throws(
      () => bench.build({ address: 'https://auth.test/', tls }),
      /tls\.ca: the file was not read/,
    );
  } finally {
    bench.close();
  }
});

test('what was decided outlives a renewed certificate of the gateway, and not a change of authorities', () => {
  const bench = openBench();
  try {
    const caches = new Set<unknown>();
    const build = (tls: object): number => {
      bench.build({ address: 'https://auth.test/', tls, cache: { ttl: '1s' } });
      for (const [, cache] of bench.deps.authCaches.entries()) caches.add(cache);
      return caches.size;
    };
    const ca = authority.root;
    assert.equal(build({ ca, cert: one.cert, key: one.key }), 1);
    assert.equal(build({ ca, cert: two.cert, key: two.key }), 1);
    assert.equal(build({ ca: `${ca}${ca}`, cert: two.cert, key: two.key }), 2);
    assert.equal(build({ ca, cert: one.cert, key: one.key, insecureSkipVerify: true }), 3);
  } finally {
    bench.close();
  }
});
