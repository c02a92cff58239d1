// Every matcher there is, by rule syntax.

import { distance } from 'fastest-levenshtein';
import type { RuleSyntax } from '../model/snapshot.ts';
import { buildHost, buildHostRegexp } from './match-host.ts';
import {
  buildClientIp,
  buildHeader,
  buildHeaderRegexp,
  buildMethods,
  buildPath,
  buildPathPrefix,
  buildPathRegexp,
  buildQuery,
  buildQueryRegexp,
} from './match-request.ts';
import {
  buildHostRegexpsV2,
  buildHostsV2,
  buildPathPrefixesV2,
  buildPathsV2,
  buildQueriesV2,
} from './match-v2.ts';
import type { MatcherKind } from './matcher.ts';

/** By a name in any of its four spellings; undefined when there is no such matcher. */
export function findMatcher(name: string, syntax: RuleSyntax): MatcherKind | undefined {
  return (syntax === 'v2' ? spellingsV2 : spellingsV3).get(name);
}

/** What the author of an unknown name may have meant. */
export function hintForName(name: string, syntax: RuleSyntax): string {
  const lower = name.toLowerCase();
  const moved = syntax === 'v3' ? movedNames[lower] : undefined;
  if (moved !== undefined) return moved;
  if (lower.startsWith('hostsni')) return 'HostSNI is for TCP routers; an HTTP router takes Host(`…`)';
  const kinds = syntax === 'v2' ? kindsV2 : kindsV3;
  const nearest = kinds.reduce((best, kind) =>
    distance(kind.name.toLowerCase(), lower) < distance(best.name.toLowerCase(), lower) ? kind : best,
  );
  if (distance(nearest.name.toLowerCase(), lower) <= 3) return `did you mean ${nearest.name}?`;
  return `known matchers: ${kinds.map((kind) => kind.name).join(', ')}`;
}

const unlimited = Number.POSITIVE_INFINITY;

const kindsV3: readonly MatcherKind[] = [
  { name: 'Host', minArgs: 1, maxArgs: 1, build: ([host]) => buildHost(host as string) },
  { name: 'HostRegexp', minArgs: 1, maxArgs: 1, build: ([pattern]) => buildHostRegexp(pattern as string) },
  { name: 'Path', minArgs: 1, maxArgs: 1, build: ([path]) => buildPath(path as string) },
  { name: 'PathPrefix', minArgs: 1, maxArgs: 1, build: ([prefix]) => buildPathPrefix(prefix as string) },
  { name: 'PathRegexp', minArgs: 1, maxArgs: 1, build: ([pattern]) => buildPathRegexp(pattern as string) },
  { name: 'Method', minArgs: 1, maxArgs: 1, build: buildMethods },
  {
    name: 'Header',
    minArgs: 2,
    maxArgs: 2,
    build: ([name, value]) => buildHeader(name as string, value as string),
  },
  {
    name: 'HeaderRegexp',
    minArgs: 2,
    maxArgs: 2,
    build: ([name, pattern]) => buildHeaderRegexp(name as string, pattern as string),
  },
  { name: 'Query', minArgs: 1, maxArgs: 2, build: ([key, value]) => buildQuery(key as string, value) },
  {
    name: 'QueryRegexp',
    minArgs: 1,
    maxArgs: 2,
    build: ([key, pattern]) => buildQueryRegexp(key as string, pattern),
  },
  { name: 'ClientIP', minArgs: 1, maxArgs: 1, build: buildClientIp },
];

const kindsV2: readonly MatcherKind[] = [
  { name: 'Host', minArgs: 1, maxArgs: unlimited, build: buildHostsV2 },
  {
    name: 'HostHeader',
    minArgs: 1,
    maxArgs: unlimited,
    build: (hosts) => ({ ...buildHostsV2(hosts), domains: [] }),
  },
  { name: 'HostRegexp', minArgs: 1, maxArgs: unlimited, build: buildHostRegexpsV2 },
  { name: 'Path', minArgs: 1, maxArgs: unlimited, build: buildPathsV2 },
  { name: 'PathPrefix', minArgs: 1, maxArgs: unlimited, build: buildPathPrefixesV2 },
  { name: 'Method', minArgs: 1, maxArgs: unlimited, build: buildMethods },
  {
    name: 'Headers',
    minArgs: 2,
    maxArgs: 2,
    build: ([name, value]) => buildHeader(name as string, value as string),
  },
  {
    name: 'HeadersRegexp',
    minArgs: 2,
    maxArgs: 2,
    build: ([name, pattern]) => buildHeaderRegexp(name as string, pattern as string),
  },
  { name: 'Query', minArgs: 1, maxArgs: unlimited, build: buildQueriesV2 },
  { name: 'ClientIP', minArgs: 1, maxArgs: unlimited, build: buildClientIp },
];

const spellingsV3 = spellings(kindsV3);
const spellingsV2 = spellings(kindsV2);

/** Names of older syntaxes, lower case, and what replaces them. */
const movedNames: Readonly<Record<string, string>> = {
  headers: 'v3 calls it Header: Header(`name`, `value`)',
  headersregexp: 'v3 calls it HeaderRegexp: HeaderRegexp(`name`, `regexp`)',
  hostheader: 'v3 calls it Host: Host(`example.com`)',
  pathprefixstrip: 'write PathPrefix(`/…`) and add a stripPrefix middleware',
  pathstrip: 'write Path(`/…`) and add a stripPrefix middleware',
};

function spellings(kinds: readonly MatcherKind[]): ReadonlyMap<string, MatcherKind> {
  const map = new Map<string, MatcherKind>();
  for (const kind of kinds) {
    const lower = kind.name.toLowerCase();
    for (const name of [
      kind.name,
      lower,
      kind.name.toUpperCase(),
      lower[0]?.toUpperCase() + lower.slice(1),
    ]) {
      map.set(name, kind);
    }
  }
  return map;
}
