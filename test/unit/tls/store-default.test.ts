// The certificate by ACME that the default store asks for.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CertificateSpec } from '../../../src/model/tls.ts';
import { CertificateStore } from '../../../src/tls/store.ts';

function certificate(fingerprint: string, names: readonly string[]): CertificateSpec {
  return { fingerprint, cert: '', key: '', names, notBefore: 0, notAfter: Date.now() + 86_400_000 };
}

test('what was ordered for the default store is the default one once it is there', () => {
  const store = new CertificateStore();
  const made = certificate('made', []);
  const own = certificate('own', ['own.test']);
  const none = { certificates: [], defaultCertificate: null };
  store.change({ add: [], remove: [], fallback: made });
  const before = store.version;
  store.configure({ ...none, defaultNames: ['d.test', 'e.test'] });
  assert.ok(store.version > before);
  assert.equal(store.fallback, made);
  store.change({ add: [certificate('obtained', ['d.test', 'e.test'])], remove: [] });
  assert.equal(store.fallback?.fingerprint, 'obtained');
  store.configure({ ...none, defaultCertificate: own, defaultNames: ['d.test'] });
  assert.equal(store.fallback, own);
  store.configure(none);
  assert.equal(store.fallback, made);
});
