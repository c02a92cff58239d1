// The first room: what an engine read off the wire becomes an Exchange, or is refused with a status.

import type { Downstream } from '../downstream.ts';
import type { RequestBody } from '../body.ts';
import { Exchange } from '../exchange.ts';
import type { EntryPoint } from './entry-point.ts';
import { addForwarded } from './forwarded.ts';
import { canonicalHost } from '../../rules/host.ts';
import { HeaderIntake, type HeaderScope, type IntakeHeaders, type ManagedNames } from './intake-headers.ts';
import { readSearch, readTarget, type TargetRules } from '../../rules/target.ts';

/** A request line and what stands under it, engine-neutral. */
export interface WireRequest {
  readonly method: string;
  readonly rawPath: string;
  readonly rawQuery: string;
  readonly peer: string;
  readonly scheme: 'http' | 'https';
}

/** What the engine gives for both directions of one request. */
export interface Sides {
  readonly downstream: Downstream;
  readonly body: RequestBody | null;
  /** `downstream` is a `Handshake`: the request can become a tunnel. */
  readonly isHandshake: boolean;
}

const knownMethods: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
]);
// RFC 9110 §5.6.2; the engine takes anything up to the first space.
const token = /^[A-Za-z0-9!#$%&'*+\-.^_`|~]{1,64}$/;

/** Go's HTTP library allows this much above `maxHeaderBytes`, and so does Traefik. */
export const headerSlop = 4096;

/** One per entry point; `begin`, then `header` for every line, then `finish`, all in one callback. */
export class Intake {
  readonly #entryPoint: EntryPoint;
  readonly #headers: HeaderIntake;
  readonly #targetRules: TargetRules;
  readonly #scope: HeaderScope = {
    trusted: false,
    managed: { has: () => false },
    bytes: 0,
    hosts: 0,
    nominated: '',
    isBytes: false,
  };
  #current: IntakeHeaders;
  #lastAuthority = '';
  #lastHost: string | null = null;

  constructor(entryPoint: EntryPoint) {
    const { http, forwardedHeaders } = entryPoint.spec;
    this.#entryPoint = entryPoint;
    this.#headers = new HeaderIntake({
      underscoreHeadersStrategy: http.underscoreHeadersStrategy,
      connection: forwardedHeaders.connection,
      maxHeaderBytes: http.maxHeaderBytes + headerSlop,
    });
    this.#targetRules = { sanitizePath: http.sanitizePath, encodedCharacters: http.encodedCharacters };
    this.#current = this.#headers.begin();
  }

  begin(peer: string, managed: ManagedNames): void {
    const scope = this.#scope;
    scope.trusted = this.#entryPoint.trusted.has(peer);
    scope.managed = managed;
    scope.bytes = 0;
    scope.hosts = 0;
    scope.nominated = '';
    this.#current = this.#headers.begin();
  }

  readonly header = (name: string, value: string): void => {
    this.#headers.add(this.#current, name, value, this.#scope);
  };

  /** The same for an engine that reads a value as its bytes, one char a byte. */
  headerBytes(name: string, value: string): void {
    this.#scope.isBytes = true;
    this.#headers.add(this.#current, name, value, this.#scope);
  }

  /** The header section as read; `refuse` is its status when it cannot be served. */
  finish(): IntakeHeaders {
    const read = this.#current;
    this.#headers.finish(read, this.#scope);
    // Bytes after an upgrade request would reach the server inside the tunnel.
    if (read.isUpgrade && (read.chunked || read.contentLength > 0)) read.refuse ||= 400;
    return read;
  }

  /** The Exchange, or the status to refuse with. */
  build(wire: WireRequest, read: IntakeHeaders, sides: Sides): Exchange | number {
    if (read.refuse !== 0) return read.refuse;
    if (!knownMethods.has(wire.method)) {
      if (!token.test(wire.method)) return 400;
      // What follows it is meant for a tunnel: the connection must end with the refusal.
      if (wire.method === 'CONNECT') return 501;
    }
    const host = this.#hostOf(read.host);
    if (host === null) return 400;
    const target = readTarget(wire.rawPath, this.#targetRules);
    const search = readSearch(wire.rawQuery, this.#entryPoint.spec.http.encodeQuerySemicolons);
    if (target === null || search === null) return 400;
    const { trusted } = this.#scope;
    const isUpgrade = sides.isHandshake;
    // Only a WebSocket has schemes of its own.
    const isWebSocket = isUpgrade && read.upgrade === 'websocket';
    addForwarded(read.headers, {
      peer: wire.peer,
      authority: read.host,
      scheme: wire.scheme,
      isUpgrade: isWebSocket,
      trusted,
    });
    return new Exchange({
      entryPoint: this.#entryPoint,
      downstream: sides.downstream,
      method: wire.method,
      scheme: wire.scheme,
      authority: read.host,
      host,
      path: target.path,
      routePath: target.routePath,
      search,
      headers: read.headers,
      peer: wire.peer,
      trusted,
      isUpgrade,
      body: sides.body,
      startedAt: performance.now(),
    });
  }

  /** Requests of one connection name one host: the last answer is worth keeping. */
  #hostOf(authority: string): string | null {
    if (authority === this.#lastAuthority) return this.#lastHost;
    this.#lastHost = canonicalHost(authority);
    this.#lastAuthority = authority;
    return this.#lastHost;
  }
}
