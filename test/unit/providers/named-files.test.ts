// Files that middlewares name: read wherever the options come from, the last good content kept.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadDynamic } from '../../../src/config/dynamic/load.ts';
import type { ProviderConfig } from '../../../src/config/dynamic/provider-config.ts';
import { parseYaml } from '../../../src/config/sources/yaml.ts';
import { createNamedFiles, type Filled } from '../../../src/providers/named-files.ts';

const hash = '{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=';

function sourcesOf(text: string): ProviderConfig[] {
  const { config, diagnostics } = loadDynamic(parseYaml(text, 'a.yml').tree, 'a.yml');
  assert.deepEqual(diagnostics, []);
  return [{ provider: 'file', parts: [config] }];
}

const writtenIn = ({ sources }: Filled) => sources[0]?.parts[0]?.middlewares.get('auth');

test('a users file is read into the options, and stays when it breaks', (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-files-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'users');
  const sources = sourcesOf(`http: { middlewares: { auth: { basicAuth: { usersFile: ${file} } } } }`);
  const files = createNamedFiles(null);

  const missing = files.fill(sources);
  assert.match(missing.diagnostics[0]?.message ?? '', /middleware auth: the file ".*users" doesn't exist/);
  assert.equal(missing.diagnostics[0]?.where.line, 1);
  assert.equal(writtenIn(missing)?.errors.length, 1);

  writeFileSync(file, `ann:${hash}\n`);
  const read = files.fill(sources);
  assert.deepEqual(read.diagnostics, []);
  const options = writtenIn(read)?.value.options as { users: string[] } | undefined;
  assert.deepEqual(options?.users, [`ann:${hash}`]);

  writeFileSync(file, 'ann:secret\n');
  const broken = files.fill(sources);
  assert.match(broken.diagnostics[0]?.message ?? '', /last good content of the file stays in use/);
  assert.ok(!JSON.stringify(broken.diagnostics).includes('secret'));
  assert.deepEqual(writtenIn(broken), writtenIn(read));
});

test('middlewares that name no file are the very same objects', () => {
  const sources = sourcesOf('http: { middlewares: { auth: { addPrefix: { prefix: /a } } } }');
  const filled = createNamedFiles(null).fill(sources);
  assert.equal(filled.sources[0]?.parts[0], sources[0]?.parts[0]);
});
