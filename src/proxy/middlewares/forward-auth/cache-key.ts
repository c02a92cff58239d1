// Under which key a decision is kept: 32 bytes that no two different questions share, and that tell nothing
// about the question to someone who reads memory.

import { hash } from 'node:crypto';
import type { Exchange } from '../../exchange.ts';
import { getHeaderValues } from '../../headers.ts';
import { type AuthRequest, noiseNames } from './auth-request.ts';

export interface KeyScope {
  /** Qualified name of the middleware. */
  readonly name: string;
  /** Digest of its options: a changed middleware never finds decisions of the old one. */
  readonly optionsHash: string;
  readonly address: string;
  readonly bootSecret: string;
  /** Entries as in `cache.key`; empty: everything the auth call carries. */
  readonly narrow: readonly string[];
}

export class CacheKey {
  readonly #request: AuthRequest;
  /** Digest of the secret and of what is the same for all requests of this middleware: as secret as those. */
  readonly #prefix: string;
  readonly #narrow: readonly string[];
  readonly #parts: readonly Part[] | null;
  /** Of a narrowed key: whether a request has the header or cookie of each such entry. */
  readonly #shown: readonly ((x: Exchange) => boolean)[];
  /** Of a narrowed key without such entries: clients are told apart by where they come from, as was asked for. */
  readonly #isByAddress: boolean;
  /** Of a narrowed key: whether requests that differ in their query differ in key. */
  readonly #holdsQuery: boolean;

  constructor(scope: KeyScope, request: AuthRequest) {
    this.#request = request;
    const { bootSecret, name, optionsHash, address } = scope;
    // A digest is shorter than they are, and of one length: each key hashes two blocks less.
    this.#prefix = hash('sha256', bootSecret + part(name) + part(optionsHash) + part(address), 'base64');
    this.#narrow = scope.narrow.map((entry) => (entry.startsWith('cookie:') ? entry : entry.toLowerCase()));
    this.#parts = scope.narrow.length === 0 ? null : this.#narrow.map((entry) => readPart(entry, request));
    this.#shown = this.#narrow.flatMap(readPresence);
    this.#isByAddress =
      this.#shown.length === 0 &&
      this.#narrow.some((entry) => entry === 'ip' || entry === 'header:x-forwarded-for');
    this.#holdsQuery = this.#narrow.includes('uri') || this.#narrow.includes('header:x-forwarded-uri');
  }

