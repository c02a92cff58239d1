// Whether the loader of dynamic configuration takes a document, refuses it or leaves it without effect.

import { loadDynamic, unsupported } from '../dynamic/load.ts';
import type { MapNode, Tree } from '../tree.ts';

/** Null: it is supported. */
export function probe(document: object): 'refused' | 'later' | null {
  const { diagnostics } = loadDynamic(treeOf(document), 'probe');
  if (diagnostics.some(({ code }) => code === unsupported)) return 'refused';
  return diagnostics.some(({ code }) => code === 'config.no_effect') ? 'later' : null;
}

function treeOf(value: unknown): Tree {
  const where = { source: 'probe' };
  if (Array.isArray(value)) return { kind: 'list', items: value.map(treeOf), where };
  if (typeof value === 'object' && value !== null) {
    const entries: MapNode['entries'] = new Map(
      Object.entries(value).map(([key, child]) => [key, { key: where, node: treeOf(child) }]),
    );
    return { kind: 'map', entries, where };
  }
  return { kind: 'scalar', value: typeof value === 'string' ? value : null, where };
}
