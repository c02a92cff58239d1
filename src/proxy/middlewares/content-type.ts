// contentType: finds out the media type of answers whose server names none.

import { hasHeader } from '../headers.ts';
import { SniffFilter } from './content-type/filter.ts';
import { defineMiddleware } from './define.ts';
import { bool, section } from './fields.ts';

export const contentType = defineMiddleware({
  kind: 'contentType',
  summary: 'Sets the Content-Type of answers that have none, by their first bytes.',
  schema: section({ autoDetect: bool.optional() }),
  build(options, deps) {
    if (options.autoDetect !== undefined) {
      deps.log.warn(`${deps.name}: contentType.autoDetect is deprecated and has no effect`);
    }
    return {
      response(x) {
        const { status, responseHeaders: headers } = x;
        if (x.method === 'HEAD' || status < 200 || status === 204 || status === 304) return;
        if (hasHeader(headers, 'content-type') || hasHeader(headers, 'content-encoding')) return;
        const isInnermost = x.filters === null;
        x.addFilter((below) => new SniffFilter(below, isInnermost));
      },
    };
  },
});