  /** 32 bytes, one a char. Must be asked before anything of `x` is changed. */
  of(x: Exchange): string {
    // The secret leads the message. That would be weak for a MAC others see and extend; these never leave.
    return hash('sha256', this.#parts === null ? this.#whole(x) : this.#narrowed(x, this.#parts), 'binary');
  }

  /** Whether requests that differ in header `name` (lower case) differ in key or look alike to the auth server. */
  covers(name: string): boolean {
    if (this.#parts !== null) {
      return this.#narrow.includes(`header:${name}`) || (name === 'host' && this.#narrow.includes('host'));
    }
    if (name === 'host' || this.#request.carries(name) || writtenAlways.has(name)) return true;
    return noiseNames.has(name);
  }

  /**
   * Whether a narrowed key would see nothing of who asks: none of its own headers and cookies is there, but the
   * call carries something else that may be a credential: any header that is not known to be none, or a query. All
   * such requests would share one decision, whoever they are from, and so would those that show nothing at all.
   */
  isBlindTo(x: Exchange): boolean {
    if (this.#parts === null || this.#isByAddress) return false;
    for (const shows of this.#shown) if (shows(x)) return false;
    if (!this.#holdsQuery && this.#request.forwardedUri(x).includes('?')) return true;
    const { headers } = x;
    for (let i = 0; i < headers.length; i += 2) {
      const name = headers[i] as string;
      if (!tellingNothing.has(name) && this.#request.carries(name)) return true;
    }
    return false;
  }

  // The fields before the headers are of a fixed number, so that nothing can slip from one list into another.
  #whole(x: Exchange): string {
    const request = this.#request;
    let text = this.#prefix + part(x.method) + part(request.method(x)) + part(x.scheme) + part(x.authority);
    text += part(request.forwardedMethod(x)) + part(request.forwardedProto(x));
    text += part(request.forwardedHost(x)) + part(request.forwardedUri(x));
    text += part(request.forwardedFor(x)) + part(request.forwardedPort(x));
    const { headers } = x;
    for (let i = 0; i < headers.length; i += 2) {
      const name = headers[i] as string;
      if (request.carries(name)) text += part(name) + part(headers[i + 1] as string);
    }
    return text;
  }

  #narrowed(x: Exchange, parts: readonly Part[]): string {
    let text = this.#prefix;
    for (const of of parts) text += part(of(x));
    return text;
  }
}

const writtenAlways: ReadonlySet<string> = new Set(
  ['for', 'proto', 'host', 'uri', 'method', 'port'].map((name) => `x-forwarded-${name}`),
);

/** Headers that show nobody who asks. A client certificate that is passed on does. */
const tellingNothing: ReadonlySet<string> = new Set([
  ...noiseNames,
  ...writtenAlways,
  'content-encoding',
  'content-language',
  'content-type',
  'origin',
  'via',
  'x-forwarded-prefix',
  'x-forwarded-server',
  'x-real-ip',
  'x-requested-with',
]);

type Part = (x: Exchange) => string;

function part(text: string): string {
  return `${text.length}:${text}`;
}

function readPart(entry: string, request: AuthRequest): Part {
  const colon = entry.indexOf(':');
  const kind = colon === -1 ? entry : entry.slice(0, colon);
  const name = entry.slice(colon + 1);
  switch (kind) {
    case 'header':
      return headerPart(name, request);
    case 'cookie':
      return (x) => joinParts(cookieValues(x.headers, name));
    case 'host':
      return (x) => part(x.authority) + part(request.forwardedHost(x));
    case 'uri':
      return (x) => part(x.path + x.search) + part(request.forwardedUri(x));
    case 'path':
      return (x) => x.path;
    case 'method':
      return (x) => part(x.method) + part(request.forwardedMethod(x));
    case 'scheme':
      return (x) => part(x.scheme) + part(request.forwardedProto(x));
    case 'ip':
      return (x) => request.forwardedFor(x);
    default:
      throw new Error(`cache.key: "${entry}" is not a part of a request`);
  }
}

function readPresence(entry: string): ((x: Exchange) => boolean)[] {
  const name = entry.slice(entry.indexOf(':') + 1);
  if (entry.startsWith('cookie:')) return [(x) => cookieValues(x.headers, name).some(isShown)];
  // Every request has these: they tell nothing about who asks.
  if (!entry.startsWith('header:') || name === 'host' || writtenAlways.has(name)) return [];
  return [(x) => showsHeader(x.headers, name)];
}

function showsHeader(headers: readonly string[], name: string): boolean {
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] === name && isShown(headers[i + 1] as string)) return true;
  }
  return false;
}

/** Characters of a value that may still be no credential. */
const longestNothing = 20;
const nothing = /^(?:basic|bearer|digest|token)?[ \t]*(?:"*|null|undefined|deleted)[ \t]*$/i;

/** A cookie that was emptied, a scheme without a token, what scripts make of none: anybody's is nobody's. */
function isShown(value: string): boolean {
  return value.length > longestNothing || !nothing.test(value);
}

/** What stands in the auth call under `name`, which need not be what stands in the request. */
function headerPart(name: string, request: AuthRequest): Part {
  const written = writtenParts(request)[name];
  if (written === undefined) return (x) => headerParts(x.headers, name);
  return (x) => part(written(x)) + headerParts(x.headers, name);
}

function writtenParts(request: AuthRequest): Readonly<Record<string, Part | undefined>> {
  return {
    __proto__: null as never,
    host: (x) => x.authority,
    'x-forwarded-for': (x) => request.forwardedFor(x),
    'x-forwarded-host': (x) => request.forwardedHost(x),
    'x-forwarded-method': (x) => request.forwardedMethod(x),
    'x-forwarded-port': (x) => request.forwardedPort(x),
    'x-forwarded-proto': (x) => request.forwardedProto(x),
    'x-forwarded-uri': (x) => request.forwardedUri(x),
  };
}

/** None, one empty one and two empty ones stay different. */
function joinParts(values: readonly string[]): string {
  let text = '';
  for (const value of values) text += part(value);
  return text;
}

/** `joinParts` of every value of a header, without a list of them. */
function headerParts(headers: readonly string[], name: string): string {
  let text = '';
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] === name) text += part(headers[i + 1] as string);
  }
  return text;
}

/** Every value of cookie `name`: which one of several a server takes is its own affair. */
function cookieValues(headers: readonly string[], name: string): string[] {
  const values: string[] = [];
  for (const line of getHeaderValues(headers, 'cookie')) {
    for (const pair of line.split(';')) {
      const equals = pair.indexOf('=');
      if (equals !== -1 && pair.slice(0, equals).trim() === name) values.push(pair.slice(equals + 1).trim());
    }
  }
  return values;
}
