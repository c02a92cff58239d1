// replacePath: one fixed path for every request.

import { appendHeader } from '../headers.ts';
import { CONTINUE } from '../hooks.ts';
import { defineMiddleware } from './define.ts';
import { object, text } from './fields.ts';
import { escapePath, isEscaped, unescapeBytes } from './path-text.ts';
import { toBytes } from './header-text.ts';

export const replacePath = defineMiddleware({
  kind: 'replacePath',
  summary: 'Replaces the whole path; the old one goes into X-Replaced-Path.',
  schema: object({
    path: text
      .refine((value) => unescapeBytes(value) !== null, 'expected a path whose percent signs begin escapes')
      .default(''),
  }),
  build(options) {
    const path = escapeWritten(options.path);
    return {
      request(x) {
        appendHeader(x.headers, 'x-replaced-path', x.path);
        x.path = path;
        return CONTINUE;
      },
    };
  },
});

function escapeWritten(written: string): string {
  const slashed = written.startsWith('/') ? written : `/${written}`;
  if (isEscaped(slashed)) return slashed;
  const bytes = unescapeBytes(toBytes(slashed));
  if (bytes === null) throw new Error('path: a percent sign begins no escape');
  return escapePath(Buffer.from(bytes, 'latin1'));
}
