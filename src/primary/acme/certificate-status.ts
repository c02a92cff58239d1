// What can be seen of one certificate.

import type { CertificateStatus } from '../../model/acme.ts';
import type { Held } from './held.ts';

export interface StatusFacts {
  readonly resolver: string;
  readonly names: readonly string[];
  readonly held: Held | null;
  readonly isOrdering: boolean;
  /** Why no order is made at all. */
  readonly refusal: string | null;
  /** Of a storage, or of the last try. */
  readonly problem: string | null;
  readonly failures: number;
  /** Milliseconds since 1970. */
  readonly nextTry: number;
  readonly now: number;
}

export function statusOf(facts: StatusFacts): CertificateStatus {
  const { resolver, names, held, refusal, problem, failures, nextTry, now } = facts;
  return {
    resolver,
    names,
    state: stateOf(facts),
    notAfter: held?.spec.notAfter ?? null,
    renewAt: refusal === null ? (held?.renewAt ?? null) : null,
    lastError: refusal ?? problem,
    failures,
    nextTry: refusal === null && failures > 0 && nextTry > now ? nextTry : null,
  };
}

/** Of one that nobody wants any more. */
export function statusOfUnwanted(resolver: string, { spec }: Held, now: number): CertificateStatus {
  const nothing = { renewAt: null, lastError: null, failures: 0, nextTry: null };
  const state = spec.notAfter <= now ? 'expired' : 'valid';
  return { resolver, names: spec.names, state, notAfter: spec.notAfter, ...nothing };
}

function stateOf({ held, isOrdering, refusal, failures, now }: StatusFacts): CertificateStatus['state'] {
  // What clients get comes first: a renewal under way changes nothing for them.
  if (held !== null && held.spec.notAfter > now) return 'valid';
  if (isOrdering) return 'ordering';
  if (failures > 0 && refusal === null) return 'waiting';
  return held === null ? 'missing' : 'expired';
}
