// Middlewares → specs, and chains laid out flat.

import type { MiddlewareSpec } from '../../model/snapshot.ts';
import type { Merged } from './merge.ts';
import { qualify } from './merge.ts';
import type { Suggest } from './suggest.ts';

export interface Middlewares {
  readonly specs: ReadonlyMap<string, MiddlewareSpec>;
  /** Qualified names → the names that run, chains inlined, and what is wrong with any of them. */
  flatten(names: readonly string[]): Flattened;
}

export interface Flattened {
  readonly names: readonly string[];
  readonly errors: readonly FlattenError[];
}

export interface FlattenError {
  readonly message: string;
  readonly hint?: string;
}

/** Chains of chains double with every level: this many in one router is a mistake. */
const maxPerRouter = 1000;

export function resolveMiddlewares(merged: Merged, suggest: Suggest): Middlewares {
  const specs = new Map<string, MiddlewareSpec>();
  for (const { name, provider, written } of merged.middlewares.values()) {
    specs.set(name, {
      name,
      provider,
      kind: written.value.kind,
      options: written.value.options,
      errors: written.errors,
    });
  }
  return {
    specs,
    flatten(names) {
      const flat: Flat = { names: [], errors: [], visited: 0, suggest };
      for (const name of names) append(name, [], specs, flat);
      return flat;
    },
  };
}

interface Flat {
  readonly names: string[];
  readonly errors: FlattenError[];
  visited: number;
  readonly suggest: Suggest;
}

function append(
  name: string,
  above: readonly string[],
  specs: ReadonlyMap<string, MiddlewareSpec>,
  flat: Flat,
): void {
  flat.visited += 1;
  if (flat.visited > maxPerRouter) {
    if (flat.visited === maxPerRouter + 1)
      flat.errors.push({ message: `more than ${maxPerRouter} middlewares` });
    return;
  }
  const spec = specs.get(name);
  const recursion = above.indexOf(name);
  if (spec === undefined)
    flat.errors.push({ message: `middleware ${name} doesn't exist`, ...flat.suggest(name, specs) });
  else if (spec.errors.length > 0)
    flat.errors.push({ message: `middleware ${name} is broken: ${inShort(spec.errors)}` });
  else if (recursion !== -1) {
    flat.errors.push({
      message: `middleware recursion detected in ${[...above.slice(recursion), name].join('->')}`,
    });
  } else if (spec.kind === 'chain') {
    for (const next of chained(spec)) append(next, [...above, name], specs, flat);
    return;
  }
  flat.names.push(name);
}

function chained(spec: MiddlewareSpec): string[] {
  const { middlewares } = spec.options as { readonly middlewares?: readonly string[] };
  return (middlewares ?? []).map((name) => qualify(name, spec.provider));
}

/** The errors of what others refer to: each of those would repeat them all. */
export function inShort(errors: readonly string[]): string {
  const [first = ''] = errors;
  return errors.length < 2 ? first : `${first}; and ${errors.length - 1} more`;
}
