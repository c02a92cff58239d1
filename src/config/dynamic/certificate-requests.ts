// Which certificates routers want to have ordered.

import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import { checkRule } from '../../rules/check.ts';
import type { CertificateRequest } from '../../model/acme.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { DomainNames } from '../../model/entry-point.ts';
import type { RouterSpec } from '../../model/snapshot.ts';
import { compare, type Merged } from './merge.ts';
import { writtenEntry } from './written-entry.ts';

/**
 * One for each set of names of one resolver, sorted. Routers with errors want none. `resolvers`: those there are.
 */
export function certificateRequests(
  routers: readonly RouterSpec[],
  resolvers: ReadonlySet<string> | null,
  merged: Merged,
  diagnostics: Diagnostic[],
): CertificateRequest[] {
  const requests: CertificateRequest[] = [];
  for (const router of routers) {
    const resolver = router.tls?.certResolver ?? '';
    if (resolver === '' || router.errors.length > 0) continue;
    if (resolvers !== null && !resolvers.has(resolver)) continue;
    const sets = nameSets(router);
    if (sets.length === 0) {
      const where = writtenEntry(router, merged)?.written.where;
      if (where === undefined) continue;
      diagnostics.push({
        severity: 'info',
        code: 'config.no_names',
        message: `router ${router.name}: no certificate is ordered, since its rule names no Host`,
        where,
        hint: 'write the names under `tls.domains`, or leave `certResolver` out',
      });
    }
    for (const names of sets) requests.push({ resolver, names, by: [router.name] });
  }
  return unitedRequests(requests);
}

/** Equal sets of names become one request, of which the first says which name is the main one. */
export function unitedRequests(requests: readonly CertificateRequest[]): CertificateRequest[] {
  const found = new Map<string, CertificateRequest>();
  for (const request of [...requests].sort((a, b) => compare(a.by[0] ?? '', b.by[0] ?? ''))) {
    const key = JSON.stringify([request.resolver, [...request.names].sort()]);
    const before = found.get(key);
    found.set(key, before === undefined ? request : { ...before, by: [...before.by, ...request.by] });
  }
  return [...found].sort(([a], [b]) => compare(a, b)).map(([, request]) => request);
}

/** Lower case, ASCII, without a dot at the end, each once; what no certificate can be for is left out. */
export function normalNames(written: readonly string[]): string[] {
  const names = written.flatMap((name) => {
    const bare = name.trim().replace(/\.$/, '');
    const stem = bare.startsWith('*.') ? bare.slice(2) : bare;
    if (isIP(stem) !== 0 && stem === bare) return [bare];
    const ascii = domainToASCII(stem);
    if (ascii === '' || ascii.includes('*')) return [];
    return [bare === stem ? ascii : `*.${ascii}`];
  });
  return [...new Set(names)];
}

function nameSets({ tls, rule, ruleSyntax }: RouterSpec): string[][] {
  if (tls?.domains !== undefined && tls.domains.length > 0) return domainSets(tls.domains);
  const checked = checkRule(rule, ruleSyntax);
  const names = checked.ok ? normalNames(checked.hosts) : [];
  return names.length === 0 ? [] : [names];
}

/** One per entry, without what a wildcard of any of them covers. */
function domainSets(domains: readonly DomainNames[]): string[][] {
  const sets = domains.map(({ main, sans }) => normalNames([main, ...sans]));
  const wildcards = new Set(sets.flat().filter((name) => name.startsWith('*.')));
  const isCovered = (name: string): boolean =>
    !name.startsWith('*.') && name.includes('.') && wildcards.has(`*${name.slice(name.indexOf('.'))}`);
  return sets.map((names) => names.filter((name) => !isCovered(name))).filter((names) => names.length > 0);
}
