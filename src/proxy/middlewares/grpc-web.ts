// grpcWeb: lets browsers, which see no trailers, call gRPC services.

import type { Exchange } from '../exchange.ts';
import { deleteHeader, getHeader, setHeader } from '../headers.ts';
import { CONTINUE } from '../hooks.ts';
import { defineMiddleware } from './define.ts';
import { list, object } from './fields.ts';
import { GrpcWebCors } from './grpc-web/cors.ts';
import { GrpcWebFilter } from './grpc-web/filter.ts';
import { DecodedBody } from './grpc-web/decoded-body.ts';

const web = 'application/grpc-web';
const plain = 'application/grpc';
const webText = 'application/grpc-web-text';

const schema = object({ allowOrigins: list.default([]) });

export const grpcWeb = defineMiddleware({
  kind: 'grpcWeb',
  summary: 'Translates gRPC-Web requests of browsers to gRPC.',
  schema,
  build(options, deps) {
    const slot = deps.slot();
    const cors = new GrpcWebCors(options.allowOrigins);

    return {
      request(x) {
        const type = getHeader(x.headers, 'content-type')?.toLowerCase() ?? '';
        if (!type.startsWith(web)) return cors.isPreflight(x) ? cors.answerPreflight(x) : CONTINUE;
        const kind = type.startsWith(webText) ? webText : web;
        x.keepFact(slot, kind);
        setHeader(x.headers, 'content-type', plain + type.slice(kind.length));
        // Without it gRPC servers send no trailers, and refuse.
        setHeader(x.headers, 'te', 'trailers');
        if (kind === webText && x.body !== null && !(x.body instanceof DecodedBody))
          x.body = new DecodedBody(x.body);
        return CONTINUE;
      },
      response(x) {
        const kind = x.fact<string>(slot);
        if (kind === undefined) return;
        // Where it stands twice, the inner one has done all there is to do.
        x.keepFact(slot, undefined);
        translate(x, kind);
        cors.allow(x);
      },
    };
  },
});

/** What is no gRPC answer, an error of the gateway say, stays as it is. */
function translate(x: Exchange, kind: string): void {
  const type = getHeader(x.responseHeaders, 'content-type')?.toLowerCase() ?? '';
  if (!type.startsWith(plain) || type.startsWith(web)) return;
  setHeader(x.responseHeaders, 'content-type', kind + type.slice(plain.length));
  deleteHeader(x.responseHeaders, 'content-length');
  deleteHeader(x.responseHeaders, 'trailer');
  x.addFilter((below) => new GrpcWebFilter(below, x, kind === webText));
}
