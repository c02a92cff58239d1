// Environment variables `TRAEFIK_…` into a Tree: `_` separates the levels.

import type { Diagnostic, Place } from '../../model/diagnostic.ts';
import type { Tree } from '../tree.ts';
import { dottedTree, maxDottedDepth } from './dotted.ts';
import type { DottedValue } from './dotted.ts';

const prefix = 'TRAEFIK_';

/** Names of the variables that count: `TRAEFIK_` and one of `roots` (any case), with no boundary after it. */
export function configVariables(env: NodeJS.ProcessEnv, roots: readonly string[]): string[] {
  const starts = roots.map((root) => prefix + root.toUpperCase());
  const counts = (name: string): boolean => starts.some((start) => name.toUpperCase().startsWith(start));
  return Object.keys(env).filter(counts).sort();
}

/** The tree is null when no variable counts. Names made from variables are always in lower case. */
export function parseEnv(
  env: NodeJS.ProcessEnv,
  roots: readonly string[],
): { tree: Tree | null; diagnostics: Diagnostic[] } {
  const diagnostics: Diagnostic[] = [];
  const values = new Map<string, DottedValue>();
  for (const name of configVariables(env, roots)) {
    const path = name.slice(prefix.length).toLowerCase().split('_').slice(0, maxDottedDepth);
    const where: Place = { source: `env ${name}`, path: path.join('.') };
    const before = values.get(path.join('.'));
    values.set(path.join('.'), { path, value: env[name] ?? '', where });
    if (before === undefined) continue;
    diagnostics.push({
      severity: 'error',
      code: 'config.duplicate_key',
      message: `\`${name}\` is set a second time, in another case`,
      where,
      hint: 'variables are read in any case: keep one of them',
      related: [before.where],
    });
  }
  return { tree: values.size === 0 ? null : dottedTree([...values.values()], 'env'), diagnostics };
}
