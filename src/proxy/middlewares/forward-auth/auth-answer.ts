// What an auth server's answer means: let the request go on with these headers, or tell the client this.

import { GatewayError } from '../../errors.ts';
import type { Exchange } from '../../exchange.ts';
import { appendHeader, deleteHeader, getHeader, type HeaderList } from '../../headers.ts';
import { CONTINUE, type Verdict } from '../../hooks.ts';
import type { AuthAnswer } from '../../upstream/auth-call.ts';
import { framingNames, type Identity } from './identity.ts';
import type { ForwardAuthOptions } from './options.ts';

export interface Allow {
  readonly allow: true;
  /** For the request on its way to the backend. */
  readonly identity: HeaderList;
  /** For the client's response. */
  readonly client: HeaderList;
  /** Set-Cookie values for the client's response. */
  readonly cookies: readonly string[];
  readonly username: string | null;
}

export interface Deny {
  readonly allow: false;
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: string | Uint8Array;
  /** The auth server itself is in trouble (5xx): an older decision may still stand. */
  readonly isFailure: boolean;
}

export type Decision = Allow | Deny;

/** Throws `GatewayError` `auth.bad_answer`. */
export function readDecision(answer: AuthAnswer, options: ForwardAuthOptions, identity: Identity): Decision {
  refuseUnsafeValues(answer.headers);
  if (answer.tooLarge) return { allow: false, status: 401, headers: [], body: '', isFailure: false };
  if (answer.status >= 200 && answer.status < 300) return readAllow(answer.headers, options, identity);
  if (answer.status === 401 && options.authSigninURL !== '') return signIn(options.authSigninURL);
  return {
    allow: false,
    status: answer.status,
    headers: denyHeaders(answer.headers, options),
    body: answer.body,
    isFailure: answer.status >= 500,
  };
}

/** Bytes a decision takes, near enough to bound memory by. */
export function sizeOf(decision: Decision): number {
  const lists = decision.allow ? [decision.identity, decision.client, decision.cookies] : [decision.headers];
  let size = decision.allow ? (decision.username?.length ?? 0) : decision.body.length;
  for (const list of lists) for (const text of list) size += text.length + 16;
  return size;
}

/** To the request, or as the answer. What a client may not say has been cleared from the request before. */
export function applyDecision(x: Exchange, decision: Decision): Verdict {
  if (!decision.allow) return x.answer(decision.status, [...decision.headers], decision.body);
  for (const text of decision.identity) x.headers.push(text);
  if (decision.username !== null) x.username = decision.username;
  return CONTINUE;
}

/** What an Allow says to the client, written into the response of the backend. */
export function applyToResponse(x: Exchange, allow: Allow): void {
  const headers = x.responseHeaders;
  for (let i = 0; i < allow.client.length; i += 2) deleteHeader(headers, allow.client[i] as string);
  for (const text of allow.client) headers.push(text);
  if (allow.cookies.length === 0) return;
  const names = new Set(allow.cookies.map(cookieName));
  x.responseHeaders = headers.filter((_, at) => {
    const name = headers[at - (at % 2)] as string;
    return name !== 'set-cookie' || !names.has(cookieName(headers[at - (at % 2) + 1] as string));
  });
  for (const cookie of allow.cookies) appendHeader(x.responseHeaders, 'set-cookie', cookie);
}

// A value with a line break would write headers of its own into the request to the backend.
function refuseUnsafeValues(headers: readonly string[]): void {
  for (let i = 1; i < headers.length; i += 2) {
    if (/[\r\n\0]/.test(headers[i] as string))
      throw new GatewayError('auth.bad_answer', 'line break in a header');
  }
}

function readAllow(headers: HeaderList, options: ForwardAuthOptions, identity: Identity): Allow {
  const username = options.headerField === '' ? null : getHeader(headers, options.headerField.toLowerCase());
  const client: HeaderList = [];
  const cookies: string[] = [];
  const allow: Allow = { allow: true, identity: identity.pick(headers), client, cookies, username };
  if (options.authClientResponseHeaders.length + options.addAuthCookiesToResponse.length === 0) return allow;
  const forClient = options.authClientResponseHeaders.map((name) => name.toLowerCase());
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    const value = headers[i + 1] as string;
    if (name === 'set-cookie') {
      if (options.addAuthCookiesToResponse.includes(cookieName(value)) || forClient.includes(name))
        cookies.push(value);
    } else if (forClient.includes(name) && !framingNames.has(name)) {
      client.push(name, value);
    }
  }
  return allow;
}

function cookieName(setCookie: string): string {
  const end = setCookie.search(/[=;]/);
  return (end === -1 ? setCookie : setCookie.slice(0, end)).trim();
}

function signIn(url: string): Deny {
  const headers = ['location', url, 'content-type', 'text/html; charset=utf-8'];
  return {
    allow: false,
    status: 302,
    headers,
    body: `<a href="${escapeHtml(url)}">Found</a>.\n\n`,
    isFailure: false,
  };
}

function escapeHtml(text: string): string {
  const named: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&#34;',
    "'": '&#39;',
  };
  return text.replace(/[&<>"']/g, (char) => named[char] as string);
}

function denyHeaders(answered: HeaderList, options: ForwardAuthOptions): HeaderList {
  const headers: HeaderList = [];
  for (let i = 0; i < answered.length; i += 2) {
    const name = answered[i] as string;
    // Date is the listener's, as Content-Length is.
    if (framingNames.has(name) || name === 'date') continue;
    const value = answered[i + 1] as string;
    const isPlace = name === 'location' && !options.preserveLocationHeader && value !== '';
    headers.push(name, isPlace ? absoluteLocation(value, options.address) : value);
  }
  return headers;
}

function absoluteLocation(location: string, address: string): string {
  // Browsers and URL parsers read `/\host` as `//host`: an escaped backslash leads nowhere else.
  const safe = location.replaceAll('\\', '%5C');
  const url = URL.parse(safe, address);
  if (url === null) throw new GatewayError('auth.bad_answer', 'unreadable Location');
  return /^[a-z][a-z0-9+.-]*:/i.test(safe) ? safe : url.href;
}
