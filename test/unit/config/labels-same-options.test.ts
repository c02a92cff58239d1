// From labels, the keys of middlewares, routers and balancers give what they give from a file: every object of
// the golden cases is written again as labels.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { z } from 'zod';
import { canonicalKey, childOf, layoutOf } from '../../../src/config/decode/layout.ts';
import { loadDynamic } from '../../../src/config/dynamic/load.ts';
import { definitions, middlewareSchema } from '../../../src/config/dynamic/middleware-schema.ts';
import { dynamicSchema, routerSchema, serviceSchema } from '../../../src/config/dynamic/schema.ts';
import { labelsToTree } from '../../../src/config/sources/labels.ts';
import type { Tree } from '../../../src/config/tree.ts';
import { filesOf, keysOf, mentioned } from '../../golden/inputs.ts';

const cases = ['every-middleware-key', 'every-service-key', 'every-router-key'];
const compared = new Set<string>();

test('middlewares, routers and balancers mean the same as labels and in a file', () => {
  for (const name of cases) {
    for (const tree of filesOf(name)) {
      for (const [path, node] of objectsOf(tree)) compare(path, node);
    }
  }
});

test('every key that labels can write was compared', () => {
  const wanted = [
    ...keysOf(middlewareSchema, 'http.middlewares.*'),
    ...keysOf(routerSchema, 'http.routers.*'),
    ...keysOf(serviceSchema, 'http.services.*').filter(({ path }) => path.includes('.loadBalancer.')),
  ];
  const left = wanted.filter(({ path }) => !compared.has(path)).map(({ path }) => path);
  // A container has one server, without an index; what is refused by name is no option.
  const others = /\.servers\.|\.parentRefs$|\.sticky\.header\./;
  assert.deepEqual(
    left.filter((path) => !others.test(path)),
    [],
  );
  for (const kind of definitions.keys()) {
    // What a plugin takes, its module says.
    if (kind !== 'plugin')
      assert.ok([...compared].some((path) => path.startsWith(`http.middlewares.*.${kind}`)));
  }
});

/** Each object of the sections that labels have, below `http.<section>.<name>`. */
function objectsOf(tree: Tree): [readonly string[], Tree][] {
  return ['middlewares', 'routers', 'services'].flatMap((section) => {
    const objects = at(tree, ['http', section]);
    if (objects?.kind !== 'map') return [];
    return [...objects.entries].map(([name, { node }]): [readonly string[], Tree] => [
      ['http', section, name],
      section === 'services' ? withoutServers(node) : node,
    ]);
  });
}

function compare(path: readonly string[], node: Tree): void {
  if (path[1] === 'services' && at(node, ['loadBalancer']) === null) return;
  const labels: Record<string, string> = {};
  const schema = { middlewares: middlewareSchema, routers: routerSchema, services: serviceSchema }[
    path[1] as string
  ];
  assert.ok(schema);
  write(node, schema as z.ZodType, ['traefik', ...path].join('.'), labels);
  const read = labelsToTree(labels, 'app');
  assert.deepEqual(read.diagnostics, [], path.join('.'));
  assert.ok(read.tree);
  const fromFile = wrap(path, node);
  assert.deepEqual(loaded(read.tree, path), loaded(fromFile, path), JSON.stringify(labels, null, 1));
  for (const key of mentioned(dynamicSchema, fromFile)) compared.add(key);
}

function loaded(tree: Tree, [, section, name]: readonly string[]): unknown {
  const { config, diagnostics } = loadDynamic(tree, 'f');
  assert.deepEqual(
    diagnostics.filter(({ severity }) => severity === 'error'),
    [],
    name,
  );
  const objects = config[section as 'middlewares' | 'routers' | 'services'];
  return objects.get(name as string)?.value;
}

/** In label spelling: the levels in lower case, names of headers and claims as they are, lists with commas. */
function write(node: Tree, schema: z.ZodType, label: string, labels: Record<string, string>): void {
  const layout = layoutOf(schema, node);
  if (node.kind === 'scalar') labels[label] = String(node.value);
  else if (node.kind === 'list' && layout.kind === 'array' && layoutOf(layout.element, node).kind !== 'leaf')
    node.items.forEach((item, index) => write(item, layout.element, `${label}[${index}]`, labels));
  else if (node.kind === 'list') {
    const texts = node.items.map((item) => String((item as { value: unknown }).value));
    assert.ok(
      !texts.some((text) => text.includes(',')),
      `${label}: a label cannot hold an item with a comma`,
    );
    labels[label] = texts.join(',');
  } else {
    if (node.entries.size === 0) labels[label] = 'true';
    for (const [key, { node: below }] of node.entries) {
      if (layout.kind === 'object')
        write(
          below,
          childOf(layout, canonicalKey(layout, key) ?? ''),
          `${label}.${key.toLowerCase()}`,
          labels,
        );
      else if (layout.kind === 'map') write(below, layout.value, `${label}.${key}`, labels);
    }
  }
}

function withoutServers(service: Tree): Tree {
  const balancer = at(service, ['loadBalancer']);
  if (service.kind !== 'map' || balancer?.kind !== 'map') return service;
  const entries = new Map([...balancer.entries].filter(([key]) => key !== 'servers'));
  const isBare = entries.size === 0;
  const where = service.where;
  // A balancer that has nothing but servers is none without them.
  if (isBare) entries.set('passHostHeader', { key: where, node: { kind: 'scalar', value: true, where } });
  return {
    ...service,
    entries: new Map([...service.entries, ['loadBalancer', { key: where, node: { ...balancer, entries } }]]),
  };
}

function at(tree: Tree, path: readonly string[]): Tree | null {
  let found: Tree | null = tree;
  for (const key of path) found = found?.kind === 'map' ? (found.entries.get(key)?.node ?? null) : null;
  return found;
}

function wrap(path: readonly string[], node: Tree): Tree {
  return path.reduceRight<Tree>(
    (below, key) => ({
      kind: 'map',
      entries: new Map([[key, { key: below.where, node: below }]]),
      where: below.where,
    }),
    node,
  );
}
