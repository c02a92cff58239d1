// What the files of a serversTransport must hold, and that nothing of a key gets into a message.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { loadDynamic } from '../../../src/config/dynamic/load.ts';
import { readPems } from '../../../src/providers/file/pem.ts';
import { makeAuthority } from '../../support/pki.ts';
import { parseYaml } from '../../../src/config/sources/yaml.ts';

describe('files of a serversTransport', () => {
  const authority = makeAuthority();
  const client = authority.issue(['client.test'], { client: true });
  const other = authority.issue(['other.test'], { client: true });
  const texts = { root: authority.root, crt: client.cert, key: client.key, other: other.key };
  let folder = '';

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'portcullis-pem-'));
    for (const [name, text] of Object.entries(texts)) writeFileSync(at(name), text);
    writeFileSync(at('cut'), authority.root.slice(0, -80));
    writeFileSync(at('odd'), authority.root.replaceAll(/[a-z]{2}/g, 'a!'));
  });
  after(() => {
    authority.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const at = (name: string): string => join(folder, `${name}.pem`);
  const trusts = (...rootCAs: readonly string[]): string[] => problems({ rootCAs });
  const shows = (certFile: string, keyFile: string): string[] =>
    problems({ certificates: [{ certFile, keyFile }] });

  test('authorities and a pair that fit are taken, from files and as texts', () => {
    assert.deepEqual([trusts(at('root')), trusts(authority.root, at('root'))], [[], []]);
    assert.deepEqual([shows(at('crt'), at('key')), shows(client.cert, client.key)], [[], []]);
  });

  test('authorities that cannot be read break the transport when it is loaded', () => {
    for (const name of ['cut', 'odd', 'key']) {
      const message = `serversTransport t: rootCAs: ${at(name)} holds no certificates that can be read`;
      assert.deepEqual(trusts(at('root'), at(name)), [message]);
    }
    assert.match(
      trusts(`${authority.root.slice(0, 200)}\n`).join(),
      /rootCAs: the value holds no certificates/,
    );
  });

  test('a key of another certificate breaks the transport when it is loaded', () => {
    assert.match(shows(at('crt'), at('other')).join(), /certFile: .*crt\.pem: .*key/);
    assert.match(shows(at('crt'), at('crt')).join(), /certFile: .*crt\.pem: /);
  });

  test('a key without its first line is not repeated', () => {
    const [, base64 = ''] = client.key.split('-----\n');
    const bare = base64.replaceAll('\n', '').slice(0, 184);
    for (const message of [shows(at('crt'), bare), trusts(bare)].flat()) {
      assert.match(message, /the value is neither a file nor a PEM text/);
      assert.ok(!message.includes(bare.slice(0, 20)));
    }
  });
});

/** Messages about the transport `t`, which is broken exactly when there are some. */
function problems(transport: object): string[] {
  const { tree } = parseYaml(JSON.stringify({ http: { serversTransports: { t: transport } } }), 'a.yml');
  const { config, diagnostics } = readPems(loadDynamic(tree, 'a.yml').config);
  assert.equal(config.transports.get('t')?.errors.length, diagnostics.length);
  return diagnostics.map(({ message }) => message);
}
