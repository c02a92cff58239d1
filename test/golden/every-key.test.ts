// Every key of every schema stands in a golden case, with a value that its Snapshot shows.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadDynamic } from '../../src/config/dynamic/load.ts';
import { dynamicSchema } from '../../src/config/dynamic/schema.ts';
import type { Tree } from '../../src/config/tree.ts';
import { entryPoint } from '../support/specs.ts';
import { resolveSources } from '../unit/config/dynamic/support.ts';
import { allInputs, filesOf, keysOf, leavesOf, mentioned, replaced } from './inputs.ts';

const keys = keysOf(dynamicSchema, '');

test('every key of the dynamic configuration stands in a golden case', () => {
  assert.ok(keys.length > 300);
  const written = new Set(allInputs().flatMap((tree) => mentioned(dynamicSchema, tree)));
  const missing = keys.filter(({ path }) => !written.has(path)).map(({ path }) => path);
  assert.deepEqual(
    missing,
    [],
    'write them into test/golden/cases/every-*/, each with a value that is no default',
  );
});

/** What the Snapshot cannot show, and why. */
const unseen: readonly (readonly [RegExp, string])[] = [
  [/\.forwardAuth\.cache\.shared$/, 'only its default is allowed'],
  [/\.healthCheck\.mode$/, 'its default and another value stand in two services'],
  [/\.loadBalancer\.strategy$/, 'its default and others stand in several services'],
  [/^http\.routers\.\*\.tls\.domains\./, 'tls is told to be without effect as a whole'],
  [/^tls\./, 'not part of the Snapshot'],
];

test('in these cases every value makes a difference to the Snapshot', () => {
  const silent = new Set<string>();
  const shown = new Set<string>();
  for (const name of ['every-middleware-key', 'every-service-key', 'every-router-key']) {
    for (const tree of filesOf(name)) {
      const whole = snapshotOf(tree);
      for (const leaf of leavesOf(dynamicSchema, tree)) {
        const [path] = mentioned(dynamicSchema, alone(tree, leaf)).slice(-1);
        if (path === undefined) continue;
        (snapshotOf(replaced(tree, leaf, null)) === whole ? silent : shown).add(path);
      }
    }
  }
  const later = new Set(keys.filter(({ isLater }) => isLater).map(({ path }) => path));
  const found = [...silent].filter(
    (path) => !shown.has(path) && !later.has(path) && !unseen.some(([pattern]) => pattern.test(path)),
  );
  assert.deepEqual(found, [], 'these are defaults, or nobody reads them');
});

function snapshotOf(tree: Tree): string {
  const { config } = loadDynamic(tree, 'f');
  const entryPoints = [entryPoint('web'), entryPoint('websecure', { port: 443 })];
  const { snapshot } = resolveSources([{ provider: 'file', parts: [config] }], { entryPoints });
  return JSON.stringify({ ...snapshot, hash: '' }, (_, value) =>
    typeof value === 'bigint' ? String(value) : value,
  );
}

/** Nothing but what stands at `path`. */
function alone(tree: Tree, path: readonly string[]): Tree {
  const [key, ...rest] = path;
  if (key === undefined) return tree;
  if (tree.kind === 'list') return { ...tree, items: [alone(tree.items[Number(key)] as Tree, rest)] };
  if (tree.kind !== 'map') return tree;
  const entry = tree.entries.get(key) as { key: Tree['where']; node: Tree };
  return { ...tree, entries: new Map([[key, { key: entry.key, node: alone(entry.node, rest) }]]) };
}
