// Certificates resolvers of the static configuration, as the primary runs them.

import type { ResolverSettings } from '../../model/acme.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { EntryPointSpec } from '../../model/entry-point.ts';
import type { StaticConfig } from './schema.ts';

/** Those that cannot work are left out; why is pushed to `diagnostics`. */
export function resolveAcme(
  _config: StaticConfig,
  _entryPoints: readonly EntryPointSpec[],
  _diagnostics: Diagnostic[],
): ResolverSettings[] {
  return [];
}
