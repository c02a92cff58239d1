// stripPrefix: cuts a prefix off the path. The comparison is on the decoded path, the cut on the escaped one,
// so that what stays is byte for byte what the client wrote.

import type { Exchange } from '../exchange.ts';
import { appendHeader, plainTextHeaders } from '../headers.ts';
import { CONTINUE, type Verdict } from '../hooks.ts';
import { hidesDots } from '../../rules/target.ts';
import { defineMiddleware } from './define.ts';
import { bool, list, object } from './fields.ts';
import { headerValue, toBytes } from './header-text.ts';
import { escapedByte, isClean } from './path-text.ts';

interface Prefix {
  /** One char a byte. */
  readonly bytes: string;
  readonly header: string;
}

export const stripPrefix = defineMiddleware({
  kind: 'stripPrefix',
  summary: 'Cuts the first matching prefix off the path and names it in X-Forwarded-Prefix.',
  schema: object({ prefixes: list.default([]), forceSlash: bool.optional() }),
  build(options) {
    const prefixes = options.prefixes.map(readPrefix);
    return {
      request(x) {
        for (const prefix of prefixes) {
          const end = prefixEnd(x.path, prefix.bytes);
          if (end !== -1) return strip(x, end, prefix.header);
        }
        return CONTINUE;
      },
    };
  },
});

function readPrefix(written: string): Prefix {
  return { bytes: toBytes(written), header: headerValue(written, 'prefixes') };
}

/** Where the escaped `path` goes on after the decoded `prefix`, or -1 when it does not begin with it. */
export function prefixEnd(path: string, prefix: string): number {
  if (path.startsWith(prefix) && !prefix.includes('%')) return prefix.length;
  let at = 0;
  for (let i = 0; i < prefix.length; i++) {
    if (at >= path.length) return -1;
    let byte = path.charCodeAt(at);
    let width = 1;
    if (byte === 0x25) {
      byte = escapedByte(path, at);
      width = 3;
    }
    if (byte !== prefix.charCodeAt(i)) return -1;
    at += width;
  }
  return at;
}

/** Cuts the first `end` characters off the escaped path; 400 when what stays is not clean. */
export function strip(x: Exchange, end: number, header: string): Verdict {
  const rest = x.path.slice(end);
  // Cut here, an escaped slash would become one that the rules never saw: a guard of `/api/admin` does not look at
  // `/api%2Fadmin`.
  if (rest.charCodeAt(0) === 0x25 && /^%(?:2f|5c)/i.test(rest)) return badRequest(x);
  const path = rest.charCodeAt(0) === 0x2f ? rest : `/${rest}`;
  if (!isClean(path) || climbs(path)) return badRequest(x);
  x.path = path;
  appendHeader(x.headers, 'x-forwarded-prefix', header);
  return CONTINUE;
}

/**
 * A cut inside a segment can leave dots at the front: `/api..%2Fadmin` without `/api` is `/..%2Fadmin`, which
 * a backend that decodes before it resolves takes for `/admin`.
 */
function climbs(path: string): boolean {
  const first = path.charCodeAt(1);
  return (first === 0x2e || first === 0x25) && hidesDots(path);
}

export function badRequest(x: Exchange): Verdict {
  return x.answer(400, plainTextHeaders(), 'Bad Request\n');
}
