// The table of faults in the documentation names tests: each of them is there.

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const table = readFileSync(new URL('../../docs/reliability.md', import.meta.url), 'utf8');

test('every test that docs/reliability.md names for a fault is in the files', () => {
  const files = globSync('test/**/*.test.ts').map((file) => readFileSync(file, 'utf8'));
  const named = rowsUnder('## Faults').map((cells) => cells.at(-1) ?? '');
  assert.ok(named.length >= 25, `${named.length} rows`);
  const missing = named.filter((name) => !files.some((text) => holds(text, name)));
  assert.deepEqual(missing, []);
});

test('each row of that table says what is allowed and what was seen', () => {
  for (const cells of rowsUnder('## Faults')) {
    assert.equal(cells.length, 5, cells.join(' | '));
    for (const cell of cells) assert.notEqual(cell, '');
  }
});

/** Cells of the table's rows, without its head. */
function rowsUnder(heading: string): readonly string[][] {
  const section = table.split(`${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  return section
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .slice(2)
    .map((line) =>
      line
        .slice(1, line.lastIndexOf('|'))
        .split('|')
        .map((cell) => cell.trim()),
    );
}

/** As a name in quotes; `${engine}` and the like stand for one word. */
function holds(text: string, name: string): boolean {
  if (["'", '`'].some((quote) => text.includes(`${quote}${name}${quote}`))) return true;
  return [...text.matchAll(/`([^`\n]*\$\{\w+\}[^`\n]*)`/g)].some(([, template = '']) => {
    const parts = template.split(/\$\{\w+\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    return parts.join('').length > 20 && new RegExp(`^${parts.join('\\w+')}$`).test(name);
  });
}
