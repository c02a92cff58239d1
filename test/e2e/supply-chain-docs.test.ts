// What docs/security.md says is so: its limits are those of the sources, its tests exist.

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readLimits, withLimits } from '../../ops/limits.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const document = readFileSync(new URL('../../docs/security.md', import.meta.url), 'utf8');

test('the limits in docs/security.md are up to date', () => {
  assert.ok(readLimits(root).length > 250);
  assert.ok(withLimits(document, root) === document, 'they are not: run `npm run limits`');
});

for (const name of ['security', 'reliability'])
  test(`every test that a table of docs/${name}.md names is in the files`, () => {
    const text = readFileSync(new URL(`../../docs/${name}.md`, import.meta.url), 'utf8');
    const files = globSync('test/**/*.test.ts', { cwd: root }).map((file) =>
      readFileSync(`${root}${file}`, 'utf8'),
    );
    const named = namedTests(text);
    assert.ok(named.length >= 25, `${named.length} rows`);
    assert.deepEqual(
      named.filter((one) => !files.some((file) => holds(file, one))),
      [],
    );
  });

/** Of every table whose last column is `test`. */
function namedTests(text: string): string[] {
  return text.split('\n\n').flatMap((block) => {
    const lines = block.trim().split('\n');
    if (!(lines[0] ?? '').endsWith('| test |')) return [];
    return lines
      .slice(2)
      .map((line) => line.slice(0, line.lastIndexOf('|')).split(' | ').at(-1)?.trim() ?? '');
  });
}

/** As a name in quotes; `${engine}` and the like stand for one word. */
function holds(text: string, name: string): boolean {
  if (["'", '`'].some((quote) => text.includes(`${quote}${name}${quote}`))) return true;
  return [...text.matchAll(/`([^`\n]*\$\{\w+\}[^`\n]*)`/g)].some(([, template = '']) => {
    const parts = template.split(/\$\{\w+\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    return parts.join('').length > 20 && new RegExp(`^${parts.join('\\w+')}$`).test(name);
  });
}
