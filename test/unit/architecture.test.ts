// The table of arrows in ARCHITECTURE.md and the linter's overrides say the same.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

interface Override {
  readonly files: readonly string[];
  readonly rules: {
    readonly 'no-restricted-imports'?: readonly [
      string,
      { readonly patterns: readonly { group: string[] }[] },
    ];
  };
}

const root = new URL('../../', import.meta.url);

test('the arrows written in ARCHITECTURE.md are the ones the linter enforces', () => {
  const written = readTable(readFileSync(new URL('ARCHITECTURE.md', root), 'utf8'));
  const rooms = [...written.keys()];
  const overrides = readOverrides();
  assert.ok(rooms.length > 5, 'the table `| room | may import |` was not found');

  for (const [folder, forbidden] of overrides) {
    const room = folder.split('/')[0] as string;
    const allowed = written.get(room);
    assert.ok(allowed, `${room} is linted but not in the table`);
    const expected = rooms.filter((other) => other !== room && !allowed.includes(other));
    assert.deepEqual([...forbidden.rooms].sort(), expected.sort(), `what ${folder} must not import`);
    const doors = allowed.filter((name) => name.includes('/'));
    assert.deepEqual([...forbidden.except].sort(), doors.sort(), `doors left open to ${folder}`);
  }
  for (const room of rooms) assert.ok(overrides.has(room), `${room} is in the table but not linted`);
});

/** Rows of the first table whose header is `| room | may import |`. */
function readTable(markdown: string): Map<string, string[]> {
  const lines = markdown.split('\n');
  const start = lines.findIndex((line) => /^\|\s*room\s*\|\s*may import\s*\|/i.test(line));
  const table = new Map<string, string[]>();
  if (start < 0) return table;
  for (const line of lines.slice(start + 2)) {
    if (!line.startsWith('|')) break;
    const [, room = '', allowed = ''] = line.split('|');
    const names = allowed.match(/[a-z]+(?:\/[a-z]+)*/g) ?? [];
    table.set(
      room.replaceAll('`', '').trim(),
      names.filter((name) => name !== 'nothing'),
    );
  }
  return table;
}

function readOverrides(): Map<string, { rooms: string[]; except: string[] }> {
  const config = JSON.parse(readFileSync(new URL('.oxlintrc.json', root), 'utf8')) as {
    overrides: Override[];
  };
  const found = new Map<string, { rooms: string[]; except: string[] }>();
  for (const override of config.overrides) {
    const folder = /^src\/(.+)\/\*\*$/.exec(override.files[0] ?? '')?.[1];
    const rule = override.rules['no-restricted-imports'];
    if (folder === undefined || rule === undefined) continue;
    const groups = rule[1].patterns.flatMap((pattern) => pattern.group);
    found.set(folder, {
      rooms: groups.filter((group) => group.startsWith('**/')).map(inner),
      except: groups.filter((group) => group.startsWith('!')).map((group) => inner(group.slice(1))),
    });
  }
  return found;
}

function inner(group: string): string {
  return group.replace(/^\*\*\//, '').replace(/\/\*\*$/, '');
}
