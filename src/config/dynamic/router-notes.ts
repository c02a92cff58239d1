// What is found out about routers after they were resolved: into the diagnostics at once, into their specs at the end.

import type { Diagnostic } from '../../model/diagnostic.ts';
import type { RouterSpec } from '../../model/snapshot.ts';
import type { Merged } from './merge.ts';
import type { Finding } from './router-findings.ts';
import { writtenEntry } from './written-entry.ts';

export interface RouterNotes {
  /** The router answers 503. `key` is the one it is about, in lower case. */
  error(router: RouterSpec, key: string, found: Finding): void;
  warning(router: RouterSpec, key: string, found: Finding): void;
  /** The same routers with what was found. */
  apply(routers: readonly RouterSpec[]): readonly RouterSpec[];
}

export function createRouterNotes(merged: Merged, diagnostics: Diagnostic[]): RouterNotes {
  const found = { error: new Map<string, Set<string>>(), warning: new Map<string, Set<string>>() };
  const add = (severity: 'error' | 'warning', router: RouterSpec, key: string, finding: Finding): void => {
    const { code, message, hint } = finding;
    const texts = found[severity].get(router.name) ?? new Set();
    texts.add(message);
    found[severity].set(router.name, texts);
    const entry = writtenEntry(router, merged);
    if (entry === undefined) return;
    const { keys, where } = entry.written;
    diagnostics.push({
      severity,
      code,
      message: `router ${entry.name}: ${message}`,
      where: keys?.get(key) ?? where,
      ...(hint === undefined ? {} : { hint }),
    });
  };
  return {
    error: (router, key, finding) => add('error', router, key, finding),
    warning: (router, key, finding) => add('warning', router, key, finding),
    apply: (routers) =>
      routers.map((router) => {
        const errors = found.error.get(router.name);
        const warnings = found.warning.get(router.name);
        if (errors === undefined && warnings === undefined) return router;
        return {
          ...router,
          errors: [...router.errors, ...(errors ?? [])],
          warnings: [...router.warnings, ...(warnings ?? [])],
        };
      }),
  };
}
