// YAML and TOML of dynamic files: both say what was written, and of garbage they say where it is.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { loadDynamic } from '../../src/config/dynamic/load.ts';
import { labelsToTree } from '../../src/config/sources/labels.ts';
import { parseToml } from '../../src/config/sources/toml.ts';
import { parseYamlAgain } from '../../src/config/sources/yaml-again.ts';
import { maxYamlDepth, maxYamlNodes, parseYaml } from '../../src/config/sources/yaml.ts';
import type { Tree } from '../../src/config/tree.ts';
import type { Diagnostic } from '../../src/model/diagnostic.ts';
import {
  anyConfig,
  leavesOf,
  quote,
  said,
  toBlock,
  toEntries,
  type Entries,
  toFlow,
  toLabels,
  toToml,
} from './config-trees.ts';
import { applyChanges, bytes, changes, cpuTime, fuzz, property, soup } from './fuzz.ts';

const yamlPieces = [
  'a',
  ': ',
  ':',
  '- ',
  '-',
  '\n',
  '\n  ',
  '\t',
  '{',
  '}',
  '[',
  ']',
  ',',
  '"',
  "'",
  '&a',
  '*a',
  '*b',
  '<<: ',
  '? ',
  '| ',
  '>\n',
  '#',
  '!!binary ',
  '!x ',
  '---\n',
  '...\n',
  '%YAML 1.1\n',
  '0x1',
  '~',
  '\\',
  '\0',
  '\ufeff',
  '\ud800',
  '\r',
  '\u2028',
  '@',
  '`',
];
const tomlPieces = [
  'a',
  '=',
  ' = ',
  '[',
  ']',
  '[[',
  ']]',
  '.',
  '"',
  '"""',
  "'''",
  "'",
  '\n',
  '\r\n',
  '\r',
  '#',
  '{',
  '}',
  ',',
  '1',
  '0x',
  '1e',
  '2026-01-01',
  'T00:00:00Z',
  'true',
  '\\u00',
  '\\',
  '\0',
  '\t',
  '\ud800',
  '\x7f',
  '__proto__',
  'inf',
  'nan',
  '_',
];
const yamlGarbage = fc.oneof(
  soup(yamlPieces, 25),
  fc
    .tuple(anyConfig, changes(fc.constantFrom(...yamlPieces), 3))
    .map(([value, edits]) => applyChanges(toBlock(value), edits)),
  bytes(60),
);
const tomlGarbage = fc.oneof(
  soup(tomlPieces, 20),
  fc
    .tuple(anyConfig, changes(fc.constantFrom(...tomlPieces), 3))
    .map(([value, edits]) => applyChanges(toToml(value), edits)),
  bytes(60),
);

const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,6}$/);
const router = fc.record(
  {
    rule: fc.constantFrom('Host(`a.test`)', 'PathPrefix(`/a`) && Method(`GET`)', 'Host(`a', ''),
    service: name,
    entryPoints: fc.array(name, { maxLength: 3 }),
    middlewares: fc.array(name, { maxLength: 3 }),
    priority: fc.integer({ min: -5, max: 1_000_000 }),
    tls: fc.record(
      {
        certResolver: name,
        domains: fc.array(
          fc.record(
            { main: name, sans: fc.array(name, { minLength: 1, maxLength: 2 }) },
            { noNullPrototype: true },
          ),
          { minLength: 1, maxLength: 3 },
        ),
      },
      { noNullPrototype: true },
    ),
  },
  { requiredKeys: ['rule', 'service'], noNullPrototype: true },
);
const middleware = fc.oneof(
  fc.record(
    {
      stripPrefix: fc.record(
        {
          prefixes: fc.array(
            name.map((one) => `/${one}`),
            { minLength: 1, maxLength: 3 },
          ),
        },
        { noNullPrototype: true },
      ),
    },
    { noNullPrototype: true },
  ),
  fc.record(
    {
      rateLimit: fc.record(
        {
          average: fc.integer({ min: -1, max: 100 }),
          burst: fc.integer({ min: 1, max: 100 }),
          period: fc.constantFrom('1s', '1m', 5, 'x'),
        },
        { noNullPrototype: true },
      ),
    },
    { noNullPrototype: true },
  ),
  fc.record(
    {
      headers: fc.record(
        {
          customRequestHeaders: fc.dictionary(fc.constantFrom('X-A', 'x-b', '__proto__'), name, {
            minKeys: 1,
            maxKeys: 2,
            noNullPrototype: true,
          }),
          sslRedirect: fc.boolean(),
          stsSeconds: fc.nat(100),
        },
        { noNullPrototype: true },
      ),
    },
    { noNullPrototype: true },
  ),
  fc.record(
    {
      addPrefix: fc.record({ prefix: fc.constantFrom('/a', 'a', '') }, { noNullPrototype: true }),
      other: fc.constant(1),
    },
    { requiredKeys: ['addPrefix'], noNullPrototype: true },
  ),
);
const objects = <T>(value: fc.Arbitrary<T>) =>
  fc.dictionary(name, value, { minKeys: 1, maxKeys: 4, noNullPrototype: true });
