// Readings of a Tree that need no schema: switches, comma lists, numbered maps, plain values.

import type { Scalar, Tree } from '../tree.ts';

/**
 * The own value of a map node: flags, env and labels can write `--accesslog=false` beside
 * `--accesslog.filepath=x`, and such a source puts the first under this key.
 */
export const ownValueKey = '';

/** `key:` with nothing after it. */
export function isNothing(node: Tree): boolean {
  return node.kind === 'scalar' && node.value === null;
}

/** Go's ParseBool, and its words in any case. */
export function isOn(value: Scalar): boolean {
  return value === true || value === 1 || (typeof value === 'string' && /^(?:true|t|1)$/i.test(value.trim()));
}

export function isOff(value: Scalar): boolean {
  return (
    value === false || value === 0 || (typeof value === 'string' && /^(?:false|f|0)$/i.test(value.trim()))
  );
}

export function splitList(value: string): string[] {
  return value.trim() === '' ? [] : value.split(',').map((item) => item.trim());
}

/** `domains[0]`, `DOMAINS_0`: the values of a map whose keys are all numbers, sorted as text. */
export function indexed(node: Tree): readonly Tree[] | null {
  if (node.kind !== 'map' || node.entries.size === 0) return null;
  const keys = [...node.entries.keys()];
  if (!keys.every((key) => /^\d+$/.test(key))) return null;
  return keys.sort().map((key) => (node.entries.get(key) as { node: Tree }).node);
}

/** A tree as plain values, for a leaf whose own schema judges them. */
export function plain(node: Tree): unknown {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.map(plain);
  const list = indexed(node);
  if (list !== null) return list.map(plain);
  const result: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const [key, entry] of node.entries) if (key !== ownValueKey) result[key] = plain(entry.node);
  return result;
}
