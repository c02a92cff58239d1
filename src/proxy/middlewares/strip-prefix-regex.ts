// stripPrefixRegex: cuts off the path what a regular expression finds at its beginning.

import type { Exchange } from '../exchange.ts';
import { CONTINUE, type Verdict } from '../hooks.ts';
import type { Regexp } from '../../rules/regexp.ts';
import { defineMiddleware } from './define.ts';
import { list, object } from './fields.ts';
import { toBytes } from './header-text.ts';
import { unescapeBytes } from './path-text.ts';
import { compileOrThrow, isRegexp } from './regexp-text.ts';
import { badRequest, prefixEnd, strip } from './strip-prefix.ts';

export const stripPrefixRegex = defineMiddleware({
  kind: 'stripPrefixRegex',
  summary:
    'Cuts what a regular expression finds off the path’s beginning, and names it in X-Forwarded-Prefix.',
  schema: object({
    regex: list.superRefine((patterns, context) => {
      for (const pattern of patterns) isRegexp(pattern.trim(), context);
    }),
  }),
  build(options) {
    const expressions = options.regex.map((pattern) => compileOrThrow(pattern.trim(), 'regex'));
    return {
      request(x) {
        const path = decoded(x.path);
        if (path === null) return CONTINUE;
        for (const expression of expressions) {
          const verdict = tryStrip(x, path, expression);
          if (verdict !== null) return verdict;
        }
        return CONTINUE;
      },
    };
  },
});

/** Null: it does not match at the beginning. */
function tryStrip(x: Exchange, path: string, expression: Regexp): Verdict | null {
  const found = expression.find(path);
  if (found === null || found[1] === found[0]) return null;
  const prefix = path.slice(found[0], found[1]);
  // Found further on, but the same text may stand at the front.
  if (!path.startsWith(prefix)) return null;
  const bytes = toBytes(prefix);
  const end = prefixEnd(x.path, bytes);
  if (end === -1) return null;
  // The client wrote `%0D%0A`: decoded into a header it would begin another one.
  if (/[\x00-\x08\x0a-\x1f\x7f]/.test(bytes)) return badRequest(x);
  return strip(x, end, bytes.trim());
}

/** What the expressions see: the path without escapes, as text. */
function decoded(path: string): string | null {
  const bytes = unescapeBytes(path);
  return bytes === null || bytes === path ? bytes : Buffer.from(bytes, 'latin1').toString('utf8');
}
