// What may be written under `forwardAuth`, and the form the other rooms read.

import type { z } from 'zod';
import { compileRegexp } from '../../../rules/regexp.ts';
import { bool, duration, int, list, object, secret, text, timeout } from '../fields.ts';

/** Milliseconds: what Traefik waits, there not configurable. */
const defaultTimeout = 30_000;
const maxEntriesLimit = 1_000_000;

const headerName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

const names = list.refine((all) => all.every((name) => headerName.test(name)), 'expected header names');

const address = secret(text.refine(isHttpUrl, 'expected an http:// or https:// URL'), 'url');

const atLeastZero = (value: number) => value >= 0;

const signinUrl = text.refine((url) => isLine(url), 'expected a URL without control characters');

const keyEntry = /^(?:host|uri|path|method|scheme|ip|header:[!#$%&'*+.^_`|~0-9A-Za-z-]+|cookie:[^\s;=,"]+)$/;

const cacheSchema = object({
  /** Milliseconds a decision is kept at most. */
  ttl: duration.refine((value) => value > 0, 'expected a duration above 0'),
  /** Milliseconds a 401 or 403 is kept at most; 0 keeps none. */
  negativeTtl: duration.refine(atLeastZero, 'expected 0 or more').default(0),
  /** Milliseconds past its life that a decision serves while the auth server fails; 0: not at all. */
  staleIfError: duration.refine(atLeastZero, 'expected 0 or more').default(0),
  maxEntries: int
    .refine((value) => value >= 1 && value <= maxEntriesLimit, `expected 1 to ${maxEntriesLimit}`)
    .default(10_000),
  key: list
    .refine(
      (entries) => entries.every((entry) => keyEntry.test(entry)),
      'expected any of header:<Name>, cookie:<name>, host, uri, path, method, scheme, ip',
    )
    .default([]),
  /** Nodes share what was allowed, over `state.redis`. */
  shared: bool.default(false),
});

const tlsSchema = object({
  ca: secret(text.optional()),
  cert: secret(text.optional()),
  key: secret(text.optional()),
  insecureSkipVerify: bool.default(false),
  /** Deprecated in Traefik, and ignored there as here. */
  caOptional: bool.optional(),
});

export const forwardAuthSchema = object({
  address,
  tls: tlsSchema.optional(),
  /** Unset is a state of its own. */
  trustForwardHeader: bool.optional(),
  authRequestHeaders: names.default([]),
  authResponseHeaders: names.default([]),
  authResponseHeadersRegex: text.refine(isRegexp, 'expected a regular expression (Go syntax)').default(''),
  addAuthCookiesToResponse: list.default([]),
  headerField: text
    .refine((name) => name === '' || headerName.test(name), 'expected a header name')
    .default(''),
  forwardBody: bool.default(false),
  maxBodySize: int.default(-1),
  maxResponseBodySize: int.default(-1),
  preserveLocationHeader: bool.default(false),
  preserveRequestMethod: bool.default(false),
  authSigninURL: signinUrl.default(''),
  timeout: timeout.refine((value) => value > 0, 'expected a duration above 0').default(defaultTimeout),
  statusOnError: int.refine((value) => value >= 400 && value <= 599, 'expected 400 to 599').default(500),
  skipPreflight: bool.default(false),
  authClientResponseHeaders: names.default([]),
  cache: cacheSchema.optional(),
});

export type ForwardAuthOptions = z.output<typeof forwardAuthSchema>;
export type CacheOptions = z.output<typeof cacheSchema>;

function isHttpUrl(written: string): boolean {
  const url = URL.parse(written);
  return url !== null && (url.protocol === 'http:' || url.protocol === 'https:');
}

function isRegexp(pattern: string): boolean {
  return pattern === '' || compileRegexp(pattern).ok;
}

function isLine(written: string): boolean {
  for (let i = 0; i < written.length; i++) {
    const c = written.charCodeAt(i);
    if (c < 0x20 || c === 0x7f || c > 0xff) return false;
  }
  return true;
}
