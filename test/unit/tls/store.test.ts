// Which certificate a name gets.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CertificateSpec } from '../../../src/model/tls.ts';
import { CertificateStore } from '../../../src/tls/store.ts';

const day = 86_400_000;

function certificate(fingerprint: string, names: readonly string[], days = 30): CertificateSpec {
  return { fingerprint, cert: '', key: '', names, notBefore: 0, notAfter: Date.now() + days * day };
}

function storeOf(...certificates: readonly CertificateSpec[]): CertificateStore {
  const store = new CertificateStore();
  store.configure({ certificates, defaultCertificate: null });
  return store;
}

test('an exact name wins over a wildcard, which stands for one label', () => {
  const store = storeOf(certificate('exact', ['a.w.test']), certificate('wild', ['*.w.test']));
  assert.equal(store.find('a.w.test')?.fingerprint, 'exact');
  assert.equal(store.find('B.W.test')?.fingerprint, 'wild');
  assert.deepEqual(
    ['a.w.test', 'b.w.test', 'A.W.TEST'].map((name) => store.nameFor(name)),
    ['a.w.test', '*.w.test', 'a.w.test'],
  );
  for (const name of ['w.test', 'c.b.w.test', '', '.', '.test', 'test'])
    assert.equal(store.find(name), null, JSON.stringify(name));
});

test('of several for one name the one that lasts longest is taken, in whatever order they come', () => {
  const [short, long] = [certificate('short', ['a.test'], 10), certificate('long', ['a.test'], 20)];
  assert.equal(storeOf(short, long).find('a.test')?.fingerprint, 'long');
  assert.equal(storeOf(long, short).find('a.test')?.fingerprint, 'long');
  const [b, a] = [certificate('b', ['a.test']), certificate('a', ['a.test'])];
  const same = { ...b, notAfter: a.notAfter };
  assert.equal(storeOf(same, a).find('a.test')?.fingerprint, 'a');
  assert.equal(storeOf(a, same).find('a.test')?.fingerprint, 'a');
});

test('what the operator put there wins over what was obtained, unless it has run out', () => {
  const store = storeOf(certificate('own', ['a.test'], 5), certificate('over', ['b.test'], -1));
  store.change({
    add: [certificate('obtained-a', ['a.test'], 80), certificate('obtained-b', ['b.test'], 80)],
    remove: [],
  });
  assert.equal(store.find('a.test')?.fingerprint, 'own');
  assert.equal(store.find('b.test')?.fingerprint, 'obtained-b');
  store.change({ add: [], remove: ['obtained-b'] });
  assert.equal(store.find('b.test')?.fingerprint, 'over', 'one that has run out is better than none');
});

test('the default certificate of the configuration wins over the one made here', () => {
  assert.equal(new CertificateStore().fallback, null);
  const store = new CertificateStore();
  store.change({ add: [], remove: [], fallback: certificate('made', []) });
  assert.equal(store.fallback?.fingerprint, 'made');
  store.configure({ certificates: [], defaultCertificate: certificate('default', []) });
  assert.equal(store.fallback?.fingerprint, 'default');
});

test('the version counts up with each change and not without one', () => {
  const certificates = [certificate('a', ['a.test'])];
  const store = new CertificateStore();
  store.configure({ certificates, defaultCertificate: null });
  const { version } = store;
  store.configure({ certificates, defaultCertificate: null });
  assert.equal(store.version, version);
  store.change({ add: [], remove: ['nobody'] });
  assert.ok(store.version > version);
});
