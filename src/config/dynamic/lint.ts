// What is allowed and probably not meant.

import type { Diagnostic } from '../../model/diagnostic.ts';
import type { MiddlewareSpec, RouterSpec } from '../../model/snapshot.ts';
import type { Merged } from './merge.ts';
import { writtenEntry } from './written-entry.ts';

/** A browser's preflight carries no credentials: an auth server that sees it first refuses it. */
export function authBeforeCors(
  names: readonly string[],
  specs: ReadonlyMap<string, MiddlewareSpec>,
): { readonly message: string; readonly hint: string } | null {
  let auth: string | null = null;
  for (const name of names) {
    const spec = specs.get(name);
    if (spec === undefined || spec.errors.length > 0) continue;
    if (spec.kind === 'forwardAuth' && !option(spec, 'skipPreflight')) auth ??= name;
    if (auth !== null && spec.kind === 'headers' && isCors(spec)) {
      return {
        message: `${auth} runs before the CORS headers of ${name}: preflights are asked for credentials they never carry`,
        hint: `list ${name} before ${auth}, or set forwardAuth.skipPreflight`,
      };
    }
  }
  return null;
}

function option(spec: MiddlewareSpec, key: string): unknown {
  return (spec.options as Readonly<Record<string, unknown>> | null)?.[key];
}

function isCors(spec: MiddlewareSpec): boolean {
  return [
    'accessControlAllowOriginList',
    'accessControlAllowOriginListRegex',
    'accessControlAllowMethods',
  ].some((key) => {
    const value = option(spec, key);
    return Array.isArray(value) && value.length > 0;
  });
}

/** Two routers nothing tells apart: only their names decide which one answers. */
export function duplicateRules(routers: readonly RouterSpec[], merged: Merged): Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  const first = new Map<string, RouterSpec>();
  for (const router of routers) {
    if (router.rule === '') continue;
    for (const entryPoint of router.entryPoints) {
      const key = JSON.stringify([
        entryPoint,
        router.tls !== null,
        String(router.priority),
        router.rule.trim(),
      ]);
      const other = first.get(key);
      if (other === undefined) {
        first.set(key, router);
        continue;
      }
      const [winner, loser] = other.name < router.name ? [other, router] : [router, other];
      const place = writtenEntry(loser, merged)?.written.where;
      if (place === undefined) continue;
      diagnostics.push({
        severity: 'warning',
        code: 'config.duplicate_rule',
        message: `router ${loser.name} has the rule and priority of ${winner.name} on entryPoint ${entryPoint}: ${winner.name} answers`,
        where: place,
        hint: 'give one of them a priority',
      });
    }
  }
  return diagnostics;
}
