// Copies of map nodes with one entry put in, taken out or changed; keys compare without case.

import type { MapNode, Tree } from '../../config/tree.ts';
import type { Place } from '../../model/diagnostic.ts';

export function emptyMap(where: Place): MapNode {
  return { kind: 'map', entries: new Map(), where };
}

export function textNode(value: string, where: Place): Tree {
  return { kind: 'scalar', value, where };
}

/** `key` in place of any other spelling of it. */
export function withEntry(map: MapNode, key: string, node: Tree): MapNode {
  const entries = new Map(without(map, key).entries);
  entries.set(key, { key: node.where, node });
  return { ...map, entries };
}

export function without(map: MapNode, key: string): MapNode {
  const wanted = key.toLowerCase();
  return { ...map, entries: new Map([...map.entries].filter(([name]) => name.toLowerCase() !== wanted)) };
}

/** The node when it is a map, else an empty one. */
export function mapIn(node: Tree | null, where: Place): MapNode {
  return node !== null && node.kind === 'map' ? node : emptyMap(where);
}
