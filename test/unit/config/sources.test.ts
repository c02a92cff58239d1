// Texts, flags and variables into trees.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseEnv } from '../../../src/config/sources/env.ts';
import { parseFlags } from '../../../src/config/sources/flags.ts';
import type { FlagKind } from '../../../src/config/sources/flags.ts';
import { parseToml } from '../../../src/config/sources/toml.ts';
import { parseYaml } from '../../../src/config/sources/yaml.ts';
import type { Tree } from '../../../src/config/tree.ts';

function plain(tree: Tree | null): unknown {
  if (tree === null) return null;
  if (tree.kind === 'scalar') return tree.value;
  if (tree.kind === 'list') return tree.items.map(plain);
  return Object.fromEntries([...tree.entries].map(([key, { node }]) => [key, plain(node)]));
}

function codes(parsed: { diagnostics: readonly { code: string }[] }): string[] {
  return parsed.diagnostics.map(({ code }) => code);
}

test('YAML anchors, aliases and merges are resolved, and what stands in the map wins', () => {
  const { tree, diagnostics } = parseYaml(
    'a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: *a\nd: {<<: [{q: 1}, *a]}\n',
    'f',
  );
  assert.deepEqual(diagnostics, []);
  const a = { x: 1, y: 2 };
  assert.deepEqual(plain(tree), { a, b: { y: 3, x: 1 }, c: a, d: { q: 1, x: 1, y: 2 } });
});

test('YAML places have line, column and path', () => {
  const { tree } = parseYaml('http:\n  routers:\n    - rule: x\n', 'f');
  assert.ok(tree?.kind === 'map');
  const routers = tree.entries.get('http')?.node;
  assert.ok(routers?.kind === 'map');
  assert.deepEqual(routers.entries.get('routers')?.key, {
    source: 'f',
    line: 2,
    column: 3,
    path: 'http.routers',
  });
});

test('YAML keeps the last digit of 2^63 - 2 and leaves yes, on and 0o17 to the core schema', () => {
  assert.deepEqual(plain(parseYaml('a: 9223372036854775806\nb: yes\nc: on\nd: 0o17', 'f').tree), {
    a: 9223372036854775806n,
    b: 'yes',
    c: 'on',
    d: 15,
  });
});

test('a YAML key written twice is an error that names both places', () => {
  const { diagnostics } = parseYaml('a: 1\nb: 2\na: 3', 'f');
  assert.equal(diagnostics[0]?.code, 'config.duplicate_key');
  assert.equal(diagnostics[0].where.line, 3);
  assert.equal(diagnostics[0].related?.[0]?.line, 1);
});

test('a YAML alias bomb stops at a bound', () => {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
  for (let level = 1; level < 9; level += 1)
    lines.push(
      `a${level}: &a${level} [${Array(10)
        .fill(`*a${level - 1}`)
        .join(', ')}]`,
    );
  const parsed = parseYaml(lines.join('\n'), 'f');
  assert.equal(parsed.tree, null);
  assert.deepEqual(codes(parsed), ['config.too_large']);
});

test('a YAML alias of itself and nesting without end stop at a bound', () => {
  assert.equal(parseYaml('a: &a\n  b: *a\n', 'f').tree, null);
  assert.equal(parseYaml('['.repeat(2000) + ']'.repeat(2000), 'f').tree, null);
});

test('several YAML documents, unclosed brackets and maps as keys are errors', () => {
  assert.deepEqual(codes(parseYaml('a: 1\n---\nb: 2\n', 'f')), ['config.several_documents']);
  assert.deepEqual(codes(parseYaml('a: [1\nb: 2\n', 'f')).includes('config.syntax'), true);
  assert.deepEqual(codes(parseYaml('? {a: 1}\n: 2\n', 'f')), ['config.syntax']);
});

test('what people get wrong in YAML comes with the way to write it', () => {
  const hint = (text: string): string => parseYaml(text, 'f').diagnostics[0]?.hint ?? '';
  assert.match(hint('rule: "HostRegexp(`^a\\.b$`)"\n'), /backslash stands twice, as in `\\\\\.`/);
  assert.match(hint('a:\n\tb: 1\n'), /indent with spaces/);
  for (const text of ['rule: `x`\n', 'rule: @x\n', 'a: b: c\n']) assert.match(hint(text), /in quotes: '…'/);
});

test('an empty YAML text has no tree and no complaint', () => {
  for (const text of ['', '# only words\n', '---\n', 'null'])
    assert.deepEqual(parseYaml(text, 'f'), { tree: null, diagnostics: [] });
});

test('TOML tables, dotted keys, arrays of tables and inline tables come out as one tree', () => {
  const text =
    'a.b = 1\n[c]\nd = "x"\n[[e.f]]\ng = 9223372036854775806\n[[e.f]]\ng = 2\n[e.f.h]\ni = true\n[j]\nk = {l = [1, 2.5]}\n';
  const { tree, diagnostics } = parseToml(text, 'f');
  assert.deepEqual(diagnostics, []);
  assert.deepEqual(plain(tree), {
    a: { b: 1 },
    c: { d: 'x' },
    e: { f: [{ g: 9223372036854775806n }, { g: 2, h: { i: true } }] },
    j: { k: { l: [1, 2.5] } },
  });
});

test('a TOML mistake has its line', () => {
  const { tree, diagnostics } = parseToml('a = 1\nb =\n', 'f');
  assert.equal(tree, null);
  assert.equal(diagnostics[0]?.where.line, 2);
  assert.equal(parseToml('a = 1\na = 2\n', 'f').diagnostics.length, 1);
});

const kinds: Record<string, FlagKind> = {
  ping: 'switch',
  'log.level': 'value',
  'api.dashboard': 'switch',
  mid: 'list',
};
const kindOf = (path: readonly string[]): FlagKind => kinds[path.join('.').toLowerCase()] ?? 'unknown';

test('flags: one dash or two, value after = or a blank, bare switches, joined lists', () => {
  const parsed = parseFlags(
    ['-ping', '--Log.Level', 'DEBUG', '--api.dashboard=false', '--mid=a', '--mid', 'b', '--'],
    kindOf,
  );
  assert.deepEqual(parsed.diagnostics, []);
  assert.deepEqual(plain(parsed.tree), {
    ping: 'true',
    Log: { Level: 'DEBUG' },
    api: { dashboard: 'false' },
    mid: 'a,b',
  });
});

test('flags: the last scalar wins with a warning, and levels meet in any case', () => {
  const parsed = parseFlags(['--log.level=a', '--LOG.level=b', '--Log.x=1'], kindOf);
  assert.deepEqual(plain(parsed.tree), { LOG: { level: 'b', x: '1' } });
  assert.deepEqual(codes(parsed), ['config.repeated_flag']);
});

test('flags: stray words and missing values are errors with a hint', () => {
  const parsed = parseFlags(['--api.dashboard', 'false', '--log.level'], kindOf);
  assert.deepEqual(codes(parsed), ['config.syntax', 'config.syntax']);
  assert.match(parsed.diagnostics[0]?.hint ?? '', /--api\.dashboard=false/);
});

test('variables: only known roots count, levels are in lower case', () => {
  const env = { TRAEFIK_LOG_LEVEL: 'x', TRAEFIK_BASE_DOMAIN: 'y', traefik_ping: 'true', PATH: '/' };
  assert.deepEqual(plain(parseEnv(env, ['log', 'ping']).tree), { log: { level: 'x' }, ping: 'true' });
  assert.equal(parseEnv({ TRAEFIK_BASE_DOMAIN: 'y' }, ['log']).tree, null);
});
