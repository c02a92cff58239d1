// Certificates in files: read, watched, and kept as they last were while they are being replaced.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { loadDynamic } from '../../../src/config/dynamic/load.ts';
import type { ProviderConfig } from '../../../src/config/dynamic/provider-config.ts';
import { parseYaml } from '../../../src/config/sources/yaml.ts';
import { createNamedFiles, type Filled } from '../../../src/providers/named-files.ts';
import { eventually } from '../../support/gateway.ts';
import { type Authority, type Issued, makeAuthority } from '../../support/pki.ts';

function sourcesOf(text: string): ProviderConfig[] {
  const { config, diagnostics } = loadDynamic(parseYaml(text, 'a.yml').tree, 'a.yml');
  assert.deepEqual(diagnostics, []);
  return [{ provider: 'file', parts: [config] }];
}

const tlsOf = ({ sources }: Filled) => sources[0]?.parts[0]?.tls;
const served = (filled: Filled) => tlsOf(filled)?.certificates.map(({ value }) => value.certFile) ?? [];
const told = (filled: Filled) => filled.diagnostics.map(({ severity, message }) => `${severity} ${message}`);

describe('certificates in files', () => {
  let authority: Authority;
  let first: Issued;
  let second: Issued;
  let folder: string;
  const at = (name: string): string => join(folder, name);
  const put = (issued: Issued, cert = 'a.crt', key = 'a.key'): void => {
    writeFileSync(at(cert), issued.cert);
    writeFileSync(at(key), issued.key);
  };
  const pair = (cert = 'a.crt', key = 'a.key') =>
    sourcesOf(`tls: {certificates: [{certFile: ${at(cert)}, keyFile: ${at(key)}}]}`);

  before(() => {
    authority = makeAuthority();
    first = authority.issue(['a.test']);
    second = authority.issue(['a.test', 'b.test']);
    folder = mkdtempSync(join(tmpdir(), 'portcullis-pems-'));
  });
  after(() => {
    authority.close();
    rmSync(folder, { recursive: true });
  });

  test('a pair that is half written keeps the last one that fitted, with a warning', () => {
    put(first);
    const files = createNamedFiles(null);
    assert.deepEqual(served(files.fill(pair())), [first.cert]);

    writeFileSync(at('a.crt'), second.cert);
    const half = files.fill(pair());
    assert.deepEqual(served(half), [first.cert]);
    assert.match(told(half).join(), /^warning .*a\.crt: the key is not the one.*last good certificate stays/);

    writeFileSync(at('a.key'), second.key);
    const whole = files.fill(pair());
    assert.deepEqual([served(whole), told(whole)], [[second.cert], []]);

    rmSync(at('a.key'));
    assert.deepEqual(served(files.fill(pair())), [second.cert]);
    assert.deepEqual(served(createNamedFiles(null).fill(pair())), []);
  });

  test('a pair that never fitted is an error of its own, whatever is wrong with it', () => {
    put(first, 'good.crt', 'good.key');
    put(second, 'other.crt', 'other.key');
    writeFileSync(at('empty'), '');
    writeFileSync(at('garbage'), 'secret garbage');
    writeFileSync(at('huge'), `-----BEGIN CERTIFICATE-----\n${'A'.repeat(257 * 1024)}`);
    execFileSync('openssl', [
      'pkcs8',
      '-topk8',
      '-in',
      at('good.key'),
      '-out',
      at('locked'),
      '-passout',
      'pass:x',
    ]);
    for (const [cert, key, message] of [
      ['missing.crt', 'good.key', /missing\.crt" doesn't exist/],
      ['good.crt', 'missing.key', /missing\.key" doesn't exist/],
      ['.', 'good.key', /is a directory/],
      ['empty', 'good.key', /the file is empty/],
      ['garbage', 'good.key', /no PEM text/],
      ['huge', 'good.key', /262144 bytes/],
      ['good.crt', 'garbage', /the key is no PEM text/],
      ['good.crt', 'locked', /the key is encrypted/],
      ['good.crt', 'other.key', /not the one of the certificate/],
    ] as const) {
      const sources = sourcesOf(
        `tls: {certificates: [{certFile: ${at(cert)}, keyFile: ${at(key)}}, {certFile: ${at('good.crt')}, keyFile: ${at('good.key')}}]}`,
      );
      const filled = createNamedFiles(null).fill(sources);
      assert.deepEqual(served(filled), [first.cert], cert);
      assert.equal(filled.diagnostics.length, 1, cert);
      assert.match(told(filled).join(), message);
      assert.match(told(filled).join(), /^error/);
      assert.doesNotMatch(JSON.stringify(filled.diagnostics), /secret|BEGIN|AAAA/);
    }
  });

  test('a certificate that has run out is served, with a warning', () => {
    put(authority.issue(['old.test'], { days: -1 }), 'old.crt', 'old.key');
    const filled = createNamedFiles(null).fill(pair('old.crt', 'old.key'));
    assert.equal(served(filled).length, 1);
    assert.match(told(filled).join(), /^warning .*for old\.test has run out on \d{4}-/);
  });

  test('a value that is neither a path nor a PEM text is not repeated', () => {
    const filled = createNamedFiles(null).fill(
      sourcesOf('tls: {certificates: [{certFile: "a\\nsecret", keyFile: "b"}]}'),
    );
    assert.deepEqual(told(filled), ['error the value is neither a path nor a PEM text']);
  });

  test('authorities of clients are read; those that cannot be break the options', () => {
    writeFileSync(at('ca.crt'), authority.root);
    const sources = sourcesOf(
      `tls: {options: {good: {clientAuth: {caFiles: [${at('ca.crt')}]}}, bad: {clientAuth: {caFiles: [${at('nowhere.crt')}]}}}}`,
    );
    const filled = createNamedFiles(null).fill(sources);
    const { good, bad } = Object.fromEntries(tlsOf(filled)?.options ?? []);
    assert.deepEqual([good?.value.clientAuth?.caFiles, good?.errors], [[authority.root], []]);
    assert.match(bad?.errors.join() ?? '', /doesn't exist/);
    assert.match(told(filled).join(), /TLS options bad: .*doesn't exist/);
  });

  test('a default certificate that cannot be read is none, and says so', () => {
    const filled = createNamedFiles(null).fill(
      sourcesOf(
        `tls: {stores: {default: {defaultCertificate: {certFile: ${at('no')}, keyFile: ${at('no')}}}}}`,
      ),
    );
    assert.equal(tlsOf(filled)?.stores.get('default')?.value.defaultCertificate, undefined);
    assert.equal(filled.diagnostics.length, 1);
  });

  test('files replaced by rename and by a swapped link are seen', async (context) => {
    const mount = at('mount');
    mkdirSync(join(mount, '..1'), { recursive: true });
    mkdirSync(join(mount, '..2'));
    for (const [name, issued] of [
      ['..1', first],
      ['..2', second],
    ] as const) {
      writeFileSync(join(mount, name, 'tls.crt'), issued.cert);
      writeFileSync(join(mount, name, 'tls.key'), issued.key);
    }
    symlinkSync('..1', join(mount, '..data'));
    for (const file of ['tls.crt', 'tls.key']) symlinkSync(join('..data', file), join(mount, file));
    let changes = 0;
    const files = createNamedFiles(() => (changes += 1));
    context.after(() => files.close());
    const sources = pair('mount/tls.crt', 'mount/tls.key');
    assert.deepEqual(served(files.fill(sources)), [first.cert]);

    symlinkSync('..2', join(mount, '..tmp'));
    renameSync(join(mount, '..tmp'), join(mount, '..data'));
    await eventually('the swapped link is seen', () => changes > 0);
    assert.deepEqual(served(files.fill(sources)), [second.cert]);

    changes = 0;
    writeFileSync(at('new.crt'), first.cert);
    writeFileSync(at('new.key'), first.key);
    renameSync(at('new.key'), join(mount, '..2', 'tls.key'));
    renameSync(at('new.crt'), join(mount, '..2', 'tls.crt'));
    await eventually('the renamed files are seen', () => changes > 0);
    assert.deepEqual(served(files.fill(sources)), [first.cert]);
  });
});
