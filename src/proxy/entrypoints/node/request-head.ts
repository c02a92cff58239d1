// Feeds a request's raw header list to intake, from HTTP/1 and from HTTP/2.

import type { Intake } from '../intake.ts';

/** Node's flat list of an HTTP/1 head: names as they were written. */
export function feedHttp1(intake: Intake, raw: readonly string[]): void {
  for (let i = 0; i < raw.length; i += 2) {
    intake.headerBytes((raw[i] as string).toLowerCase(), raw[i + 1] as string);
  }
}

export interface PseudoFields {
  readonly method: string;
  readonly scheme: string;
  readonly path: string;
  /** `:authority` and `host` say different things, or a `:` field stands where none may. */
  readonly isBroken: boolean;
}

/** Node's flat list of an HTTP/2 head. The authority goes to intake as Host, the cookie as one line. */
export function feedHttp2(intake: Intake, raw: readonly string[]): PseudoFields {
  const found = { method: '', scheme: '', path: '', isBroken: false };
  let authority: string | null = null;
  let host: string | null = null;
  let cookie: string | null = null;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string;
    const value = raw[i + 1] as string;
    if (name.charCodeAt(0) === 0x3a) {
      if (name === ':authority') authority = value;
      else if (name === ':method') found.method = value;
      else if (name === ':path') found.path = value;
      else if (name === ':scheme') found.scheme = value;
      else found.isBroken = true;
    } else if (name === 'host') {
      found.isBroken ||= host !== null;
      host = value;
    } else if (name === 'cookie') {
      // RFC 9113 §8.2.3: its crumbs are one field to everybody behind.
      cookie = cookie === null ? value : `${cookie}; ${value}`;
    } else {
      intake.headerBytes(name, value);
    }
  }
  // RFC 9113 §8.3.1: two names for the origin are one name, or the request is malformed.
  if (authority !== null && host !== null) found.isBroken ||= authority.toLowerCase() !== host.toLowerCase();
  const named = authority ?? host;
  if (named !== null) intake.headerBytes('host', named);
  if (cookie !== null) intake.headerBytes('cookie', cookie);
  return found;
}
