// addPrefix: puts a prefix before the path.

import { CONTINUE } from '../hooks.ts';
import { defineMiddleware } from './define.ts';
import { object, text } from './fields.ts';
import { escapePath } from './path-text.ts';

export const addPrefix = defineMiddleware({
  kind: 'addPrefix',
  summary: 'Puts a prefix before the path.',
  schema: object({ prefix: text.refine((value) => value !== '', 'expected a prefix such as /api') }),
  build(options) {
    const escaped = escapePath(options.prefix);
    const prefix = escaped.startsWith('/') ? escaped : `/${escaped}`;
    return {
      request(x) {
        x.path = prefix + x.path;
        return CONTINUE;
      },
    };
  },
});
