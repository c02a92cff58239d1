// Every middleware there is: schemas, labels, documentation and metrics labels all come from this list.

import { addPrefix } from './add-prefix.ts';
import { chain } from './chain.ts';
import { compress } from './compress.ts';
import type { MiddlewareDefinition } from './define.ts';
import { forwardAuth } from './forward-auth.ts';
import { headers } from './headers.ts';
import { ipAllowList } from './ip-allow-list.ts';
import { redirectRegex } from './redirect-regex.ts';
import { redirectScheme } from './redirect-scheme.ts';
import { replacePath } from './replace-path.ts';
import { retry } from './retry.ts';
import { stripPrefix } from './strip-prefix.ts';

/** In the alphabet's order of `kind`. */
export const catalogue: readonly MiddlewareDefinition[] = [
  addPrefix,
  chain,
  compress,
  forwardAuth,
  headers,
  ipAllowList,
  redirectRegex,
  redirectScheme,
  replacePath,
  retry,
  stripPrefix,
];

/** By kind or alias in any case; null when there is none of that name. */
export function findMiddleware(kind: string): MiddlewareDefinition | null {
  return byName.get(kind.toLowerCase()) ?? null;
}

const byName: ReadonlyMap<string, MiddlewareDefinition> = indexByName();

function indexByName(): Map<string, MiddlewareDefinition> {
  const index = new Map<string, MiddlewareDefinition>();
  for (const definition of catalogue) {
    for (const name of [definition.kind, ...(definition.aliases ?? [])])
      index.set(name.toLowerCase(), definition);
  }
  return index;
}
