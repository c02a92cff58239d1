// What the gateway is made of: native code that is byte for byte known, packages that are listed, licensed and pinned.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { packageProblems, packagesText } from '../../ops/packages.ts';
import { addonChecksums } from '../../src/proxy/entrypoints/uws/checksums.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const addon = `uws_${process.platform}_${process.arch}_137.node`;

describe('the native code that listens', () => {
  let copy = '';

  /** The sources, and a `node_modules` of links but for what these tests change. */
  before(() => {
    copy = mkdtempSync(join(tmpdir(), 'portcullis-supply-'));
    cpSync(join(root, 'src'), join(copy, 'src'), { recursive: true });
    cpSync(join(root, 'package.json'), join(copy, 'package.json'));
    mkdirSync(join(copy, 'node_modules'));
    for (const name of readdirSync(join(root, 'node_modules')))
      if (name !== 'uWebSockets.js' && name !== '.cache')
        symlinkSync(join(root, 'node_modules', name), join(copy, 'node_modules', name));
  });
  after(() => rmSync(copy, { recursive: true, force: true }));

  const installAddon = (): string => {
    const folder = join(copy, 'node_modules/uWebSockets.js');
    rmSync(folder, { recursive: true, force: true });
    rmSync(join(copy, 'node_modules/.cache'), { recursive: true, force: true });
    cpSync(join(root, 'node_modules/uWebSockets.js'), folder, {
      recursive: true,
      filter: (path) => !path.endsWith('.node') || path.endsWith(addon),
    });
    return join(folder, addon);
  };

  const start = (...args: readonly string[]): { readonly code: number | null; readonly output: string } => {
    const { NODE_TEST_CONTEXT: _context, ...env } = process.env;
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(copy, 'src/main.ts'), ...args], {
      cwd: copy,
      env,
      encoding: 'utf8',
      timeout: 30_000,
    });
    return { code: status, output: stdout + stderr };
  };

  test('every build that may be loaded has the checksum that is pinned', () => {
    for (const [file, expected] of Object.entries(addonChecksums)) {
      const found = sha256(join(root, 'node_modules/uWebSockets.js', file));
      assert.equal(found, expected, file);
    }
  });

  test('a flipped byte is refused at the start, with what, where, what was expected and how to mend it', () => {
    const path = installAddon();
    flipByte(path);
    for (const args of [['--entryPoints.web.address=127.0.0.1:0'], ['handover', '--pid=1']]) {
      const { code, output } = start(...args);
      assert.equal(code, 1, output);
      assert.ok(output.includes(`${path} is not the file this release was made with`), output);
      assert.ok(output.includes(sha256(path)), output);
      assert.ok(output.includes(addonChecksums[addon as keyof typeof addonChecksums]), output);
      assert.match(output, /npm ci/);
    }
  });

  test('a file that is not there is refused, too', () => {
    rmSync(installAddon());
    const { code, output } = start('--entryPoints.web.address=127.0.0.1:0');
    assert.equal(code, 1, output);
    assert.match(output, /cannot be read: ENOENT/);
  });

  test('a copy for an older C library that somebody has changed is refused', (t) => {
    installAddon();
    assert.equal(start('doctor', '--offline').output.includes('is not the file'), false);
    const folder = join(copy, 'node_modules/.cache/portcullis');
    const made = readdirSync(folder, { withFileTypes: true }).find((entry) => entry.name.endsWith('.node'));
    if (made === undefined) return t.skip('this C library needs no copy');
    flipByte(join(folder, made.name));
    const { code, output } = start('--entryPoints.web.address=127.0.0.1:0');
    assert.equal(code, 1, output);
    assert.ok(output.includes(`${made.name} is not the file this release was made with`), output);
  });
});

describe('packages', () => {
  test('docs/packages.md is up to date', () => {
    const stored = readFileSync(join(root, 'docs/packages.md'), 'utf8');
    assert.ok(stored === packagesText(root), 'it is not: run `npm run packages`');
  });

  test('each has a permissive licence, an integrity hash and no install script, and one exact version is asked for', () => {
    assert.deepEqual(packageProblems(root), []);
  });

  test('a package without one of these is found', () => {
    const folder = mkdtempSync(join(tmpdir(), 'portcullis-lock-'));
    try {
      writeFileSync(join(folder, 'package.json'), JSON.stringify({ dependencies: { a: '^1.0.0' } }));
      const packages = {
        '': { dependencies: { a: '^1.0.0' } },
        'node_modules/a': { version: '1.0.0', license: 'GPL-3.0-only', hasInstallScript: true },
      };
      writeFileSync(join(folder, 'package-lock.json'), JSON.stringify({ packages }));
      const problems = packageProblems(folder).join('\n');
      for (const expected of [/a .*GPL-3\.0-only/, /a .*integrity/, /a .*install script/, /a .*\^1\.0\.0/])
        assert.match(problems, expected);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

function sha256(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

function flipByte(path: string): void {
  const bytes = readFileSync(path);
  const middle = bytes.length >> 1;
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  writeFileSync(path, bytes);
}
