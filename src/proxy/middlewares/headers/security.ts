// Security headers, and the hosts a request may name.

import type { Exchange } from '../../exchange.ts';
import { getHeader, type HeaderList, setHeader } from '../../headers.ts';
import { headerName, headerValue } from '../header-text.ts';
import type { HeadersOptions } from './options.ts';

export interface Security {
  /** Null when every host will do. */
  readonly isBadHost: ((x: Exchange) => boolean) | null;
  /** Null when there is nothing to set. */
  readonly response: ((x: Exchange) => void) | null;
}

/** Null when no security key is set. */
export function buildSecurity(options: HeadersOptions): Security | null {
  const isBadHost = buildHostCheck(options);
  const response = buildResponse(options);
  return isBadHost === null && response === null ? null : { isBadHost, response };
}

function buildHostCheck(options: HeadersOptions): ((x: Exchange) => boolean) | null {
  if (options.allowedHosts.length === 0 || options.isDevelopment) return null;
  const allowed = new Set(options.allowedHosts.map((host) => host.toLowerCase()));
  const proxyHeaders = options.hostsProxyHeaders.map((name) => headerName(name, 'hostsProxyHeaders'));
  return (x) => {
    const host = forwardedHost(x, proxyHeaders) ?? x.authority;
    return !allowed.has(host) && !allowed.has(host.toLowerCase());
  };
}

function forwardedHost(x: Exchange, names: readonly string[]): string | null {
  for (let i = 0; i < names.length; i++) {
    const host = getHeader(x.headers, names[i] as string);
    if (host !== null && host !== '') return host;
  }
  return null;
}

function buildResponse(options: HeadersOptions): ((x: Exchange) => void) | null {
  const always = alwaysSent(options);
  const overTls: HeaderList = [];
  const sts = strictTransport(options);
  if (sts !== null) (options.forceSTSHeader ? always : overTls).push('strict-transport-security', sts);
  const pins = value(options, 'publicKey');
  if (pins !== '' && !options.isDevelopment) overTls.push('public-key-pins', pins);
  if (always.length === 0 && overTls.length === 0) return null;
  const proofs = tlsProofs(options);
  return (x) => {
    setAll(x.responseHeaders, always);
    if (overTls.length > 0 && isTls(x, proofs)) setAll(x.responseHeaders, overTls);
  };
}

function alwaysSent(options: HeadersOptions): HeaderList {
  const headers: HeaderList = [];
  const frame = value(options, 'customFrameOptionsValue') || (options.frameDeny ? 'DENY' : '');
  const xss = value(options, 'customBrowserXSSValue') || (options.browserXssFilter ? '1; mode=block' : '');
  add(headers, 'x-frame-options', frame);
  add(headers, 'x-content-type-options', options.contentTypeNosniff ? 'nosniff' : '');
  add(headers, 'x-xss-protection', xss);
  add(headers, 'content-security-policy', value(options, 'contentSecurityPolicy'));
  add(headers, 'content-security-policy-report-only', value(options, 'contentSecurityPolicyReportOnly'));
  add(headers, 'referrer-policy', value(options, 'referrerPolicy'));
  add(headers, 'permissions-policy', value(options, 'permissionsPolicy'));
  return headers;
}

type TextKey =
  | 'customFrameOptionsValue'
  | 'customBrowserXSSValue'
  | 'contentSecurityPolicy'
  | 'contentSecurityPolicyReportOnly'
  | 'publicKey'
  | 'referrerPolicy'
  | 'permissionsPolicy';

function value(options: HeadersOptions, key: TextKey): string {
  return headerValue(options[key], key);
}

function add(headers: HeaderList, name: string, text: string): void {
  if (text !== '') headers.push(name, text);
}

function strictTransport(options: HeadersOptions): string | null {
  if (options.stsSeconds === 0 || options.isDevelopment) return null;
  const subdomains = options.stsIncludeSubdomains ? '; includeSubDomains' : '';
  return `max-age=${options.stsSeconds}${subdomains}${options.stsPreload ? '; preload' : ''}`;
}

/** Flat name, value pairs of request headers, any of which says that the client came over TLS. */
function tlsProofs(options: HeadersOptions): HeaderList {
  return Object.entries(options.sslProxyHeaders).flatMap(([name, text]) => [
    headerName(name, 'sslProxyHeaders'),
    headerValue(text, 'sslProxyHeaders'),
  ]);
}

function isTls(x: Exchange, proofs: readonly string[]): boolean {
  if (x.scheme === 'https') return true;
  for (let i = 0; i < proofs.length; i += 2) {
    if (getHeader(x.headers, proofs[i] as string) === proofs[i + 1]) return true;
  }
  return false;
}

function setAll(headers: HeaderList, pairs: readonly string[]): void {
  for (let i = 0; i < pairs.length; i += 2) setHeader(headers, pairs[i] as string, pairs[i + 1] as string);
}
