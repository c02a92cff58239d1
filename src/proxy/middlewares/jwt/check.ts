// One token, looked at from all sides: signature, time, who it is from, whom it is for, and what it allows.

import { createDecoder } from 'fast-jwt';
import { LRUCache } from 'lru-cache';
import type { HeaderList } from '../../headers.ts';
import { loggableName } from '../auth-text.ts';
import { toBytes } from '../header-text.ts';
import { SecretKey } from '../secret-key.ts';
import type { KeySource, Verify } from './key-source.ts';
import type { JwtOptions } from './options.ts';

export interface Accepted {
  /** For the server: names and values. */
  readonly headers: HeaderList;
  readonly username: string | null;
  /** Milliseconds since 1970. */
  readonly until: number;
  readonly generation: number;
}

/** `no_keys`: it cannot be found out. */
export type Outcome = Accepted | 'invalid_token' | 'insufficient_scope' | 'no_keys';

/** Tokens remembered by one worker, and characters of the headers made of them. */
const maxTokens = 10_000;
const maxSize = 16 * 1024 * 1024;
/** Milliseconds a token is believed without looking again. */
const believedFor = 5 * 60_000;
/** Characters of one header made of a claim. */
const maxValue = 8_192;

const decode = createDecoder({ complete: true }) as (token: string) => {
  readonly header: Record<string, unknown>;
  readonly payload: unknown;
};

type Claims = Readonly<Record<string, unknown>>;

export class TokenCheck {
  readonly #options: JwtOptions;
  readonly #fields: readonly (readonly [claim: string, header: string])[];
  readonly #required: readonly string[];
  readonly #keys: KeySource;
  readonly #secret: SecretKey;
  /** Accepted ones only. The key is a keyed digest: no token is kept. */
  readonly #accepted = new LRUCache<string, Accepted>({ max: maxTokens, maxSize });

  constructor(
    options: JwtOptions,
    fields: readonly (readonly [string, string])[],
    keys: KeySource,
    secret: string,
  ) {
    this.#options = options;
    this.#fields = fields;
    this.#keys = keys;
    this.#secret = new SecretKey(secret);
    // A token that does not say for whom it is is for nobody.
    const implied = [
      ...(options.audience.length > 0 ? ['aud'] : []),
      ...(options.issuer.length > 0 ? ['iss'] : []),
    ];
    this.#required = [...options.requiredClaims, ...implied];
  }

  of(token: string): Outcome | Promise<Outcome> {
    const key = this.#secret.of(token);
    const known = this.#accepted.get(key);
    if (known !== undefined && known.generation === this.#keys.generation && Date.now() < known.until)
      return known;
    const read = readHeader(token);
    if (read === null) return 'invalid_token';
    const found = this.#keys.find(read.kid, read.algorithm);
    return found instanceof Promise
      ? found.then((verify) => this.#judge(key, token, verify))
      : this.#judge(key, token, found);
  }

  close(): void {
    this.#accepted.clear();
  }

  #judge(key: string, token: string, verify: Verify | null | 'no_keys'): Outcome {
    if (verify === 'no_keys') return verify;
    if (verify === null) return 'invalid_token';
    let claims: unknown;
    try {
      claims = verify(token);
    } catch {
      return 'invalid_token';
    }
    if (typeof claims !== 'object' || claims === null || Array.isArray(claims)) return 'invalid_token';
    const outcome = this.#accept(claims as Claims);
    if (typeof outcome === 'object') {
      const size = outcome.headers.reduce((sum, text) => sum + text.length, 200);
      this.#accepted.set(key, outcome, { size });
    }
    return outcome;
  }

  #accept(claims: Claims): Outcome {
    const { audience, issuer, scopes, clockTolerance, usernameClaim } = this.#options;
    const now = Date.now();
    if (!this.#required.every((name) => Object.hasOwn(claims, name))) return 'invalid_token';
    const exp = timeOf(claims, 'exp', Number.POSITIVE_INFINITY);
    const nbf = timeOf(claims, 'nbf', Number.NEGATIVE_INFINITY);
    if (exp === null || nbf === null) return 'invalid_token';
    if (now >= exp + clockTolerance || now < nbf - clockTolerance) return 'invalid_token';
    if (issuer.length > 0 && !issuer.some((name) => name === claims['iss'])) return 'invalid_token';
    if (audience.length > 0 && !textsOf(claims['aud']).some((name) => audience.includes(name)))
      return 'invalid_token';
    const granted = [...words(claims['scope']), ...words(claims['scp'])];
    if (!scopes.every((scope) => granted.includes(scope))) return 'insufficient_scope';
    const headers = this.#headersOf(claims);
    if (headers === null) return 'invalid_token';
    const name = claimText(claims, usernameClaim);
    const username = name === null || name === false ? null : loggableName(name);
    const until = Math.min(exp + clockTolerance, now + believedFor);
    return { headers, username, until, generation: this.#keys.generation };
  }

  /** Null when a claim cannot stand in a header: cutting it would make it another user's. */
  #headersOf(claims: Claims): HeaderList | null {
    const headers: HeaderList = [];
    for (const [claim, header] of this.#fields) {
      const value = claimText(claims, claim);
      if (value === null) continue;
      if (value === false) return null;
      const bytes = toBytes(value);
      // Of the text, not of its bytes: one of `à` is a blank by itself.
      if (bytes.length > maxValue || /[\x00-\x1f\x7f]/.test(bytes) || value.trim() !== value) return null;
      headers.push(header, bytes);
    }
    return headers;
  }
}

function readHeader(token: string): { readonly kid: string | null; readonly algorithm: string } | null {
  try {
    const { kid, alg } = decode(token).header;
    if (typeof alg !== 'string' || (kid !== undefined && typeof kid !== 'string')) return null;
    return { kid: kid ?? null, algorithm: alg };
  } catch {
    return null;
  }
}

/** Milliseconds; null when it is no number. */
function timeOf(claims: Claims, name: string, absent: number): number | null {
  if (!Object.hasOwn(claims, name)) return absent;
  const value = claims[name];
  return typeof value === 'number' && Number.isFinite(value) ? value * 1000 : null;
}

/**
 * `a`, or `a.b` where `a` holds objects; a list of texts is joined by commas. Null when there is nothing to show,
 * false when a list would read as another one.
 */
function claimText(claims: Claims, path: string): string | null | false {
  let value: unknown = Object.hasOwn(claims, path) ? claims[path] : undefined;
  if (value === undefined && path.includes('.')) {
    value = claims;
    for (const name of path.split('.')) {
      const isObject = typeof value === 'object' && value !== null && Object.hasOwn(value, name);
      value = isObject ? (value as Claims)[name] : undefined;
    }
  }
  if (Array.isArray(value)) {
    const texts = value.filter((item) => typeof item === 'string' || typeof item === 'number');
    if (texts.length !== value.length) return null;
    return texts.some((text) => String(text).includes(',')) ? false : texts.join(',');
  }
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : null;
}

function textsOf(value: unknown): string[] {
  return (Array.isArray(value) ? value : [value]).filter((item) => typeof item === 'string');
}

function words(value: unknown): string[] {
  return textsOf(value).flatMap((text) => text.split(' '));
}
