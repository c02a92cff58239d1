// Where a request carries its token: RFC 6750 §2.1, or a cookie. Never the query, which ends up in logs.

import { getHeaderValues, type HeaderList } from '../../headers.ts';

/** Characters of a token; a longer one is none. */
const maxToken = 16 * 1024;

/** Null when there is none; `invalid` when it cannot be told which one is meant, or is none by its form. */
export function readToken(headers: HeaderList, cookie: string): string | null {
  const written = getHeaderValues(headers, 'authorization');
  if (written.length > 1) return 'invalid';
  const first = written[0];
  if (first !== undefined && /^bearer(?: |$)/i.test(first))
    return checked(first.slice('bearer'.length).trim());
  return cookie === '' ? null : fromCookie(headers, cookie);
}

function fromCookie(headers: HeaderList, name: string): string | null {
  let found: string | null = null;
  for (const line of getHeaderValues(headers, 'cookie')) {
    for (const pair of line.split(';')) {
      const at = pair.indexOf('=');
      if (at === -1 || pair.slice(0, at).trim() !== name) continue;
      if (found !== null) return 'invalid';
      found = pair.slice(at + 1).trim();
    }
  }
  return found === null || found === '' ? null : checked(found);
}

function checked(token: string): string {
  if (token.length > maxToken) return 'invalid';
  return /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/.test(token) ? token : 'invalid';
}
