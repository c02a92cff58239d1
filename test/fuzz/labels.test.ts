// Labels of containers: the tree they stand for is the tree they were made of, and garbage is told label by label.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { loadDynamic } from '../../src/config/dynamic/load.ts';
import { labelsToTree } from '../../src/config/sources/labels.ts';
import { parseYaml } from '../../src/config/sources/yaml.ts';
import { leavesOf, said, toBlock, toEntries, toLabels, type Entries, type Value } from './config-trees.ts';
import { bytes, cpuTime, fuzz, property, soup } from './fuzz.ts';

// Levels meet in any case, so that a second spelling would be the first one's.
const key = fc.oneof(
  fc.stringMatching(/^[a-z][a-z0-9_-]{0,6}$/),
  fc.constantFrom('__proto__', 'constructor', 'é', '@', ' '),
);
const text = fc
  .oneof(fc.string({ maxLength: 8 }), fc.constantFrom('', ' a ', 'true', '1', '"q"', '`', 'ü', '\n', '='))
  .map((value) => value.replaceAll(',', ''));
// Long enough for an index of two digits.
const list = fc.array(
  text.map((value) => ({ a: value })),
  { minLength: 1, maxLength: 12 },
);
const config: fc.Arbitrary<Entries> = fc
  .letrec<{ value: Value; map: Entries }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 3, depthSize: 'small' },
      text,
      list,
      fc.array(tie('map'), { minLength: 1, maxLength: 3 }),
      tie('map'),
    ),
    map: fc
      .uniqueArray(fc.tuple(key, tie('value')), {
        selector: ([name]) => name.toLowerCase(),
        minLength: 1,
        maxLength: 4,
      })
      .map(toEntries),
  }))
  .map.filter((value) => Object.keys(toLabels(value, '')).length <= 500);

const pieces = [
  'traefik',
  'Traefik',
  '.',
  'http',
  'tcp',
  'tls',
  'docker',
  'enable',
  'routers',
  'services',
  'a',
  'A',
  '[0]',
  '[1]',
  '[00]',
  '[999]',
  '[1000]',
  '[9999999999]',
  '[',
  ']',
  '[-1]',
  '__proto__',
  'rule',
  'loadbalancer',
  'server',
  'port',
  '${x}',
  '=',
  ' ',
  '\0',
  'é',
  '\ud800',
  'frontend',
  'swarm',
];
const label = fc.oneof(
  soup(pieces, 10),
  soup(pieces, 8).map((rest) => `traefik.http.${rest}`),
);
const labels = fc.array(fc.tuple(label, fc.oneof(text, bytes(6))), { maxLength: 8 });

fuzz('labels', [
  property(
    'labels made of a tree read as that tree, in any order',
    fc.tuple(config, fc.nat()),
    ([value, seed]) => {
      const all = Object.entries(toLabels(value, 'traefik.http'));
      const turned = [...all.slice(seed % all.length), ...all.slice(0, seed % all.length)].reverse();
      const { tree, diagnostics } = labelsToTree(toEntries(turned) as Record<string, string>, 'c');
      assert.deepEqual(
        diagnostics.filter(({ severity }) => severity === 'error'),
        [],
      );
      assert.deepEqual(said(tree), { http: sortedLists(value) });
      assert.equal(leavesOf(tree), all.length);
    },
    500,
  ),
  property(
    'labels mean what the same tree means in a file',
    config,
    (value) => {
      const written = { http: sortedLists(value) as Entries };
      const { tree } = labelsToTree(toLabels(value, 'traefik.http'), 'c');
      const codes = (from: typeof tree) =>
        loadDynamic(from, 'c')
          .diagnostics.map(({ code }) => code)
          .sort();
      assert.deepEqual(codes(tree), codes(parseYaml(toBlock(written), 'c').tree));
    },
    300,
  ),
  property(
    'no labels reach beyond their own tree, and what is wrong names its label',
    labels,
    (list) => {
      const all = Object.assign(Object.create(null), Object.fromEntries(list)) as Record<string, string>;
      const { tree, diagnostics } = labelsToTree(all, 'c');
      for (const { where, message } of diagnostics) {
        assert.ok(Object.hasOwn(all, where.path ?? ''), `${message} at ${where.path}`);
        assert.ok(message !== '' && message.length < 500);
      }
      assert.ok(leavesOf(tree) <= list.length);
      assert.equal(Object.keys(Object.prototype).length, 0);
      assert.equal(({} as Record<string, unknown>)['rule'], undefined);
      if (tree !== null) loadDynamic(tree, 'c');
    },
    2_000,
  ),
  property(
    'many labels, long ones and deep ones take little time',
    fc.tuple(
      fc.constantFrom('.a', '[9]', '.a[0]', '.__proto__', '.é', 'a', '[', '.'),
      fc.integer({ min: 1, max: 3_000 }),
      fc.integer({ min: 1, max: 400 }),
    ),
    ([unit, count, times]) => {
      const all = Object.fromEntries(
        Array.from({ length: count }, (_, i) => [
          `traefik.http.routers.r${i}${unit.repeat(times)}`,
          'x'.repeat(i % 100),
        ]),
      );
      let read: ReturnType<typeof labelsToTree> | null = null;
      const spent = cpuTime(() => (read = labelsToTree(all, 'c')));
      assert.ok(spent < 3_000, `${spent} ms`);
      const { tree } = read as unknown as ReturnType<typeof labelsToTree>;
      if (tree !== null) assert.ok(cpuTime(() => loadDynamic(tree, 'c')) < 5_000);
    },
    15,
  ),
]);

/** The tenth item of a list stands before the second: indices are compared as text. */
function sortedLists(value: Value): Value {
  if (typeof value !== 'object') return value;
  if (!Array.isArray(value))
    return toEntries(Object.entries(value).map(([name, item]) => [name, sortedLists(item as Value)]));
  const order = value.map((_, i) => String(i)).sort();
  return order.map((i) => sortedLists(value[Number(i)] as Value));
}
