// Config in → Snapshot and diagnostics out, byte for byte. UPDATE_GOLDEN=1 writes what is found.

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadStatic } from '../../src/config/static/load.ts';
import { loadDynamicOnce } from '../../src/providers/load-once.ts';
import { dockerCase } from './docker-case.ts';

const cases = join(import.meta.dirname, 'cases');

for (const name of readdirSync(cases).sort()) {
  test(`golden: ${name}`, () => {
    const found = run(name);
    const expected = join(cases, name, 'expected.json');
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(expected, found);
    assert.equal(found, readFileSync(expected, 'utf8'));
  });
}

/**
 * A case: dynamic files, `containers.json` with what the docker provider finds, and `flags` with one static flag a
 * line. Environment: BASE_DOMAIN and API_PORT.
 */
function run(name: string): string {
  const directory = join(cases, name);
  const flags = join(directory, 'flags');
  const argv = existsSync(flags)
    ? readFileSync(flags, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
    : [];
  const loaded = loadStatic({
    argv: [...argv, `--providers.file.directory=${directory}`],
    env: {},
    cwd: directory,
  });
  const fatal = loaded.diagnostics.filter(({ severity }) => severity === 'error');
  assert.ok(loaded.config !== null, JSON.stringify(fatal));
  const docker = dockerCase(directory, loaded.config);
  const { snapshot, diagnostics: found } = loadDynamicOnce(loaded.config, {
    env: { BASE_DOMAIN: 'example.com', API_PORT: '8000' },
    sources: docker === null ? [] : [docker.config],
  });
  const diagnostics = [...(docker?.diagnostics ?? []), ...found];
  const text = JSON.stringify(
    { snapshot, diagnostics },
    (_, value) => (typeof value === 'bigint' ? `${value}n` : value),
    2,
  );
  // Where the checkout lies is nobody's business.
  return `${text.replaceAll(JSON.stringify(directory).slice(1, -1), '.')}\n`;
}
