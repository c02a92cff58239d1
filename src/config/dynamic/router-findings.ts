// What is found out about one router, for its spec and for the diagnostics at once.

import type { Diagnostic } from '../../model/diagnostic.ts';
import type { Entry } from './merge.ts';
import type { RouterConfig } from './schema.ts';

export interface Finding {
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
}

/** What is found out about one router: `errors` and `warnings` go into the spec and into the diagnostics. */
export interface Findings {
  readonly errors: string[];
  readonly warnings: string[];
  /** `key` is the one it is about, in lower case. */
  error(key: string, found: Finding): void;
  warning(key: string, found: Finding): void;
}

export function newFindings(entry: Entry<RouterConfig>, diagnostics: Diagnostic[]): Findings {
  const errors = [...entry.written.errors];
  const warnings: string[] = [];
  const add = (severity: 'error' | 'warning', key: string, { code, message, hint }: Finding) => {
    (severity === 'error' ? errors : warnings).push(message);
    const text = `router ${entry.name}: ${message}`;
    const where = entry.written.keys?.get(key) ?? entry.written.where;
    diagnostics.push({ severity, code, message: text, where, ...(hint === undefined ? {} : { hint }) });
  };
  return {
    errors,
    warnings,
    error: (key, found) => add('error', key, found),
    warning: (key, found) => add('warning', key, found),
  };
}
