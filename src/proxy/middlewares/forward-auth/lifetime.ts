// How long a decision may be kept: the shortest of what the operator, the auth server and the token say.

import { getHeader, hasHeader, joinHeader } from '../../headers.ts';

export interface LifeLimits {
  /** Milliseconds. */
  readonly ttl: number;
  readonly negativeTtl: number;
  readonly staleIfError: number;
}

export interface LifeFacts {
  readonly status: number;
  /** Of the auth answer. */
  readonly headers: readonly string[];
  /** Whether the key covers a header named in Vary. */
  readonly covers: (name: string) => boolean;
  readonly tokens: readonly string[];
  readonly hasCredentials: boolean;
  /** Milliseconds from asking to answer: part of what max-age grants is gone by then. */
  readonly delay: number;
  /** `Date.now()`. */
  readonly wallClock: number;
}

export interface Life {
  /** Milliseconds from now; 0: not kept. */
  readonly fresh: number;
  /** Milliseconds from now until which it may serve while the auth server fails; at least `fresh`. */
  readonly stale: number;
  /** It ends with its token: asking again before that could not make it longer. */
  readonly endsWithToken: boolean;
  /** Requests that wait for this very answer may all have it. */
  readonly shareable: boolean;
}

/** Milliseconds a token is taken to end early, for clocks that differ. */
const tokenSkew = 1_000;
/** Bytes of a token that is looked into. */
const maxTokenSize = 16 * 1024;

const notKept: Life = { fresh: 0, stale: 0, endsWithToken: false, shareable: false };

export function lifeOf(facts: LifeFacts, limits: LifeLimits): Life {
  const allowed = facts.status >= 200 && facts.status < 300;
  const denied = facts.status === 401 || facts.status === 403;
  if ((!allowed && !denied) || isOneShot(facts)) return notKept;
  const granted = serverGrant(facts);
  if (granted <= 0) return notKept;
  const configured = allowed ? limits.ttl : facts.hasCredentials ? limits.negativeTtl : 0;
  const tokenLeft = allowed ? tokenLife(facts) : Number.POSITIVE_INFINITY;
  const fresh = Math.max(0, Math.min(configured, granted, tokenLeft));
  const mayBeStale = allowed && fresh > 0 && !mustRevalidate(facts.headers);
  const stale = mayBeStale ? Math.min(fresh + limits.staleIfError, tokenLeft) : fresh;
  return { fresh, stale, endsWithToken: fresh === tokenLeft, shareable: true };
}

/** An answer meant for one request: it sets a cookie, or depends on what the key does not hold. */
function isOneShot(facts: LifeFacts): boolean {
  if (hasHeader(facts.headers, 'set-cookie')) return true;
  const vary = joinHeader(facts.headers, 'vary');
  if (vary === null) return false;
  const names = vary.split(',').map((name) => name.trim().toLowerCase());
  return names.some((name) => name !== '' && (name === '*' || !facts.covers(name)));
}

/** Milliseconds the auth server grants from now on; infinite when it says nothing. */
function serverGrant(facts: LifeFacts): number {
  const directives = joinHeader(facts.headers, 'cache-control');
  let grant = Number.POSITIVE_INFINITY;
  if (directives !== null) {
    for (const directive of directives.split(',')) grant = Math.min(grant, directiveGrant(directive));
  } else if (joinHeader(facts.headers, 'pragma')?.toLowerCase().includes('no-cache') === true) {
    return 0;
  }
  const age = seconds(getHeader(facts.headers, 'age') ?? '0');
  return Math.min(grant, expiresGrant(facts)) - (age ?? Number.POSITIVE_INFINITY) - facts.delay;
}

function directiveGrant(written: string): number {
  const equals = written.indexOf('=');
  const name = (equals === -1 ? written : written.slice(0, equals)).trim().toLowerCase();
  if (name === 'no-store' || name === 'no-cache' || name === 'private') return 0;
  if (name !== 'max-age' && name !== 's-maxage') return Number.POSITIVE_INFINITY;
  // Unreadable is taken for the least it could mean.
  return (
    seconds(
      equals === -1
        ? ''
        : written
            .slice(equals + 1)
            .trim()
            .replaceAll('"', ''),
    ) ?? 0
  );
}

/** Milliseconds, or null. */
function seconds(written: string): number | null {
  return /^\d{1,10}$/.test(written.trim()) ? Number(written) * 1000 : null;
}

function expiresGrant(facts: LifeFacts): number {
  const expires = getHeader(facts.headers, 'expires');
  if (expires === null) return Number.POSITIVE_INFINITY;
  const until = Date.parse(expires);
  if (Number.isNaN(until)) return 0;
  const date = Date.parse(getHeader(facts.headers, 'date') ?? '');
  return until - (Number.isNaN(date) ? facts.wallClock : date);
}

function mustRevalidate(headers: readonly string[]): boolean {
  return /(?:must|proxy)-revalidate/i.test(joinHeader(headers, 'cache-control') ?? '');
}

/** Milliseconds until the first of the tokens ends; infinite when none tells. */
function tokenLife(facts: LifeFacts): number {
  let left = Number.POSITIVE_INFINITY;
  for (const token of facts.tokens) {
    const end = tokenEnd(token);
    if (end !== null) left = Math.min(left, end - tokenSkew - facts.wallClock);
  }
  return left;
}

/**
 * `exp` of a JWT in milliseconds since 1970, or null. Nothing is verified: a forged `exp` can only shorten
 * how long the auth server's own decision is kept. An `exp` that is no number ends the token at once, and so
 * does what looks like a token and is too long to be read.
 */
export function tokenEnd(token: string): number | null {
  // Base64 of what begins with a brace, whatever white space follows it.
  if (!token.startsWith('e')) return null;
  const parts = token.split('.', 4);
  if (parts.length !== 3) return null;
  if (token.length > maxTokenSize) return 0;
  try {
    const claims: unknown = JSON.parse(Buffer.from(parts[1] as string, 'base64url').toString('utf8'));
    if (typeof claims !== 'object' || claims === null || !('exp' in claims)) return null;
    return typeof claims.exp === 'number' && Number.isFinite(claims.exp) ? claims.exp * 1000 : 0;
  } catch {
    return null;
  }
}
