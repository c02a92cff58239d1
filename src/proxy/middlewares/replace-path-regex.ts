// replacePathRegex: rewrites the escaped path by a regular expression.

import type { Exchange } from '../exchange.ts';
import { appendHeader, plainTextHeaders } from '../headers.ts';
import { CONTINUE, type Verdict } from '../hooks.ts';
import { defineMiddleware } from './define.ts';
import { object, text } from './fields.ts';
import { toBytes } from './header-text.ts';
import { hidesDots } from '../../rules/target.ts';
import { escapePath, isClean, isEscaped, unescapeBytes } from './path-text.ts';
import { compileOrThrow, isRegexp } from './regexp-text.ts';

/** Characters of a path a replacement may make: `$1$1$1…` multiplies what the client sent. */
const maxPath = 64 * 1024;

export const replacePathRegex = defineMiddleware({
  kind: 'replacePathRegex',
  summary: 'Rewrites the path by a regular expression; the old one goes into X-Replaced-Path.',
  schema: object({
    regex: text.transform((value) => value.trim()).superRefine(isRegexp),
    replacement: text.default(''),
  }),
  build(options) {
    const regexp = compileOrThrow(options.regex, 'regex');
    const template = toBytes(options.replacement.trim());
    return {
      request(x) {
        if (!regexp.test(x.path)) return CONTINUE;
        return replace(x, regexp.replaceAll(x.path, template));
      },
    };
  },
});

function replace(x: Exchange, written: string): Verdict {
  const slashed = written.startsWith('/') ? written : `/${written}`;
  const bytes = slashed.length > maxPath ? null : unescapeBytes(slashed);
  if (bytes === null) return x.answer(500, plainTextHeaders(), 'invalid URL escape\n');
  const path = isEscaped(slashed) ? slashed : escapePath(Buffer.from(bytes, 'latin1'));
  if (!isClean(path) || hidesDots(path)) return x.answer(400, plainTextHeaders(), 'Bad Request\n');
  appendHeader(x.headers, 'x-replaced-path', x.path);
  x.path = path;
  return CONTINUE;
}
