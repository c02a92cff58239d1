// What a served request leaves behind: nothing that only a full collection would find.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const program = fileURLToPath(new URL('../../support/serve-garbage.ts', import.meta.url));

test('requests served by code that is not optimised yet are gone with the next scavenge', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [program], { timeout: 50_000 });
  const { left } = JSON.parse(stdout) as { readonly left: number };
  // Bytes a request; a whole one is about 1 KiB here.
  assert.ok(left < 100, `${left} bytes of each request stayed`);
});
