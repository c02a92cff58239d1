// CORS: the answer to a preflight and the headers on ordinary responses.

import type { Regexp } from '../../../rules/regexp.ts';
import type { Exchange } from '../../exchange.ts';
import { getHeader, type HeaderList, joinHeader, setHeader } from '../../headers.ts';
import type { Verdict } from '../../hooks.ts';
import { headerValue } from '../header-text.ts';
import { compileOrThrow } from '../regexp-text.ts';
import type { HeadersOptions } from './options.ts';

export interface Cors {
  /** Of an OPTIONS request. */
  readonly isPreflight: (x: Exchange) => boolean;
  readonly answerPreflight: (x: Exchange) => Verdict;
  /** Null when there is nothing to do on responses. */
  readonly response: ((x: Exchange) => void) | null;
}

/** Null when no CORS key is set. */
export function buildCors(options: HeadersOptions, warn: (message: string) => void): Cors | null {
  if (!isConfigured(options)) return null;
  const origins = buildOrigins(options);
  for (const pattern of options.accessControlAllowOriginListRegex) {
    if (!isWhole(pattern))
      warn(
        `accessControlAllowOriginListRegex: ${pattern.slice(0, 200)} is looked for anywhere in an origin, so that ` +
          'names of others may hold it; begin it with ^ and end it with $',
      );
  }
  if (options.accessControlAllowCredentials && options.accessControlAllowOriginList.includes('*')) {
    warn(
      'accessControlAllowOriginList: "*" with credentials lets every site read answers in its users\' name',
    );
  }
  return {
    isPreflight,
    answerPreflight: preflight(options, origins),
    response: onResponse(options, origins),
  };
}

/**
 * Whether it says that it is the whole origin, or plainly takes all: `https://.*\.example\.com` also matches
 * `https://a.example.com.evil.test`. By its text: a warning need not be right about every expression there is.
 */
function isWhole(pattern: string): boolean {
  if (/^\.[*+]$/.test(pattern)) return true;
  return alternatives(pattern).every(
    (one) => /^(?:\(\?[a-z]+\))?(?:\^|\\A)/.test(one) && /(?:^|[^\\])\$$|\\z$/.test(one),
  );
}

/** What stands between bars that are in no parentheses. */
function alternatives(pattern: string): readonly string[] {
  const found = [''];
  let depth = 0;
  for (const piece of pattern.match(/\\.|[^\\]/gs) ?? []) {
    if (piece === '(') depth += 1;
    if (piece === ')') depth -= 1;
    if (piece === '|' && depth === 0) found.push('');
    else found[found.length - 1] += piece;
  }
  return found;
}

function isConfigured(options: HeadersOptions): boolean {
  return (
    options.accessControlAllowCredentials ||
    options.accessControlAllowHeaders.length > 0 ||
    options.accessControlAllowMethods.length > 0 ||
    options.accessControlAllowOriginList.length > 0 ||
    options.accessControlAllowOriginListRegex.length > 0 ||
    options.accessControlExposeHeaders.length > 0 ||
    options.accessControlMaxAge !== undefined ||
    options.addVaryHeader
  );
}

function isPreflight(x: Exchange): boolean {
  return (
    isFilled(getHeader(x.headers, 'origin')) &&
    isFilled(getHeader(x.headers, 'access-control-request-method'))
  );
}

function isFilled(value: string | null): boolean {
  return value !== null && value !== '';
}

/** What Access-Control-Allow-Origin says to an Origin (null: the request has none), or null for nothing. */
type Origins = (origin: string | null) => string | null;

function buildOrigins(options: HeadersOptions): Origins | null {
  const listed = options.accessControlAllowOriginList;
  const regexps: readonly Regexp[] = options.accessControlAllowOriginListRegex.map((pattern) =>
    compileOrThrow(pattern, 'accessControlAllowOriginListRegex'),
  );
  if (listed.length === 0 && regexps.length === 0) return null;
  const echoes = options.accessControlAllowCredentials;
  // The list is in order: a wildcard hides what comes after it.
  const wildcard = listed.indexOf('*');
  const exact = new Set(wildcard === -1 ? listed : listed.slice(0, wildcard));
  return (origin) => {
    if (origin === null || origin === '') return wildcard !== -1 && !echoes ? '*' : null;
    if (exact.has(origin)) return origin;
    if (wildcard !== -1) return echoes ? origin : '*';
    for (let i = 0; i < regexps.length; i++) if ((regexps[i] as Regexp).test(origin)) return origin;
    return null;
  };
}

function preflight(options: HeadersOptions, origins: Origins | null): (x: Exchange) => Verdict {
  const fixed: HeaderList = ['content-length', '0'];
  const echoes = options.accessControlAllowCredentials;
  if (echoes) fixed.push('access-control-allow-credentials', 'true');
  const echoHeaders = addList(
    fixed,
    'access-control-allow-headers',
    options.accessControlAllowHeaders,
    echoes,
  );
  const echoMethod = addList(
    fixed,
    'access-control-allow-methods',
    options.accessControlAllowMethods,
    echoes,
  );
  if (options.accessControlMaxAge !== undefined) {
    fixed.push('access-control-max-age', String(options.accessControlMaxAge));
  }
  addList(fixed, 'access-control-expose-headers', options.accessControlExposeHeaders, echoes);
  return (x) => {
    const headers = fixed.slice();
    if (echoHeaders) echo(x, headers, 'access-control-request-headers', 'access-control-allow-headers');
    if (echoMethod) echo(x, headers, 'access-control-request-method', 'access-control-allow-methods');
    const allowed = origins === null ? null : origins(getHeader(x.headers, 'origin'));
    if (allowed !== null) headers.push('access-control-allow-origin', allowed);
    return x.answer(200, headers, '');
  };
}

/** With credentials a browser takes `*` by the letter: true when the request's own words must stand for it. */
function addList(headers: HeaderList, name: string, values: readonly string[], echoes: boolean): boolean {
  if (values.length === 0) return false;
  if (echoes && values.includes('*')) return true;
  headers.push(name, headerValue(values.join(','), name));
  return false;
}

function echo(x: Exchange, headers: HeaderList, from: string, to: string): void {
  const asked = joinHeader(x.headers, from);
  if (asked !== null && asked !== '') headers.push(to, asked);
}

function onResponse(options: HeadersOptions, origins: Origins | null): ((x: Exchange) => void) | null {
  const fixed: HeaderList = [];
  const credentials = options.accessControlAllowCredentials;
  if (credentials) fixed.push('access-control-allow-credentials', 'true');
  addList(fixed, 'access-control-expose-headers', options.accessControlExposeHeaders, credentials);
  const varies = options.addVaryHeader;
  if (origins === null && fixed.length === 0 && !varies) return null;
  return (x) => {
    const allowed = origins === null ? null : origins(getHeader(x.headers, 'origin'));
    if (allowed !== null) setHeader(x.responseHeaders, 'access-control-allow-origin', allowed);
    for (let i = 0; i < fixed.length; i += 2) {
      setHeader(x.responseHeaders, fixed[i] as string, fixed[i + 1] as string);
    }
    if (varies) addVary(x.responseHeaders);
  };
}

function addVary(headers: HeaderList): void {
  const vary = joinHeader(headers, 'vary');
  if (vary === 'Origin') return;
  setHeader(headers, 'vary', vary === null || vary === '' ? 'Origin' : `${vary},Origin`);
}
