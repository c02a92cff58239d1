// An entry point as the request path sees it: its spec with everything that can be worked out beforehand.

import type { EntryPointSpec } from '../../model/entry-point.ts';
import type { Tracing } from '../../observability/tracing.ts';
import type { Exchange } from '../exchange.ts';
import { type IpSet, parseIpSet } from '../../util/ip.ts';

export interface EntryPoint {
  readonly name: string;
  readonly spec: EntryPointSpec;
  /** Peers whose X-Forwarded-* are believed. */
  readonly trusted: IpSet;
  /** The access log wants headers of servers as they came. */
  readonly keepsOriginHeaders: boolean;
  /** Null: nothing that begins here is traced. */
  readonly tracing: Tracing | null;
  /** Called once for every Exchange that began here, after its last byte. */
  readonly ended: (x: Exchange) => void;
  /** Told of connections that are opened or closed: 1 or -1; absent: nobody counts them. */
  readonly connected?: (change: number) => void;
}

/** Throws `Error` for a trusted address that is none. */
export function buildEntryPoint(
  spec: EntryPointSpec,
  ended: (x: Exchange) => void,
  keepsOriginHeaders = false,
  tracing: Tracing | null = null,
): EntryPoint {
  return {
    name: spec.name,
    spec,
    trusted: spec.forwardedHeaders.insecure
      ? { has: () => true }
      : parseIpSet(spec.forwardedHeaders.trustedIPs),
    keepsOriginHeaders,
    tracing,
    ended,
  };
}
