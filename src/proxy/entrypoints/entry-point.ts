// An entry point as the request path sees it: its spec with everything that can be worked out beforehand.

import type { EntryPointSpec } from '../../model/entry-point.ts';
import type { Exchange } from '../exchange.ts';
import { type IpSet, parseIpSet } from '../../util/ip.ts';

export interface EntryPoint {
  readonly name: string;
  readonly spec: EntryPointSpec;
  /** Peers whose X-Forwarded-* are believed. */
  readonly trusted: IpSet;
  /** The access log wants headers of servers as they came. */
  readonly keepsOriginHeaders: boolean;
  /** Called once for every Exchange that began here, after its last byte. */
  readonly ended: (x: Exchange) => void;
}

/** Throws `Error` for a trusted address that is none. */
export function buildEntryPoint(
  spec: EntryPointSpec,
  ended: (x: Exchange) => void,
  keepsOriginHeaders = false,
): EntryPoint {
  return {
    name: spec.name,
    spec,
    trusted: spec.forwardedHeaders.insecure
      ? { has: () => true }
      : parseIpSet(spec.forwardedHeaders.trustedIPs),
    keepsOriginHeaders,
    ended,
  };
}
