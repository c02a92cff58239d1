// `bin/portcullis` finds the right Node, becomes it, and says what is missing where there is none.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const launcher = fileURLToPath(new URL('../../bin/portcullis', import.meta.url));
const platform = `${process.platform}-${process.arch}`;

const dir = mkdtempSync(join(tmpdir(), 'portcullis-launcher-'));
after(() => rmSync(dir, { recursive: true, force: true }));

test('takes the Node of the package beside it, whatever is on the PATH', () => {
  const place = lay('beside', 'node_modules/portcullis');
  put('beside/node_modules', `node-${platform}/bin/node`, 'echo "the right one: $*"');
  put('beside/path', 'node', 'echo "the wrong one"');
  const { out } = launch(place, 'beside/path', '--flag', 'two words');
  assert.equal(
    out,
    `the right one: ${join(dir, 'beside/node_modules/portcullis/dist/main.js')} --flag two words\n`,
  );
});

test('prefers the Node that is installed for the package alone', () => {
  const place = lay('own', 'node_modules/portcullis');
  put('own/node_modules', `node-${platform}/bin/node`, 'echo outer');
  put('own/node_modules/portcullis/node_modules', `node-${platform}/bin/node`, 'echo own');
  assert.equal(launch(place).out, 'own\n');
});

test('is found through links, as npm makes them, in folders with spaces', () => {
  const place = lay('with spaces', 'node_modules/portcullis');
  put('with spaces/node_modules', `node-${platform}/bin/node`, 'echo here');
  mkdirSync(join(dir, 'bin'));
  symlinkSync(place, join(dir, 'bin/first'));
  symlinkSync('first', join(dir, 'bin/second'));
  assert.equal(launch(join(dir, 'bin/second')).out, 'here\n');
});

test('becomes that Node: process id, exit code and signals are its own', () => {
  const place = lay('becomes', 'node_modules/portcullis');
  put('becomes/node_modules', `node-${platform}/bin/node`, 'echo $$; exit 7');
  const { out, pid, code } = launch(place);
  assert.deepEqual([Number(out), code], [pid, 7]);
  put('becomes/node_modules', `node-${platform}/bin/node`, 'kill -TERM $$; sleep 5');
  assert.equal(launch(place).signal, 'SIGTERM');
});

test('without the package it takes a Node 24 of the system', () => {
  const place = lay('system', 'portcullis');
  put('system/path', 'node', 'if [ "$1" = -p ]; then echo "137 v24.0.0"; else echo "system: $*"; fi');
  assert.match(launch(place, 'system/path', 'version').out, /^system: .*dist\/main\.js version\n$/);
});

test('says what is missing when there is an older Node, or none', () => {
  const place = lay('older', 'portcullis');
  put('older/path', 'node', 'echo "115 v20.1.0"');
  const older = launch(place, 'older/path');
  assert.equal(older.code, 1);
  assert.match(older.err, /needs Node 24, and the node on the PATH is v20\.1\.0\./);
  assert.match(older.err, /--omit=optional/);
  const none = launch(place, 'nowhere');
  assert.equal(none.code, 1);
  assert.match(none.err, /needs Node 24, and the node on the PATH is none\./);
});

test('says what is missing when nothing was built', () => {
  const place = lay('unbuilt', 'portcullis');
  rmSync(join(dir, 'unbuilt/portcullis/dist'), { recursive: true });
  const { code, err } = launch(place);
  assert.equal(code, 1);
  assert.match(err, /dist\/main\.js is missing/);
});

test('in a checkout it runs the sources', () => {
  const { stdout } = spawnSync(launcher, ['version'], { encoding: 'utf8' });
  assert.match(stdout, /^Version: /);
});

/** A package with the launcher and something to run; the launcher's path. */
function lay(name: string, folder: string): string {
  const root = join(dir, name, folder);
  for (const part of ['bin', 'dist']) mkdirSync(join(root, part), { recursive: true });
  writeFileSync(join(root, 'dist/main.js'), '');
  copyFileSync(launcher, join(root, 'bin/portcullis'));
  chmodSync(join(root, 'bin/portcullis'), 0o755);
  return join(root, 'bin/portcullis');
}

function put(folder: string, name: string, script: string): void {
  const file = join(dir, folder, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

/** `path` goes before the system's folders, of which those with a Node are left out. */
function launch(
  program: string,
  path = 'nowhere',
  ...args: readonly string[]
): { code: number | null; signal: string | null; out: string; err: string; pid: number } {
  const tools = join(dir, 'tools');
  mkdirSync(tools, { recursive: true });
  for (const tool of ['readlink', 'uname', 'sleep'])
    spawnSync('sh', ['-c', `ln -sf "$(command -v ${tool})" ${tools}/${tool}`]);
  const env = { PATH: `${join(dir, path)}:${tools}` };
  const { status, signal, stdout, stderr, pid } = spawnSync(program, args, { env, encoding: 'utf8' });
  return { code: status, signal, out: stdout, err: stderr, pid };
}
