// Environment variables `TRAEFIK_…` into a Tree: `_` separates the levels.

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

/** Null when no variable counts. Names made from variables are always in lower case. */
export function parseEnv(env: NodeJS.ProcessEnv, roots: readonly string[]): Tree | null {
  const values: DottedValue[] = [];
  for (const name of configVariables(env, roots)) {
    const path = name.slice(prefix.length).toLowerCase().split('_').slice(0, maxDottedDepth);
    values.push({ path, value: env[name] ?? '', where: { source: `env ${name}`, path: path.join('.') } });
  }
  return values.length === 0 ? null : dottedTree(values, 'env');
}
