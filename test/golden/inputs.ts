// What the golden cases write: their files and labels as trees, and the keys of the schemas that these mention.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { z } from 'zod';
import { canonicalKey, childOf, layoutOf } from '../../src/config/decode/layout.ts';
import { labelsToTree } from '../../src/config/sources/labels.ts';
import { parseToml } from '../../src/config/sources/toml.ts';
import { parseYaml } from '../../src/config/sources/yaml.ts';
import { noteOf } from '../../src/config/static/define.ts';
import type { MapNode, Tree } from '../../src/config/tree.ts';

const cases = join(import.meta.dirname, 'cases');

/** Names of a user's own stand as `*`, items of a list as `0`. */
export interface SchemaKey {
  readonly path: string;
  /** Accepted without effect in this version. */
  readonly isLater: boolean;
}

const anyNode: Tree = { kind: 'map', entries: new Map(), where: { source: '' } };

/** Every key that holds a value of its own: what is neither a list nor a map of others, and every section. */
export function keysOf(schema: z.ZodType, path: string, above = false): SchemaKey[] {
  const layout = layoutOf(schema, anyNode);
  const isLater = above || noteOf(schema).status === 'later';
  if (layout.kind === 'leaf') return [{ path, isLater }];
  if (layout.kind === 'map') return keysOf(layout.value, `${path}.*`, isLater);
  if (layout.kind === 'array') return keysOf(layout.element, `${path}.0`, isLater);
  const own = layout.section && path !== '' ? [{ path, isLater }] : [];
  const below = Object.entries(layout.shape).flatMap(([key, child]) =>
    keysOf(child, path === '' ? key : `${path}.${key}`, isLater),
  );
  return [...own, ...below];
}

/** The keys of `keysOf` that stand in `tree`. */
export function mentioned(schema: z.ZodType, tree: Tree, path = ''): string[] {
  const layout = layoutOf(schema, tree);
  if (layout.kind === 'leaf') return [path];
  if (layout.kind === 'array') {
    const items =
      tree.kind === 'list'
        ? tree.items
        : tree.kind === 'map'
          ? [...tree.entries.values()].map(({ node }) => node)
          : [];
    return items.flatMap((item) => mentioned(layout.element, item, `${path}.0`));
  }
  const own = layout.kind === 'object' && layout.section && path !== '' ? [path] : [];
  if (tree.kind !== 'map') return own;
  const below = [...tree.entries].flatMap(([written, { node }]) => {
    if (layout.kind === 'map') return mentioned(layout.value, node, `${path}.*`);
    const key = canonicalKey(layout, written);
    return key === null ? [] : mentioned(childOf(layout, key), node, path === '' ? key : `${path}.${key}`);
  });
  return [...own, ...below];
}

/** The dynamic files of one case that can be read. */
export function filesOf(name: string): Tree[] {
  const directory = join(cases, name);
  return readdirSync(directory).flatMap((file) => {
    const parse = file.endsWith('.yml') ? parseYaml : file.endsWith('.toml') ? parseToml : null;
    const tree = parse?.(readFileSync(join(directory, file), 'utf8'), file).tree ?? null;
    return tree === null ? [] : [tree];
  });
}

/** Files and labels of all cases. */
export function allInputs(): Tree[] {
  return readdirSync(cases).flatMap((name) => [...filesOf(name), ...labelsOf(name)]);
}

function labelsOf(name: string): Tree[] {
  const file = join(cases, name, 'containers.json');
  if (!existsSync(file)) return [];
  const { containers } = JSON.parse(readFileSync(file, 'utf8')) as {
    containers: { labels?: Record<string, string> }[];
  };
  return containers.flatMap(({ labels = {} }) => labelsToTree(labels, name).tree ?? []);
}

/** The leaf values of a tree with their paths. */
export function leavesOf(schema: z.ZodType, tree: Tree, path: readonly string[] = []): (readonly string[])[] {
  const layout = layoutOf(schema, tree);
  if (layout.kind === 'leaf' || tree.kind === 'scalar') return [path];
  if (layout.kind === 'array') {
    if (tree.kind !== 'list') return [path];
    return tree.items.flatMap((item, index) => leavesOf(layout.element, item, [...path, String(index)]));
  }
  if (tree.kind !== 'map' || tree.entries.size === 0) return [path];
  return [...tree.entries].flatMap(([written, { node }]) => {
    const key = layout.kind === 'object' ? canonicalKey(layout, written) : written;
    if (key === null) return [];
    const below = layout.kind === 'object' ? childOf(layout, key) : (layout as { value: z.ZodType }).value;
    return leavesOf(below, node, [...path, written]);
  });
}

/** A copy with another node at `path`; null takes the key away. Keys as they are written. */
export function replaced(tree: Tree, path: readonly string[], by: Tree | null): Tree {
  const [key, ...rest] = path;
  if (key === undefined) return by ?? tree;
  if (tree.kind === 'list') {
    const items = tree.items.flatMap((item, index) =>
      String(index) !== key
        ? [item]
        : rest.length === 0
          ? by === null
            ? []
            : [by]
          : [replaced(item, rest, by)],
    );
    return { ...tree, items };
  }
  const map = tree as MapNode;
  const entries = new Map(map.entries);
  const entry = entries.get(key);
  if (rest.length > 0) {
    const below = entry ?? { key: tree.where, node: { ...anyNode, where: tree.where } };
    entries.set(key, { key: below.key, node: replaced(below.node, rest, by) });
  } else if (by === null) entries.delete(key);
  else entries.set(key, { key: by.where, node: by });
  return { ...map, entries };
}
