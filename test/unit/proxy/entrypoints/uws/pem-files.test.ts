// Keys on their way into the engine: they are read, and leave nothing.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import type { CertificateSpec } from '../../../../../src/model/tls.ts';
import { withPemFiles } from '../../../../../src/proxy/entrypoints/uws/pem-files.ts';

const certificate: CertificateSpec = {
  fingerprint: 'f',
  cert: 'the chain',
  key: 'the key',
  names: ['a.test'],
  notBefore: 0,
  notAfter: 0,
};

test('the engine reads a certificate and its key under names nobody else sees', () => {
  const folders = ['/dev/shm', tmpdir()];
  const list = (): string[] => folders.flatMap((folder) => readdirSync(folder)).sort();
  const before = list();
  const seen = withPemFiles(certificate, ({ cert_file_name, key_file_name }) => {
    assert.equal(statSync(key_file_name).mode & 0o077, 0, 'only this user may read the key');
    return {
      cert: readFileSync(cert_file_name, 'utf8'),
      key: readFileSync(key_file_name, 'utf8'),
      files: list(),
    };
  });
  assert.deepEqual([seen.cert, seen.key], ['the chain', 'the key']);
  assert.deepEqual(
    seen.files.filter((file) => !before.includes(file) && /portcullis-tls/.test(file)),
    [],
  );
  assert.deepEqual(
    list().filter((file) => /portcullis-tls/.test(file)),
    [],
  );
});

test('descriptors are given back, also when the engine wants none of it', () => {
  const open = (): number => readdirSync('/proc/self/fd').length;
  const before = open();
  assert.throws(() =>
    withPemFiles(certificate, () => {
      throw new Error('no');
    }),
  );
  withPemFiles(certificate, () => {});
  assert.equal(open(), before);
});
