// sticky of a service → its specs; the cookie is named and spelled as Traefik does it.

import { createHash } from 'node:crypto';
import type { StickyCookieSpec, StickyHeaderSpec } from '../../model/snapshot.ts';
import type { StickyConfig } from './schema.ts';

export type Warn = (code: string, message: string) => void;

/** `service`: its qualified name, from which a cookie without a name gets one. */
export function stickyCookie(
  service: string,
  sticky: StickyConfig | undefined,
  warn: Warn,
): StickyCookieSpec | null {
  const cookie = sticky?.cookie;
  if (cookie === undefined) return null;
  const sameSite = cookie.sameSite?.toLowerCase();
  const isSameSite = sameSite === 'none' || sameSite === 'lax' || sameSite === 'strict';
  if (sameSite !== undefined && sameSite !== '' && !isSameSite) {
    const shown = JSON.stringify(sameSite.slice(0, 40));
    warn('config.sticky', `sticky.cookie.sameSite is ${shown}, expected none, lax or strict: it is left out`);
  }
  if (cookie.name !== undefined && token(cookie.name) !== cookie.name)
    warn('config.sticky', `sticky.cookie.name becomes ${token(cookie.name).slice(0, 80)}`);
  return {
    name: cookie.name === undefined || cookie.name === '' ? cookieName(service) : token(cookie.name),
    secure: cookie.secure,
    httpOnly: cookie.httpOnly,
    sameSite: isSameSite ? sameSite : null,
    maxAge: cookie.maxAge,
    path: cookie.path === '' ? '/' : cookie.path,
    domain: cookie.domain === undefined || cookie.domain === '' ? null : cookie.domain,
  };
}

/** Nothing, or the one key of a spec. */
export function stickyHeader(sticky: StickyConfig | undefined): { readonly stickyHeader?: StickyHeaderSpec } {
  const header = sticky?.header;
  if (header === undefined) return {};
  return { stickyHeader: { name: header.name.toLowerCase(), ttl: header.ttl, onLost: header.onLost } };
}

/** As Traefik names it, so that cookies given out by one are understood by the other. */
function cookieName(service: string): string {
  return `_${createHash('sha1').update(`_TRAEFIK_BACKEND_${service}`).digest('hex').slice(0, 5)}`;
}

function token(name: string): string {
  return name.replace(/[^!#$%&'*+\-.^_`|~0-9A-Za-z]/g, '_');
}
