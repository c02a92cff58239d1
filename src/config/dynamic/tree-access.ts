// Looking at a tree by key before any schema does: keys compare without case.

import type { Place } from '../../model/diagnostic.ts';
import type { Tree } from '../tree.ts';

/** The value under `name`; null when it is absent or null. */
export function child(tree: Tree, name: string): Tree | null {
  if (tree.kind !== 'map') return null;
  const wanted = name.toLowerCase();
  for (const [key, { node }] of tree.entries) {
    if (key.toLowerCase() !== wanted) continue;
    return node.kind === 'scalar' && node.value === null ? null : node;
  }
  return null;
}

/** The place of the deepest key along `path` that is written. */
export function placeOf(tree: Tree, path: readonly string[]): Place {
  let place = tree.where;
  let node: Tree | null = tree;
  for (const name of path) {
    if (node?.kind !== 'map') return place;
    const wanted = name.toLowerCase();
    const entry: { readonly key: Place; readonly node: Tree } | undefined = [...node.entries].find(
      ([key]) => key.toLowerCase() === wanted,
    )?.[1];
    if (entry === undefined) return place;
    place = entry.key;
    node = entry.node;
  }
  return place;
}
