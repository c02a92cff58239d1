// X-Forwarded-* and X-Real-Ip as the next hop sees them. X-Forwarded-For is appended to only when a request
// leaves for a server: until then the list is what trusted hops made of it.

import { hostname } from 'node:os';
import { getHeader, type HeaderList, setHeader } from '../headers.ts';
import { authorityPort } from '../../rules/host.ts';

const machine = hostname();

export interface ForwardedFacts {
  readonly peer: string;
  readonly authority: string;
  readonly scheme: 'http' | 'https';
  readonly isUpgrade: boolean;
  /** The peer's own headers are in the list and stand. */
  readonly trusted: boolean;
}

/** Adds what is missing; nothing is missing a check here, because untrusted ones are gone already. */
export function addForwarded(headers: HeaderList, facts: ForwardedFacts): void {
  if (facts.trusted) {
    addMissing(headers, facts);
    return;
  }
  const proto = forwardedProto(facts);
  headers.push('x-real-ip', facts.peer, 'x-forwarded-proto', proto);
  headers.push('x-forwarded-port', forwardedPort(facts.authority, proto));
  headers.push('x-forwarded-host', facts.authority, 'x-forwarded-server', machine);
}

function addMissing(headers: HeaderList, facts: ForwardedFacts): void {
  if (!getHeader(headers, 'x-real-ip')) setHeader(headers, 'x-real-ip', facts.peer);
  let proto = getHeader(headers, 'x-forwarded-proto');
  if (!proto) {
    proto = forwardedProto(facts);
    setHeader(headers, 'x-forwarded-proto', proto);
  }
  if (!getHeader(headers, 'x-forwarded-port')) {
    setHeader(headers, 'x-forwarded-port', forwardedPort(facts.authority, proto));
  }
  if (!getHeader(headers, 'x-forwarded-host')) setHeader(headers, 'x-forwarded-host', facts.authority);
  setHeader(headers, 'x-forwarded-server', machine);
}

function forwardedProto(facts: ForwardedFacts): string {
  if (facts.isUpgrade) return facts.scheme === 'https' ? 'wss' : 'ws';
  return facts.scheme;
}

function forwardedPort(authority: string, proto: string): string {
  const port = authorityPort(authority);
  if (port !== '') return port;
  return proto === 'https' || proto === 'wss' ? '443' : '80';
}
