// Header hygiene at the door, in the order that is safe: aliases and hop-by-hop names go, what the client
// nominates in Connection goes, identity and forwarding headers go in every spelling; only then are ours
// added, where nothing a client nominates can touch them.

import { foldName, hasHeader, type HeaderList } from '../headers.ts';
import {
  droppedNames,
  findKnown,
  framingNames,
  isDropped,
  isForwarding,
  isFraming,
  type KnownName,
  knownNames,
  maxRememberedChars,
} from './known-names.ts';
import { dropNominated, readNominated } from './nominated.ts';
import { safeBytes, safeValue } from './safe-value.ts';

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

const dropped: ReadonlySet<string> = new Set(droppedNames);
const framing: ReadonlySet<string> = new Set(framingNames);

// A name in any form a CGI-like backend would fold: `x_user_id`, `x.user.id`.
const foldedDiffers = /[^a-z0-9-]/;
const closeToken = /(?:^|,)[\t ]*close[\t ]*(?:,|$)/i;
const trailersMember = /(?:^|,)[\t ]*trailers[\t ]*(?:,|$)/i;

export class HeaderIntake {
  readonly #rules: HygieneRules;
  #managed: ManagedNames | null = null;
  #before: KnownName | null = null;
  readonly #isManaged: Uint8Array = new Uint8Array(knownNames.length);

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

  /** One header line; `name` in lower case. `scope.trusted`: the peer's forwarding headers are believed. */
  add(into: IntakeHeaders, name: string, value: string, scope: HeaderScope): void {
    scope.bytes += name.length + value.length + 4;
    const known = findKnown(name, this.#before);
    if (known === null) {
      this.#addUnknown(into, name, value, scope);
    } else {
      this.#before = known;
      this.#addKnown(into, known, value, scope);
    }
  }

  finish(into: IntakeHeaders, scope: HeaderScope): void {
    if (scope.bytes > this.#rules.maxHeaderBytes) into.refuse ||= 431;
    if (into.chunked && into.contentLength !== -1) into.refuse ||= 400;
    const { nominated } = scope;
    if (nominated === '' || nominated === 'keep-alive' || nominated === 'close') return;
    this.#readConnection(into, nominated);
  }

  #addKnown(into: IntakeHeaders, known: KnownName, value: string, scope: HeaderScope): void {
    const safe = known.repeats && value === known.lastSafe ? known.lastSafe : safeOf(value, scope);
    if (safe === null) {
      into.refuse ||= 400;
      return;
    }
    if (known.repeats && safe === value && value.length <= maxRememberedChars && scope.isBytes !== true)
      known.lastSafe = value;
    const { action } = known;
    if (action === isFraming) {
      this.#addFraming(into, known.name, safe, scope);
      return;
    }
    if (action === isDropped || (action === isForwarding && !scope.trusted)) return;
    if (scope.managed !== this.#managed) this.#learnManaged(scope.managed);
    if (this.#isManaged[known.index] === 0) into.headers.push(known.name, safe);
  }

  /** Identity headers change when the configuration does: which known names are among them is asked once. */
  #learnManaged(managed: ManagedNames): void {
    this.#managed = managed;
    for (const { name, index } of knownNames) this.#isManaged[index] = managed.has(name) ? 1 : 0;
  }

  #addUnknown(into: IntakeHeaders, name: string, value: string, scope: HeaderScope): void {
    if (name === '') into.refuse ||= 400;
    const safe = safeOf(value, scope);
    if (safe === null) {
      into.refuse ||= 400;
      return;
    }
    if (!this.#isUnwanted(into, name, scope)) into.headers.push(name, safe);
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
        if (value === 'keep-alive' && scope.nominated === '') {
          scope.nominated = value;
          return;
        }
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
      if (framing.has(folded) || dropped.has(folded) || isForwardingName(folded)) return true;
    } else if (!scope.trusted && isForwardingName(name)) {
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

  readonly #stays = (name: string): boolean =>
    isForwardingName(name) || this.#rules.connection.includes(name);
}

/** What is true for one request while its lines are read. */
export interface HeaderScope {
  trusted: boolean;
  managed: ManagedNames;
  bytes: number;
  hosts: number;
  nominated: string;
  /** Values come one char a byte; else as UTF-8. */
  isBytes?: boolean;
}

function safeOf(value: string, scope: HeaderScope): string | null {
  return scope.isBytes === true ? safeBytes(value) : safeValue(value);
}

/** Headers by which proxies tell each other about a client; `folded` in lower case. */
export function isForwardingName(folded: string): boolean {
  const first = folded.charCodeAt(0);
  if (first === 0x78) {
    return (
      folded.startsWith('x-forwarded-') ||
      folded === 'x-real-ip' ||
      folded.startsWith('x-original-') ||
      folded === 'x-rewrite-url' ||
      folded === 'x-replaced-path'
    );
  }
  return first === 0x66 && folded === 'forwarded';
}
