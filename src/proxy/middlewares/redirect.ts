// What both redirect middlewares share: the status by method and the Location that is safe to send.

import type { Exchange } from '../exchange.ts';
import type { Verdict } from '../hooks.ts';
import { statusText } from '../status.ts';

/** GET keeps the statuses every client knows; other methods must not be turned into GET. */
export function redirect(x: Exchange, location: string, permanent: boolean): Verdict {
  const isGet = x.method === 'GET';
  const status = permanent ? (isGet ? 301 : 308) : isGet ? 302 : 307;
  return x.answer(status, ['location', location], statusText(status));
}

/**
 * Escapes what may not stand in a Location, given one char a byte. A backslash before the query is escaped
 * because browsers read it as a slash: `/\evil.example` would leave the site.
 */
export function escapeLocation(url: string): string {
  if (/^[A-Za-z0-9\-._~!$&'()*+,;=:@[\]/%?#]*$/.test(url)) return url;
  let escaped = '';
  let isQuery = false;
  for (let i = 0; i < url.length; i++) {
    const code = url.charCodeAt(i);
    isQuery ||= code === 0x3f;
    const keeps =
      code > 0x20 && code < 0x7f && (isQuery ? code !== 0x22 : !'"<>\\^`{|}'.includes(url[i] as string));
    escaped += keeps ? url[i] : `%${code.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return escaped;
}

/** What Go's url.Parse would take: a scheme in form, whole escapes, a numeric port, no control characters. */
export function isUrl(url: string): boolean {
  // oxlint-disable-next-line no-control-regex
  if (/[\x00-\x1f\x7f]/.test(url)) return false;
  const match = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)/.exec(url);
  if (match === null) return false;
  const [, scheme, authority, path] = match;
  if (/%(?![0-9A-Fa-f]{2})/.test(`${authority ?? ''}/${path}`)) return false;
  if (authority !== undefined)
    return /^(?:[^@]*@)?(?:\[[0-9A-Fa-f:.%]+\]|[^:[\]@]*)(?::\d*)?$/.test(authority);
  // `:x` and `1a:x` are neither a scheme nor a path.
  return scheme !== undefined || !/^[^/]*:/.test(path ?? '');
}
