// Which identity headers no client may send: those that any forwardAuth of the configuration hands out.

import type { MiddlewareSpec } from '../../model/snapshot.ts';
import type { ManagedNames } from '../entrypoints/intake-headers.ts';
import { clientOwnedNames, managedNames } from '../middlewares/forward-auth/identity.ts';

/** Credentials that clients send of right are left to the middleware that lists them. */
export function collectManagedNames(middlewares: readonly MiddlewareSpec[]): ManagedNames {
  const names = new Set<string>();
  for (const spec of middlewares) {
    // Also of a broken one, as far as it could be read.
    if (spec.kind !== 'forwardAuth' || spec.options === null) continue;
    for (const name of managedNames(spec.options as Parameters<typeof managedNames>[0])) {
      if (!clientOwnedNames.has(name)) names.add(name);
    }
  }
  return names;
}
