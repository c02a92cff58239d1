// Builds a Tree out of dotted names with text values: what flags, env and labels have in common.

import type { Place } from '../../model/diagnostic.ts';
import { ownValueKey } from '../decode/values.ts';
import type { MapNode, Tree } from '../tree.ts';

export interface DottedValue {
  readonly path: readonly string[];
  readonly value: string;
  readonly where: Place;
}

interface OpenMap {
  readonly kind: 'map';
  readonly entries: Map<string, { readonly key: Place; node: Tree | OpenMap }>;
  readonly where: Place;
  /** Lower case to the key as it came first. */
  readonly spellings: Map<string, string>;
}

/** Levels of a dotted name; more is refused by the caller. */
export const maxDottedDepth = 32;

/** Merges values level by level; keys in any case meet, the first spelling stays. Later values win. */
export function dottedTree(values: readonly DottedValue[], source: string): MapNode {
  const root = open({ source });
  for (const { path, value, where } of values) put(root, path, { kind: 'scalar', value, where });
  return root as MapNode;
}

/** `tls.domains[0].main` as its levels. */
export function splitDotted(name: string): string[] {
  return name.replace(/\[(\d+)\]/g, '.$1').split('.');
}

function put(root: OpenMap, path: readonly string[], leaf: Tree): void {
  let at = root;
  for (const [index, name] of path.entries()) {
    const isLast = index === path.length - 1;
    const key = at.spellings.get(name.toLowerCase()) ?? name;
    at.spellings.set(name.toLowerCase(), key);
    const entry = at.entries.get(key);
    if (isLast && (entry === undefined || entry.node.kind !== 'map')) {
      at.entries.set(key, { key: leaf.where, node: leaf });
      return;
    }
    if (isLast) {
      (entry as { node: OpenMap }).node.entries.set(ownValueKey, { key: leaf.where, node: leaf });
      return;
    }
    at = descend(at, key, leaf.where);
  }
}

function descend(at: OpenMap, key: string, where: Place): OpenMap {
  const entry = at.entries.get(key);
  if (entry?.node.kind === 'map') return entry.node as OpenMap;
  const next = open(where);
  if (entry !== undefined) next.entries.set(ownValueKey, { key: entry.key, node: entry.node });
  at.entries.set(key, { key: where, node: next });
  return next;
}

function open(where: Place): OpenMap {
  return { kind: 'map', entries: new Map(), where, spellings: new Map() };
}
