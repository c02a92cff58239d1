// A tree that stands elsewhere in its text by now: the same values at other places.

import type { Place } from '../../model/diagnostic.ts';
import type { Tree } from '../tree.ts';

export interface Shift {
  /** Added to every line. */
  readonly lines: number;
  /** Added to the columns of one line, given as it was numbered before. */
  readonly columns: number;
  readonly line: number;
}

export function movedPlace(place: Place, shift: Shift): Place {
  if (place.line === undefined) return place;
  const columns = place.line === shift.line ? shift.columns : 0;
  if (shift.lines === 0 && columns === 0) return place;
  const line = place.line + shift.lines;
  return place.column === undefined ? { ...place, line } : { ...place, line, column: place.column + columns };
}

/** `noted` is told of every map with what it was before. The same node when nothing of it moves. */
export function movedTree(node: Tree, shift: Shift, noted: (now: Tree, before: Tree) => void): Tree {
  // What begins behind the one line that moves sideways does not move.
  if (shift.lines === 0 && (shift.columns === 0 || (node.where.line ?? 0) > shift.line)) return node;
  const where = movedPlace(node.where, shift);
  if (node.kind === 'scalar') return { kind: 'scalar', value: node.value, where };
  if (node.kind === 'list') {
    return { kind: 'list', items: node.items.map((item) => movedTree(item, shift, noted)), where };
  }
  const entries = new Map<string, { readonly key: Place; readonly node: Tree }>();
  for (const [name, entry] of node.entries) {
    entries.set(name, { key: movedPlace(entry.key, shift), node: movedTree(entry.node, shift, noted) });
  }
  const now: Tree = { kind: 'map', entries, where };
  noted(now, node);
  return now;
}
