// A log that cannot be opened anew: told in one line, and never thrown.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createLog } from '../../../src/observability/log.ts';
import { reopenOrTell, reopenProblem } from '../../../src/observability/reopen.ts';

test('a log whose path is a directory now tells in its old file what, where and how to mend it, once', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-reopen-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const filePath = join(folder, 'own.log');
  const log = createLog({ level: 'error', format: 'json', noColor: true, filePath });
  log.error('before');
  await log.flush();
  renameSync(filePath, `${filePath}.1`);
  mkdirSync(filePath);
  assert.equal(reopenOrTell(log, 'log', log), false);
  log.error('after');
  await log.flush();
  const lines = readFileSync(`${filePath}.1`, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.equal(lines.length, 3);
  assert.equal(lines[1]?.['level'], 'error');
  assert.equal(lines[1]?.['pid'], process.pid);
  const message = String(lines[1]?.['message']);
  assert.match(message, /^the log cannot be opened anew: EISDIR/);
  assert.ok(message.includes(filePath));
  assert.match(message, /lines go on into the old file: .* send SIGUSR1 to the primary again$/);

  rmSync(filePath, { recursive: true });
  assert.equal(reopenOrTell(log, 'log', log), true);
  log.error('new');
  await log.flush();
  assert.match(readFileSync(filePath, 'utf8'), /"new"/);
});

test('whatever is thrown becomes a sentence', () => {
  const reopen = (): void => {
    throw 'no reason';
  };
  assert.match(reopenProblem({ reopen }, 'access log') ?? '', /^the access log cannot .*: no reason; /);
  assert.equal(reopenProblem({ reopen: () => undefined }, 'access log'), null);
});
