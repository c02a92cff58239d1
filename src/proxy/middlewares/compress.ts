// compress: makes answers smaller for clients that can read them so.

import type { z } from 'zod';
import type { Exchange } from '../exchange.ts';
import { deleteHeader, getHeader, hasHeader, joinHeader } from '../headers.ts';
import { CONTINUE } from '../hooks.ts';
import { codecs, type Encoding } from './compress/codecs.ts';
import { CompressFilter } from './compress/filter.ts';
import { choose } from './compress/negotiate.ts';
import { mediaType, typeFilter } from './compress/types.ts';
import { defineMiddleware } from './define.ts';
import { int, list, section, text } from './fields.ts';

const expected = 'expected gzip, br or zstd';

const encoding: z.ZodType<Encoding> = text.refine((name) => Object.hasOwn(codecs, name), expected) as never;
const encodings: z.ZodType<readonly Encoding[]> = list.refine(
  (names) => names.length > 0 && names.every((name) => Object.hasOwn(codecs, name)),
  expected,
) as never;

const schema = section({
  encodings: encodings.default(['gzip', 'br', 'zstd']),
  defaultEncoding: encoding.optional(),
  minResponseBodyBytes: int.refine((n) => n >= 0, 'expected a number of bytes, 0 or more').default(1024),
  excludedContentTypes: list.default([]),
  includedContentTypes: list.default([]),
})
  .refine(
    ({ excludedContentTypes: out, includedContentTypes: only }) => out.length === 0 || only.length === 0,
    {
      message: 'excludedContentTypes and includedContentTypes are mutually exclusive',
    },
  )
  .meta({ section: true });

export const compress = defineMiddleware({
  kind: 'compress',
  summary: 'Compresses answers with gzip, br or zstd, as the client’s Accept-Encoding allows.',
  schema,
  build(options, deps) {
    const slot = deps.slot();
    const isWanted = typeFilter(options.excludedContentTypes, options.includedContentTypes);
    const isChoosy = options.excludedContentTypes.length > 0 || options.includedContentTypes.length > 0;
    const least = options.minResponseBodyBytes;

    return {
      request(x) {
        // gRPC compresses by itself, and clients of the other types excluded ask with that type too.
        const type = mediaType(getHeader(x.headers, 'content-type'));
        const isOut = x.method === 'HEAD' || x.isUpgrade || type === 'application/grpc';
        if (!isOut && (type === '' || !options.excludedContentTypes.includes(type))) {
          const accepted = joinHeader(x.headers, 'accept-encoding');
          const chosen = choose(accepted, options.encodings, options.defaultEncoding ?? null);
          if (chosen !== null) x.keepFact(slot, chosen);
        }
        return CONTINUE;
      },
      response(x) {
        const chosen = x.fact<Encoding>(slot);
        if (chosen === undefined) return;
        x.responseHeaders.push('vary', 'Accept-Encoding');
        if (!isCompressible(x)) return;
        const type = mediaType(getHeader(x.responseHeaders, 'content-type'));
        // A filter further in may name the type once it sees the first bytes.
        const isOpen = isChoosy && type === '' && x.filters !== null;
        if (type === 'application/grpc' || (!isOpen && !isWanted(type))) return;
        const length = getHeader(x.responseHeaders, 'content-length');
        if (length !== null && Number(length) < least) return;
        const isDecided = length !== null && !isOpen;
        if (isDecided) {
          // Those further out see the headers as they will be.
          deleteHeader(x.responseHeaders, 'content-length');
          x.responseHeaders.push('content-encoding', chosen);
        }
        const flushes = length === null || type === 'text/event-stream';
        const plan = { codec: codecs[chosen], flushes, least, isDecided, isWanted: isOpen ? isWanted : null };
        x.addFilter((below) => new CompressFilter(below, plan));
      },
    };
  },
});

/** Never twice, and never a part of something whose whole the client knows in another form. */
function isCompressible(x: Exchange): boolean {
  const { status, responseHeaders } = x;
  if (status < 200 || status === 204 || status === 206 || status === 304) return false;
  return !hasHeader(responseHeaders, 'content-encoding') && !hasHeader(responseHeaders, 'content-range');
}
