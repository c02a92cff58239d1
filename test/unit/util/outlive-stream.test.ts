// A process that serves HTTP/2 must not end because of header sections that nobody ends.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../../support/half-sections.ts', import.meta.url));

test('three thousand sessions end with a header section half read, and the process lives', () => {
  // Unguarded it ends within the first thousand: younger generations this small are collected often.
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['--max-semi-space-size=1', program, 'held', '3000'],
    { encoding: 'utf8', timeout: 60_000 },
  );
  assert.equal(stdout.trim(), 'alive', stderr.slice(0, 2_000));
  assert.equal(status, 0);
});
