// redirectRegex: rewrites the request's URL by a regular expression and sends the client there.

import type { Exchange } from '../exchange.ts';
import { CONTINUE, type Verdict } from '../hooks.ts';
import { defineMiddleware } from './define.ts';
import { bool, object, text } from './fields.ts';
import { toBytes } from './header-text.ts';
import { escapeLocation, isUrl, redirect } from './redirect.ts';
import { compileOrThrow, isRegexp } from './regexp-text.ts';

export const redirectRegex = defineMiddleware({
  kind: 'redirectRegex',
  summary: 'Redirects to what a regular expression makes of the URL.',
  schema: object({
    regex: text.superRefine(isRegexp),
    replacement: text.default(''),
    permanent: bool.default(false),
  }),
  build(options) {
    const regexp = compileOrThrow(options.regex, 'regex');
    const template = toBytes(options.replacement);
    const isNetworkPath = /^[\\/]{2}/.test(template);
    return {
      request(x) {
        const from = `${x.scheme}://${x.authority}${x.path}${x.search}`;
        if (!regexp.test(from)) return CONTINUE;
        const to = regexp.replaceAll(from, template);
        if (to === from) return CONTINUE;
        return isNetworkPath || !leavesSite(to) ? send(x, to, options.permanent) : refuse(x);
      },
    };
  },
});

/** A path taken from the request can make `/$1` into `//evil.example`, which is another site. */
function leavesSite(to: string): boolean {
  return /^[\\/]{2}/.test(to);
}

function send(x: Exchange, to: string, permanent: boolean): Verdict {
  const location = escapeLocation(to);
  if (!isUrl(location)) return x.answer(502, [], 'Bad Gateway');
  return redirect(x, location, permanent);
}

function refuse(x: Exchange): Verdict {
  return x.answer(400, [], 'Bad Request');
}
