// Header hygiene at the door, in the order that is safe: aliases and hop-by-hop names go, what the client
// nominates in Connection goes, identity and forwarding headers go in every spelling; only then are ours
// added, where nothing a client nominates can touch them.

import { foldName, hasHeader, type HeaderList } from '../headers.ts';
import { dropNominated, readNominated } from './nominated.ts';

/** Names a backend must never believe from a client, by their folded spelling. */
export interface ManagedNames {
  has(folded: string): boolean;
}

/** What a request's header section says about the request itself. */
export interface IntakeHeaders {
  /** Cleaned, to be kept by the Exchange. */
  readonly headers: HeaderList;
  host: string;
  /** -1 without Content-Length. */
  contentLength: number;
  chunked: boolean;
  upgrade: string;
  /** Asks for a WebSocket, in `Upgrade` and in `Connection`. */
  isUpgrade: boolean;
  /** The client asks for the connection to be closed after the answer. */
  wantsClose: boolean;
  /** The engine has taken notice of that by itself; it then says nothing of it in the answer. */
  engineCloses: boolean;
  /** Status to refuse with; 0 to go on. */
  refuse: number;
}

export interface HygieneRules {
  readonly underscoreHeadersStrategy: 'keep' | 'delete' | 'reject';
  /** Lower-case names that stay although a client lists them in Connection. */
  readonly connection: readonly string[];
  /** Bytes; the whole section. */
  readonly maxHeaderBytes: number;
}

// RFC 9110 §7.6.1 and what browsers, proxies and HTTP/2 upgrades of the field add to it. `expect` is
// answered by the engine; `content-length` is written anew from the body.
const dropped: ReadonlySet<string> = new Set([
  'keep-alive',
  'proxy-connection',
  // A CGI backend reads it as HTTP_PROXY (httpoxy).
  'proxy',
  'proxy-authenticate',
  'proxy-authorization',
  'http2-settings',
  'trailer',
  'trailers',
  'expect',
]);
const framing: ReadonlySet<string> = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'connection',
  'upgrade',
  'te',
]);

// A name in any form a CGI-like backend would fold: `x_user_id`, `x.user.id`.
const foldedDiffers = /[^a-z0-9-]/;
const closeToken = /(?:^|,)[\t ]*close[\t ]*(?:,|$)/i;
const trailersMember = /(?:^|,)[\t ]*trailers[\t ]*(?:,|$)/i;
const unsafeValue = /[^\t\x20-\x7e]/;

export class HeaderIntake {
  readonly #rules: HygieneRules;

  constructor(rules: HygieneRules) {
    this.#rules = rules;
  }

  begin(): IntakeHeaders {
    return {
      headers: [],
      host: '',
      contentLength: -1,
      chunked: false,
      upgrade: '',
      isUpgrade: false,
      wantsClose: false,
      engineCloses: false,
      refuse: 0,
    };
  }

  /** One header line; `name` in lower case. `keepForwarded`: the peer's forwarding headers are believed. */
  add(into: IntakeHeaders, name: string, value: string, scope: HeaderScope): void {
    scope.bytes += name.length + value.length + 4;
    if (name === '') into.refuse ||= 400;
    const safe = unsafeValue.test(value) ? restoreBytes(value) : value;
    if (safe === null) {
      into.refuse ||= 400;
      return;
    }
    if (framing.has(name)) {
      this.#addFraming(into, name, safe, scope);
      return;
    }
    if (dropped.has(name)) return;
    if (this.#isUnwanted(into, name, scope)) return;
    into.headers.push(name, safe);
  }

  finish(into: IntakeHeaders, scope: HeaderScope): void {
    if (scope.bytes > this.#rules.maxHeaderBytes) into.refuse ||= 431;
    if (into.chunked && into.contentLength !== -1) into.refuse ||= 400;
    const { nominated } = scope;
    if (nominated === '' || nominated === 'keep-alive' || nominated === 'close') return;
    this.#readConnection(into, nominated);
  }

  #addFraming(into: IntakeHeaders, name: string, value: string, scope: HeaderScope): void {
    switch (name) {
      case 'host':
        // Two Hosts, even equal ones: the router would read one and the backend the other.
        if (scope.hosts++ > 0) into.refuse ||= 400;
        into.host = value;
        return;
      case 'content-length':
        if (into.contentLength !== -1 || !/^\d{1,15}$/.test(value)) into.refuse ||= 400;
        else into.contentLength = Number(value);
        return;
      case 'transfer-encoding':
        if (into.chunked || value.toLowerCase() !== 'chunked') into.refuse ||= 400;
        into.chunked = true;
        return;
      case 'upgrade':
        into.upgrade = value.toLowerCase();
        return;
      case 'te':
        // RFC 9110 §10.1.4: of all its members only this one is meant for the server behind.
        if (trailersMember.test(value) && !hasHeader(into.headers, name)) into.headers.push(name, 'trailers');
        return;
      default:
        // The engine looks at the first Connection line only, and of that at nothing but its length.
        if (value.length === 5 && scope.nominated === '') into.engineCloses = true;
        else if (closeToken.test(value)) into.wantsClose = true;
        scope.nominated = scope.nominated === '' ? value : `${scope.nominated},${value}`;
    }
  }

  #isUnwanted(into: IntakeHeaders, name: string, scope: HeaderScope): boolean {
    let folded = name;
    if (foldedDiffers.test(name)) {
      if (name.includes('_') && this.#rules.underscoreHeadersStrategy !== 'keep') {
        if (this.#rules.underscoreHeadersStrategy === 'reject') into.refuse ||= 400;
        return true;
      }
      folded = foldName(name);
      // An alias of a name that frames, hops or forwards means trouble whoever sends it.
      if (framing.has(folded) || dropped.has(folded) || isForwarding(folded)) return true;
    } else if (!scope.trusted && isForwarding(name)) {
      return true;
    }
    return scope.managed.has(folded);
  }

  #readConnection(into: IntakeHeaders, connection: string): void {
    const nominated = readNominated(connection, this.#stays);
    if (nominated === null) {
      into.refuse ||= 400;
      return;
    }
    into.isUpgrade = nominated.upgrade && into.upgrade === 'websocket';
    if (nominated.names.length > 0) dropNominated(into.headers, nominated.names);
  }

  readonly #stays = (name: string): boolean => isForwarding(name) || this.#rules.connection.includes(name);
}

/** What is true for one request while its lines are read. */
export interface HeaderScope {
  trusted: boolean;
  managed: ManagedNames;
  bytes: number;
  hosts: number;
  nominated: string;
}

/** Headers by which proxies tell each other about a client; `folded` in lower case. */
export function isForwarding(folded: string): boolean {
  const first = folded.charCodeAt(0);
  if (first === 0x78) {
    return (
      folded.startsWith('x-forwarded-') ||
      folded === 'x-real-ip' ||
      folded.startsWith('x-original-') ||
      folded === 'x-rewrite-url'
    );
  }
  return first === 0x66 && folded === 'forwarded';
}

/** The engine reads values as UTF-8: back to one char a byte. Null when that lost something. */
function restoreBytes(value: string): string | null {
  // A control character, or bytes that were no UTF-8 and are now U+FFFD.
  if (/[\x00-\x08\x0a-\x1f\x7f\ufffd]/.test(value)) return null;
  return Buffer.from(value, 'utf8').toString('latin1');
}
