// Names, times, wants, and the certificates the gateway makes itself.

import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { begunAttempt, Attempts } from '../../../../src/primary/acme/attempts.ts';
import { retryAfterOf } from '../../../../src/primary/acme/ca-calls.ts';
import { covers, normalNames, refusal } from '../../../../src/primary/acme/names.ts';
import { describeProblem, oneLineOf } from '../../../../src/primary/acme/problem.ts';
import { alpnCertificate, defaultCommonName, selfSigned } from '../../../../src/primary/acme/self-made.ts';
import { backoff, defaultTimes, renewalTime } from '../../../../src/primary/acme/times.ts';
import { coveredByOthers, wantsOf } from '../../../../src/primary/acme/wants.ts';
import { readCertificate } from '../../../../src/tls/certificate.ts';

const request = (...names: readonly string[]) => ({ resolver: 'main', names, by: [] });

test('names are lower case, in ASCII, without repeats and trailing dots', () => {
  assert.deepEqual(normalNames(['B.example.com.', 'bücher.example', 'b.example.com']), [
    'b.example.com',
    'xn--bcher-kva.example',
  ]);
});

test('a wildcard covers one label, and not the name above it', () => {
  const names = new Set(['*.example.com', 'other.org']);
  assert.ok(covers(names, 'a.example.com'));
  assert.ok(covers(names, '*.example.com'));
  assert.ok(covers(names, 'other.org'));
  for (const name of ['example.com', 'a.b.example.com', 'a.other.org', 'com'])
    assert.ok(!covers(names, name), name);
});

test('what is no DNS name is refused with the reason', () => {
  for (const name of [
    '1.2.3.4',
    '::1',
    '[::1]',
    'localhost',
    'x.localhost',
    'a_b.c',
    '-a.b',
    'a..b',
    'a.b/',
    'x.1',
    '*',
    'a.*.b',
    'a:80',
  ]) {
    assert.notEqual(refusal([name], true), null, name);
  }
  for (const name of [
    'a.example.com',
    'intranet',
    '*.example.com',
    'xn--bcher-kva.example',
    `${'a'.repeat(63)}.b`,
  ]) {
    assert.equal(refusal([name], true), null, name);
  }
});

test('wants are ordered by reach, and what one of them covers waits for it', () => {
  const wants = wantsOf(
    [
      request('a.example.com'),
      request('*.example.com', 'a.example.com'),
      request('x.org', 'y.org'),
      request('y.org'),
      request('Y.org'),
    ],
    true,
  );
  assert.deepEqual(
    wants.map(({ key }) => key),
    ['*.example.com,a.example.com', 'x.org,y.org', 'a.example.com', 'y.org'],
  );
  assert.deepEqual(
    [...coveredByOthers(wants)].map(({ key }) => key),
    ['a.example.com', 'y.org'],
  );
});

test('back-off doubles from a minute to a day, and to an eighth of a short life', () => {
  const times = { ...defaultTimes, jitter: 0 };
  const minutes = (failures: number, lifetime: number | null = null): number =>
    backoff({ failures, retryAfter: null, lifetime }, times) / 60_000;
  assert.deepEqual(
    [1, 2, 3, 11, 12, 1000].map((failures) => minutes(failures)),
    [1, 2, 4, 1024, 1440, 1440],
  );
  assert.equal(minutes(1000, 3_600_000), 7.5);
  assert.equal(minutes(1000, 1000), 1);
  assert.equal(backoff({ failures: 1, retryAfter: 7_200_000, lifetime: null }, times), 7_200_000);
  assert.equal(backoff({ failures: 1, retryAfter: 1e15, lifetime: null }, times), 7 * 86_400_000);
  for (let round = 0; round < 100; round += 1) {
    const wait = backoff({ failures: 1, retryAfter: null, lifetime: null }, defaultTimes);
    assert.ok(wait >= 54_000 && wait <= 66_000);
  }
});

test('renewal is at two thirds of the life, five percent around it, the same everywhere', () => {
  for (const lifetime of [600_000, 6 * 86_400_000, 90 * 86_400_000]) {
    const ages = ['00000000', '7fffffff', 'ffffffff'].map(
      (fingerprint) => renewalTime({ fingerprint, notBefore: 1000, notAfter: 1000 + lifetime }) - 1000,
    );
    for (const [index, share] of [0.6167, 0.6667, 0.7167].entries()) {
      assert.ok(Math.abs((ages[index] ?? 0) / lifetime - share) < 0.001);
    }
  }
});

test('a next try that a wrong clock has written does not last', () => {
  const attempts = new Attempts();
  const now = Date.now();
  attempts.set([
    { names: 'a', failures: 1, nextTry: now + 1e12, lastError: 'x' },
    begunAttempt('b', attempts.of('b'), now + 60_000),
  ]);
  assert.equal(attempts.nextTry('a', now), 0);
  assert.equal(attempts.nextTry('b', now), now + 60_000);
  assert.ok(attempts.isHopeful('b'));
  assert.ok(!attempts.isHopeful('a'));
});

test('Retry-After is seconds or a date', () => {
  assert.equal(retryAfterOf('120'), 120_000);
  const ms = retryAfterOf(new Date(Date.now() + 60_000).toUTCString()) ?? 0;
  assert.ok(ms > 50_000 && ms <= 60_000);
  for (const value of [undefined, '', 'soon', '-1', new Date(0).toUTCString()])
    assert.equal(retryAfterOf(value), null);
});

test('problems become one short line, whatever they are', () => {
  const detail = 'first\nsecond\u001b[31m';
  const { kind, text } = describeProblem({
    type: 'urn:ietf:params:acme:error:compound',
    detail,
    subproblems: [{ detail: 'inner', identifier: { value: 'a.example' } }, null, 7],
  });
  assert.equal(kind, 'compound');
  assert.equal(text, 'first second [31m; a.example: inner (compound)');
  for (const value of [null, 7, 'x', [], { detail: 7, type: {} }])
    assert.equal(typeof describeProblem(value).text, 'string');
  assert.equal(oneLineOf(new Error('x'.repeat(5000))).length, 1000);
  assert.equal(
    oneLineOf(Object.assign(new AggregateError([new Error('inner')]), { code: 'ECONNREFUSED' })),
    'inner',
  );
});

test('the default certificate is one for a year', async () => {
  const { cert, key, notBefore, notAfter } = await selfSigned(['a.example.com']);
  const x509 = new X509Certificate(cert);
  assert.equal(x509.subject, `CN=${defaultCommonName}`);
  assert.ok(x509.verify(x509.publicKey));
  assert.equal(x509.publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1');
  assert.equal(notAfter - notBefore, 365 * 86_400_000);
  assert.ok(notBefore < Date.now());
  assert.ok(readCertificate(cert, key).ok);
  assert.notEqual((await selfSigned([])).fingerprint, (await selfSigned([])).fingerprint);
});

test('a certificate for tls-alpn-01 has the digest of the key authorisation, marked critical', async () => {
  const { cert, key } = await alpnCertificate('a.example.com', 'token.thumbprint');
  const read = readCertificate(cert, key);
  assert.ok(read.ok);
  assert.deepEqual(read.certificate.names, ['a.example.com']);
  const digest = createHash('sha256').update('token.thumbprint').digest();
  // OID 1.3.6.1.5.5.7.1.31, TRUE, and an OCTET STRING within an OCTET STRING (RFC 8737, section 3).
  const extension = Buffer.concat([Buffer.from('06082b0601050507011f0101ff04220420', 'hex'), digest]);
  assert.ok(new X509Certificate(cert).raw.includes(extension));
});