const dynamic = fc
  .record({ routers: objects(router), middlewares: objects(middleware) }, { noNullPrototype: true })
  .map((http) => ({ http }) as unknown as Entries);

fuzz('files', [
  property(
    'what is written as YAML in blocks, in flow and as TOML is what is read',
    anyConfig,
    (value) => {
      for (const text of [toBlock(value), toFlow(value)]) {
        const yaml = parseYaml(text, 'x.yml');
        assert.deepEqual(yaml.diagnostics, [], text);
        assert.deepEqual(said(yaml.tree), value, text);
      }
      const toml = parseToml(toToml(value), 'x.toml');
      assert.deepEqual(toml.diagnostics, [], toToml(value));
      assert.deepEqual(said(toml.tree), value, toToml(value));
    },
    600,
  ),
  property(
    'every value is where it is said to be',
    anyConfig,
    (value) => {
      for (const [text, parse] of [
        [toBlock(value), parseYaml],
        [toToml(value), parseToml],
      ] as const) {
        const lines = text.split('\n');
        for (const { where, value: scalar } of scalarsOf(parse(text, 'x').tree)) {
          const rest = lines[(where.line ?? 0) - 1]?.slice((where.column ?? 0) - 1) ?? '';
          assert.ok(
            rest.startsWith(typeof scalar === 'string' ? quote(scalar) : String(scalar)),
            `${where.line}:${where.column} in ${text}`,
          );
        }
      }
    },
    300,
  ),
  property(
    'the same configuration means the same as YAML, TOML and labels, mistakes included',
    dynamic,
    (value) => {
      const yaml = loaded(parseYaml(toBlock(value), 'x').tree);
      assert.deepEqual(loaded(parseToml(toToml(value), 'x').tree), yaml);
      const labels = labelsToTree(toLabels(value, 'traefik'), 'x');
      const fromLabels = loaded(labels.tree);
      assert.deepEqual(fromLabels.codes, yaml.codes);
      // A list of nothing cannot be written as a label.
      if (!JSON.stringify(value).includes('[]')) assert.deepEqual(fromLabels.config, yaml.config);
    },
    200,
  ),
  property(
    'garbage as YAML has a place within the text for all that is wrong',
    yamlGarbage,
    (text) => {
      const { tree, diagnostics } = parseYaml(text, 'x.yml');
      checkPlaces(text, diagnostics);
      if (diagnostics.some(({ code }) => code === 'config.too_large')) assert.equal(tree, null);
      if (tree !== null) loadDynamic(tree, 'x.yml');
      const { tree: again } = parseYamlAgain(text, 'x.yml', null).parsed;
      assert.deepEqual(again, tree);
    },
    1_500,
  ),
  property(
    'garbage as TOML has a place within the text for all that is wrong',
    tomlGarbage,
    (text) => {
      const { tree, diagnostics } = parseToml(text, 'x.toml');
      checkPlaces(text, diagnostics);
      assert.ok(tree === null || diagnostics.length === 0);
      if (tree !== null) loadDynamic(tree, 'x.toml');
    },
    1_500,
  ),
  property(
    'aliases unfold to a bounded number of values, in bounded time',
    fc.tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 }), fc.boolean()),
    ([levels, width, merges]) => {
      const text = bomb(levels, width, merges);
      let read: ReturnType<typeof parseYaml> | null = null;
      const spent = cpuTime(() => (read = parseYaml(text, 'x.yml')));
      assert.ok(spent < 8_000, `${spent} ms for ${levels} levels of ${width}`);
      const { tree, diagnostics } = read as unknown as ReturnType<typeof parseYaml>;
      checkPlaces(text, diagnostics);
      if (merges) return;
      if (width ** levels > maxYamlNodes) assert.equal(diagnostics[0]?.code, 'config.too_large');
      if (diagnostics.length === 0)
        assert.ok(leavesOf(tree) <= maxYamlNodes && leavesOf(tree) >= width ** levels);
      else assert.equal(tree, null);
    },
    4,
  ),
  property(
    'aliases in any number are found in time that grows with their number',
    fc.integer({ min: 1, max: 20_000 }),
    (count) => {
      const text = `a: &a 1\nb: [${'*a, '.repeat(count)}]\n`;
      let read: ReturnType<typeof parseYaml> | null = null;
      const spent = cpuTime(() => (read = parseYaml(text, 'x.yml')));
      assert.ok(spent < 2_000, `${spent} ms`);
      assert.equal(leavesOf((read as unknown as ReturnType<typeof parseYaml>).tree), count + 1);
    },
    3,
  ),
  property(
    'depth is bounded, and no text of one piece takes long',
    fc.tuple(
      fc.constantFrom(
        '[',
        '{a: ',
        '- ',
        'a.',
        '[[a]]\n',
        '&a ',
        '*a ',
        '!!x ',
        '? ',
        '"',
        "'",
        '#',
        '\n',
        ' ',
        '<<: ',
        '| ',
        '%',
        '\t',
        'a: [',
        'a={',
        '1',
        '_',
        '.1',
        '-',
      ),
      fc.integer({ min: 1, max: 20_000 }),
    ),
    ([unit, count]) => {
      for (const [text, parse] of [
        [unit.repeat(count), parseYaml],
        [`a = ${unit.repeat(count)}`, parseToml],
        [unit.repeat(count), parseToml],
      ] as const) {
        let read: ReturnType<typeof parseYaml> | null = null;
        const spent = cpuTime(() => (read = parse(text, 'x')));
        assert.ok(spent < 4_000, `${spent} ms`);
        const { tree, diagnostics } = read as unknown as ReturnType<typeof parseYaml>;
        checkPlaces(text, diagnostics);
        assert.ok(depthOf(tree, 0) <= maxYamlDepth + 1);
      }
    },
    12,
  ),
]);

