// What routers want of one resolver: each set of names once, and which of them another one would cover.

import type { CertificateRequest } from '../../model/acme.ts';
import { covers, keyOf, normalNames, refusal, wildcardOf } from './names.ts';

export interface Want {
  /** Names, sorted, joined by a comma. */
  readonly key: string;
  /** The first is the main one. */
  readonly names: readonly string[];
  /** Why no authority is asked; null: it can be. */
  readonly refusal: string | null;
}

/** Sets of names of one resolver; as many certificates as a worker keeps. */
const maxWants = 10_000;

/** In the order in which they are to be had: those that cover most first. */
export function wantsOf(requests: readonly CertificateRequest[], hasDns: boolean): Want[] {
  const wants = new Map<string, Want>();
  for (const request of requests) {
    if (wants.size >= maxWants) break;
    const names = normalNames(request.names);
    const key = keyOf(names);
    if (!wants.has(key)) wants.set(key, { key, names, refusal: refusal(names, hasDns) });
  }
  return [...wants.values()].sort(byReach);
}

/** The wants among `wants` that another one of them covers, which comes before it. */
export function coveredByOthers(wants: readonly Want[]): Set<Want> {
  const before = new Map<string, ReadonlySet<string>[]>();
  const covered = new Set<Want>();
  for (const want of wants) {
    const first = want.names[0] ?? '';
    const wildcard = wildcardOf(first);
    const candidates = [...(before.get(first) ?? []), ...((wildcard && before.get(wildcard)) || [])];
    if (candidates.some((names) => want.names.every((name) => covers(names, name)))) {
      covered.add(want);
      continue;
    }
    const names = new Set(want.names);
    for (const name of want.names) before.set(name, [...(before.get(name) ?? []), names]);
  }
  return covered;
}

/** Wildcards, then many names, then few. */
function byReach(a: Want, b: Want): number {
  const wildcards = countWildcards(b) - countWildcards(a);
  return wildcards || b.names.length - a.names.length || (a.key < b.key ? -1 : 1);
}

function countWildcards({ names }: Want): number {
  return names.filter((name) => name.startsWith('*.')).length;
}
