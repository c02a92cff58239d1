// Which identity headers no client may send: those that any middleware of the configuration sets for servers.

import type { MiddlewareSpec } from '../../model/snapshot.ts';
import type { ManagedNames } from '../entrypoints/intake-headers.ts';
import { foldName } from '../headers.ts';
import { findMiddleware } from '../middlewares/catalogue.ts';
import { clientOwnedNames, framingNames, managedNames } from '../middlewares/forward-auth/identity.ts';

/** Credentials that clients send of right are left to the middleware that lists them. */
export function collectManagedNames(middlewares: readonly MiddlewareSpec[]): ManagedNames {
  const names = new Set<string>();
  for (const spec of middlewares) {
    // Also of a broken one, as far as it could be read.
    if (spec.options === null) continue;
    for (const name of ownHeadersOf(spec)) if (!clientOwnedNames.has(name)) names.add(name);
    if (spec.kind !== 'forwardAuth') continue;
    for (const name of managedNames(spec.options as Parameters<typeof managedNames>[0])) {
      if (!clientOwnedNames.has(name)) names.add(name);
    }
  }
  return names;
}

function ownHeadersOf(spec: MiddlewareSpec): readonly string[] {
  try {
    const names = findMiddleware(spec.kind)?.ownHeaders?.(spec.options) ?? [];
    return names.map(foldName).filter((name) => !framingNames.has(name));
  } catch {
    // A plugin's own code; what it would have set is set by nobody.
    return [];
  }
}