function checkPlaces(text: string, diagnostics: readonly Diagnostic[]): void {
  const lines = text.split('\n');
  for (const { where, message } of diagnostics) {
    assert.ok(message !== '' && !message.includes('\n'));
    if (where.line === undefined) {
      assert.match(message, /nested too deeply|cannot be read/);
      continue;
    }
    assert.ok(
      where.line >= 1 && where.line <= lines.length,
      `line ${where.line} of ${lines.length}: ${message}`,
    );
    const length = (lines[where.line - 1] as string).length;
    assert.ok(
      (where.column ?? 1) >= 1 && (where.column ?? 1) <= length + 1,
      `column ${where.column} of ${length}: ${message}`,
    );
  }
}

function scalarsOf(tree: Tree | null): (Tree & { kind: 'scalar' })[] {
  if (tree === null) return [];
  if (tree.kind === 'scalar') return [tree];
  const children = tree.kind === 'list' ? tree.items : [...tree.entries.values()].map(({ node }) => node);
  return children.flatMap(scalarsOf);
}

function depthOf(tree: Tree | null, depth: number): number {
  if (tree === null || tree.kind === 'scalar') return depth;
  const children = tree.kind === 'list' ? tree.items : [...tree.entries.values()].map(({ node }) => node);
  return children.reduce((most, child) => Math.max(most, depthOf(child, depth + 1)), depth);
}

/** Without places and what hangs on them. */
function loaded(tree: Tree | null): { readonly config: unknown; readonly codes: readonly string[] } {
  const { config, diagnostics } = loadDynamic(tree, 'x');
  return {
    config: withoutPlaces(config),
    codes: diagnostics.map(({ code, severity }) => `${severity} ${code}`).sort(),
  };
}

function withoutPlaces(value: unknown): unknown {
  if (value instanceof Map)
    return toEntries([...value].map(([key, item]) => [key, withoutPlaces(item) as never]));
  if (Array.isArray(value)) return value.map(withoutPlaces);
  // A message quotes what a label says as text.
  if (typeof value === 'string') return value.replaceAll('"', '');
  if (typeof value !== 'object' || value === null) return value;
  if (Object.hasOwn(value, 'source') && !Object.hasOwn(value, 'routers')) return 'a place';
  return toEntries(Object.entries(value).map(([key, item]) => [key, withoutPlaces(item) as never]));
}

function bomb(levels: number, width: number, merges: boolean): string {
  let text = merges ? 'l0: &l0 {k0: 1}\n' : 'l0: &l0 x\n';
  for (let level = 1; level <= levels; level++) {
    const aliases = Array.from({ length: width }, () => `*l${level - 1}`).join(', ');
    text += merges
      ? `l${level}: &l${level} {<<: [${aliases}], k${level}: 1}\n`
      : `l${level}: &l${level} [${aliases}]\n`;
  }
  return text;
}
