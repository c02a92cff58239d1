// What questions to the auth server leave behind: next to nothing that only a full collection would find.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const program = fileURLToPath(new URL('../../../support/auth-garbage.ts', import.meta.url));

test('questions to the auth server are gone with the next scavenge', { timeout: 60_000 }, async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [program], { timeout: 50_000 });
  const left = JSON.parse(stdout) as { readonly uncached: number; readonly missed: number };
  // Bytes a question; a whole one is about 4 KiB.
  assert.ok(left.uncached < 400, `without a cache: ${left.uncached}`);
  assert.ok(left.missed < 1_000, `of cache misses: ${left.missed}`);
});
