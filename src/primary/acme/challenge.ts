// What tells one challenge from another, and what form its token has.

import type { Challenge } from '../../model/acme.ts';

/** The same for the same challenge, whichever node has offered it. */
export function challengeName({ kind, domain, keyAuthorization }: Challenge): string {
  return `${kind}\n${domain}\n${keyAuthorization}`;
}

/** Base64url (RFC 8555, section 8.3) of at most 128 characters: what is longer no authority would send. */
export function isToken(text: string): boolean {
  return /^[\w-]{1,128}$/.test(text);
}
