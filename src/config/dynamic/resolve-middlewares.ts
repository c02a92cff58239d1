// Middlewares → specs, the services they ask checked, and chains laid out flat.

import type { Diagnostic } from '../../model/diagnostic.ts';
import type { MiddlewareSpec, ServiceSpec } from '../../model/snapshot.ts';
import { findMiddleware } from '../../proxy/middlewares/catalogue.ts';
import type { Entry, Merged } from './merge.ts';
import { qualify } from './merge.ts';
import type { MiddlewareConfig } from './provider-config.ts';
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

export interface MiddlewareContext {
  readonly services: ReadonlyMap<string, ServiceSpec>;
  readonly suggest: Suggest;
  readonly diagnostics: Diagnostic[];
}

export function resolveMiddlewares(merged: Merged, context: MiddlewareContext): Middlewares {
  const specs = new Map<string, MiddlewareSpec>();
  const { suggest } = context;
  for (const entry of merged.middlewares.values()) {
    const { name, provider, written } = entry;
    specs.set(name, {
      name,
      provider,
      kind: written.value.kind,
      options: written.value.options,
      errors: [...written.errors, ...unusable(entry, context)],
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

/** What is wrong with the services that a sound middleware asks. */
function unusable(entry: Entry<MiddlewareConfig>, context: MiddlewareContext): string[] {
  const { name, provider, written } = entry;
  const { kind, options } = written.value;
  if (written.errors.length > 0) return [];
  const errors: string[] = [];
  for (const reference of findMiddleware(kind)?.services?.(options) ?? []) {
    const asked = qualify(reference, provider);
    const service = context.services.get(asked);
    if (service !== undefined && service.errors.length === 0) continue;
    const isUnknown = service === undefined;
    const message = isUnknown
      ? `service ${asked} doesn't exist`
      : `service ${asked} is broken: ${inShort(service.errors)}`;
    errors.push(message);
    context.diagnostics.push({
      severity: 'error',
      code: isUnknown ? 'config.unknown_service' : 'config.broken_service',
      message: `middleware ${name}: ${message}`,
      where: written.keys?.get(kind.toLowerCase()) ?? written.where,
      ...(isUnknown ? context.suggest(asked, context.services) : {}),
    });
  }
  return errors;
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
