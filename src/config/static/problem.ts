// A problem of the static configuration that only shows once all of it is read.

import type { Diagnostic, Place } from '../../model/diagnostic.ts';
import type { Tree } from '../tree.ts';

const unplaced = 'static configuration';

/** `path` is the key as the schema spells it. */
export function staticError(path: string, message: string, hint?: string): Diagnostic {
  const where = { source: unplaced, path };
  return {
    severity: 'error',
    code: 'config.invalid_value',
    message,
    where,
    ...(hint === undefined ? {} : { hint }),
  };
}

/** Allowed, without the effect it seems to have. */
export function staticWarning(path: string, message: string, hint?: string): Diagnostic {
  return { ...staticError(path, message, hint), severity: 'warning', code: 'config.no_effect' };
}

/** The same diagnostics with the places where their keys, or the nearest keys above, are written. */
export function placed(diagnostics: readonly Diagnostic[], tree: Tree | null): Diagnostic[] {
  return diagnostics.map((diagnostic) => {
    const { source, path } = diagnostic.where;
    if (source !== unplaced || path === undefined || tree === null) return diagnostic;
    return { ...diagnostic, where: { ...find(tree, path), path } };
  });
}

function find(tree: Tree, path: string): Place {
  let at = tree;
  let place: Place = tree.where;
  for (const name of path.toLowerCase().split('.')) {
    if (at.kind !== 'map') return place;
    const entry = [...at.entries].find(([key]) => key.toLowerCase() === name)?.[1];
    if (entry === undefined) return place;
    place = entry.key;
    at = entry.node;
  }
  return place;
}
