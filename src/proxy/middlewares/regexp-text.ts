// Regular expressions as written in a middleware's options.

import type { z } from 'zod';
import { compileRegexp, type Regexp } from '../../rules/regexp.ts';

/** For `superRefine` of a text: says what the compiler says. */
export function isRegexp(pattern: string, context: z.RefinementCtx): void {
  const compiled = compileRegexp(pattern);
  if (!compiled.ok) context.addIssue({ code: 'custom', message: compiled.message });
}

/** Throws `Error` naming `key`. */
export function compileOrThrow(pattern: string, key: string): Regexp {
  const compiled = compileRegexp(pattern);
  if (compiled.ok) return compiled.regexp;
  throw new Error(`${key}: ${compiled.message}`);
}
