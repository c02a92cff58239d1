// Whose address counts as the client's (Traefik's ipStrategy).

import { isIP } from 'node:net';
import { parseIpSet } from '../util/ip.ts';
import type { Exchange } from './exchange.ts';
import { joinHeader } from './headers.ts';

export interface IpStrategy {
  /** The n-th address from the right of X-Forwarded-For; 0 looks elsewhere. */
  readonly depth: number;
  /** With `depth` 0: the first address from the right of X-Forwarded-For that is not one of these. */
  readonly excludedIPs: readonly string[];
  /** Prefix length IPv6 addresses are cut to; absent keeps them whole. */
  readonly ipv6Subnet?: number | undefined;
}

/** An address in text form; empty when the strategy finds none, which no list contains. */
export type ClientIp = (x: Exchange) => string;

/** Throws `Error` on an entry of `excludedIPs` that is no address, and on numbers out of range. */
export function buildClientIp(strategy: IpStrategy | null): ClientIp {
  if (strategy === null) return (x) => x.peer;
  const { depth, excludedIPs, ipv6Subnet } = strategy;
  if (depth < 0) throw new Error(`ipStrategy.depth: ${depth} is negative, expected 0 or more`);
  if (ipv6Subnet !== undefined && (ipv6Subnet < 1 || ipv6Subnet > 128)) {
    throw new Error(`ipStrategy.ipv6Subnet: ${ipv6Subnet}, expected 1 to 128`);
  }
  const find = depth > 0 ? byDepth(depth) : excludedIPs.length > 0 ? byExclusion(excludedIPs) : peerOf;
  if (ipv6Subnet === undefined) return find;
  return (x) => maskIpv6(find(x), ipv6Subnet);
}

function peerOf(x: Exchange): string {
  return x.peer;
}

function byDepth(depth: number): ClientIp {
  return (x) => {
    const forwarded = joinHeader(x.headers, 'x-forwarded-for');
    if (forwarded === null) return '';
    let end = forwarded.length;
    for (let skipped = 1; skipped < depth; skipped++) {
      end = forwarded.lastIndexOf(',', end - 1);
      // A comma in front of everything leaves an empty address, and none leaves too few.
      if (end <= 0) return '';
    }
    return forwarded.slice(forwarded.lastIndexOf(',', end - 1) + 1, end).trim();
  };
}

function byExclusion(excluded: readonly string[]): ClientIp {
  const set = parseIpSet(excluded);
  return (x) => {
    const forwarded = joinHeader(x.headers, 'x-forwarded-for');
    if (forwarded === null) return '';
    let end = forwarded.length;
    while (end >= 0) {
      const comma = end === 0 ? -1 : forwarded.lastIndexOf(',', end - 1);
      const address = forwarded.slice(comma + 1, end).trim();
      if (address !== '' && !set.has(address)) return address;
      end = comma;
    }
    return '';
  };
}

/** `2001:db8:1:2::9` at 48 bits is `2001:db8:1:0:0:0:0:0`; anything but IPv6 comes back as it is. */
function maskIpv6(address: string, bits: number): string {
  if (isIP(address) !== 6 || address.includes('.') || address.includes('%')) return address;
  const [head = '', tail] = address.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const groups =
    tail === undefined
      ? left
      : [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right];
  return groups.map((group, i) => maskGroup(parseInt(group, 16), bits - i * 16)).join(':');
}

function maskGroup(group: number, bits: number): string {
  if (bits >= 16) return group.toString(16);
  return bits <= 0 ? '0' : (group & (0xffff << (16 - bits)) & 0xffff).toString(16);
}
