// The browser's part and the gateway import nothing of each other.

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const src = fileURLToPath(new URL('../../../src/', import.meta.url));

test('the dashboard imports its own files, preact and uplot, and nobody imports it', () => {
  for (const file of globSync('**/*.{ts,tsx}', { cwd: src })) {
    const text = readFileSync(src + file, 'utf8');
    const imported = [...text.matchAll(/(?:from|import) '([^']+)'/g)].map(([, name]) => name as string);
    if (!file.startsWith('dashboard/')) {
      assert.deepEqual(
        imported.filter((name) => /\/dashboard\/(?!.*-files)/.test(name)),
        [],
        file,
      );
      continue;
    }
    if (file === 'dashboard/build.ts') continue;
    const depth = file.split('/').length - 2;
    for (const name of imported) {
      const isOwn = name.startsWith('./') || (name.match(/\.\.\//g)?.length ?? 9) <= depth;
      assert.ok(isOwn || /^(preact|uplot)(\/|$)/.test(name), `${file} imports ${name}`);
    }
  }
});
