// Containers whose labels have errors, and which meant something else by a name than what it stands for now.

import { canonicalJson } from '../../config/dynamic/hash.ts';
import type {
  DynamicConfig,
  MiddlewareConfig,
  ServiceConfig,
  Written,
} from '../../config/dynamic/provider-config.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import { type Definitions, optionsOf, type Part } from './definitions.ts';

/** Objects of one section by their names. */
type All<T> = ReadonlyMap<string, Definitions<T>>;

/**
 * Why the routers of a part cannot be trusted, by the part's index: its labels say what a name stands for,
 * another container's are used, and those say something else. Its requests would pass a guard that is none, or
 * reach a stranger's server.
 */
export function findOverruled(
  parts: readonly Part[],
  middlewares: All<MiddlewareConfig>,
  services: All<ServiceConfig>,
  diagnostics: Diagnostic[],
): ReadonlyMap<number, string> {
  const found = new Map<number, string>();
  for (const [part, { config, isWeak }] of parts.entries()) {
    if (!isWeak) continue;
    const other =
      overruled(part, config.middlewares, middlewares, (value) => value) ??
      overruled(part, config.services, services, optionsOf);
    if (other === null) continue;
    const message = reason(config, other);
    found.set(part, message);
    diagnostics.push({
      severity: 'error',
      code: 'docker.conflict',
      message,
      where: other.own.where,
      hint: 'mend its labels',
      related: [other.used.where],
    });
  }
  return found;
}

interface Overruled {
  readonly name: string;
  readonly own: Written<unknown>;
  readonly used: Written<unknown>;
}

/** The first of `own` in whose place something else is used; `view` is what must be equal to be the same. */
function overruled<T>(
  part: number,
  own: ReadonlyMap<string, Written<T>>,
  all: All<T>,
  view: (value: T) => unknown,
): Overruled | null {
  for (const [name, written] of own) {
    const used = all.get(name);
    if (used === undefined || used.some((definition) => definition.part === part)) continue;
    const isSame = canonicalJson(view(written.value)) === canonicalJson(view(used[0].written.value));
    if (!isSame || written.errors.length > 0) return { name, own: written, used: used[0].written };
  }
  return null;
}

function reason({ source }: DynamicConfig, { name }: Overruled): string {
  return `the labels of ${source} have errors, and another container defines ${name} otherwise: its routers answer 503`;
}
