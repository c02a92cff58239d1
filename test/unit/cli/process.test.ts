// The command line as a process: streams that close, colours, exit codes.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';

const main = path.resolve(import.meta.dirname, '../../../src/main.ts');

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** `closesEarly`: nobody reads standard output. */
async function start(
  context: TestContext,
  argv: readonly string[],
  keys: { closesEarly?: boolean; stdout?: number; env?: Record<string, string> } = {},
): Promise<Ended> {
  const cwd = mkdtempSync(path.join(tmpdir(), 'portcullis-process-'));
  context.after(() => rmSync(cwd, { recursive: true }));
  const broken = Array.from({ length: 3000 }, (_, index) => `    r${index}: {rul: x}\n`).join('');
  writeFileSync(path.join(cwd, 'many.yml'), `http:\n  routers:\n${broken}`);
  const child = spawn(process.execPath, [main, ...argv], {
    cwd,
    env: { PATH: process.env['PATH'], HOME: cwd, ...keys.env },
    stdio: ['ignore', keys.stdout ?? 'pipe', 'pipe'],
  });
  context.after(() => child.kill('SIGKILL'));
  let out = '';
  let err = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (err += text));
  if (keys.closesEarly === true) child.stdout?.destroy();
  else child.stdout?.setEncoding('utf8').on('data', (text: string) => (out += text));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, out, err };
}

test('a reader that goes away changes neither the exit code nor says a word', async (context) => {
  const ended = await start(context, ['check', 'many.yml'], { closesEarly: true });
  assert.deepEqual([ended.code, ended.err], [1, '']);
});

test('all of a long answer reaches a pipe', async (context) => {
  const { code, out } = await start(context, ['check', 'many.yml', '--format=json']);
  assert.equal(code, 1);
  assert.ok((JSON.parse(out) as unknown[]).length >= 3000);
});

test('an output that cannot be written is one line and exit code 1', async (context) => {
  const full = openSync('/dev/full', 'w');
  context.after(() => closeSync(full));
  const { code, err } = await start(context, ['version'], { stdout: full });
  assert.deepEqual([code, err.split('\n').length], [1, 2], err);
  assert.match(err, /^portcullis: cannot write: ENOSPC/);
});

test('what goes to a pipe has no colours, and wrong flags end a start with exit code 1', async (context) => {
  const { code, out, err } = await start(context, ['--nonsense=1'], { env: { FORCE_COLOR: '1' } });
  assert.deepEqual([code, out], [1, '']);
  assert.equal(err, '--nonsense error unknown key `nonsense` [config.unknown_key]\n');
});

test('what has no effect or is not read is named at the default log level', async (context) => {
  // An address of nobody: it ends by itself.
  const flags = ['--entrypoints.web.address=192.0.2.1:1', '--hostresolver'];
  const { code, out } = await start(context, flags, { env: { TRAEFIK_PING: 'true' } });
  assert.equal(code, 1);
  assert.match(out, /warning: --hostresolver: .* has no effect yet; and 1 more, `portcullis check` lists/);
  assert.match(out, /this machine does not have that address/);
});
