// Which router answers a request: highest priority first, ties by name, as if every rule were asked in
// turn. Hosts and paths are indexed, so the cost does not grow with the number of routers.

import type { CompiledRule, RuleSubject } from '../../rules/compile.ts';
import { buildPathIndex, byCodeUnit, type Entry, type PathIndex, pushTo } from './path-index.ts';

export interface Routable {
  readonly name: string;
  readonly priority: bigint;
  readonly rule: CompiledRule;
}

export interface RouteTable<R> {
  /** The first router whose rule matches, or null. */
  lookup(subject: RuleSubject): R | null;
  /** Every router that `host` alone does not rule out, in the order they would be tried. */
  candidates(host: string): readonly R[];
  readonly size: number;
}

/** Nothing in the table grows after this: no client input is ever a key. */
export function buildTable<R extends Routable>(routes: readonly R[]): RouteTable<R> {
  const exact = new Map<string, Entry<R>[]>();
  const wildcard = new Map<string, Entry<R>[]>();
  const anyHost: Entry<R>[] = [];
  for (const [rank, route] of [...routes].sort(inOrder).entries()) {
    const { hosts, wildcards, prefixes } = route.rule;
    const entry: Entry<R> = { rank, route, prefixes };
    if (hosts === null) anyHost.push(entry);
    for (const host of new Set(hosts)) pushTo(exact, host, entry);
    for (const suffix of new Set(wildcards)) pushTo(wildcard, suffix, entry);
  }
  return new HostIndex(routes.length, indexEach(exact), indexEach(wildcard), buildPathIndex(anyHost));
}

function inOrder(a: Routable, b: Routable): number {
  if (a.priority !== b.priority) return a.priority > b.priority ? -1 : 1;
  return byCodeUnit(a.name, b.name);
}

function indexEach<R>(lists: ReadonlyMap<string, readonly Entry<R>[]>): ReadonlyMap<string, PathIndex<R>> {
  return new Map([...lists].map(([key, entries]) => [key, buildPathIndex(entries)]));
}

/** Lists merged in one lookup: by host, by wildcard, for any host; each by path and for any path. */
const maxLists = 6;

class HostIndex<R extends Routable> implements RouteTable<R> {
  readonly size: number;
  readonly #exact: ReadonlyMap<string, PathIndex<R>>;
  readonly #wildcard: ReadonlyMap<string, PathIndex<R>>;
  readonly #anyHost: PathIndex<R>;
  // One lookup at a time: rules never look anything up themselves.
  readonly #lists: (readonly Entry<R>[])[] = Array.from({ length: maxLists }, () => []);
  readonly #at: Int32Array = new Int32Array(maxLists);
  #count = 0;

  constructor(
    size: number,
    exact: ReadonlyMap<string, PathIndex<R>>,
    wildcard: ReadonlyMap<string, PathIndex<R>>,
    anyHost: PathIndex<R>,
  ) {
    this.size = size;
    this.#exact = exact;
    this.#wildcard = wildcard;
    this.#anyHost = anyHost;
  }

  lookup(subject: RuleSubject): R | null {
    this.#count = 0;
    this.#add(this.#exact.get(subject.host), subject.routePath);
    this.#add(this.#wildcardFor(subject.host), subject.routePath);
    this.#add(this.#anyHost, subject.routePath);
    if (this.#count === 0) return null;
    return this.#count === 1
      ? firstMatch(this.#lists[0] as readonly Entry<R>[], subject)
      : this.#merge(subject);
  }

  candidates(host: string): readonly R[] {
    const indexes = [this.#exact.get(host), this.#wildcardFor(host), this.#anyHost];
    const entries = new Set(indexes.flatMap((index) => index?.all ?? []));
    return [...entries].sort((a, b) => a.rank - b.rank).map((entry) => entry.route);
  }

  #wildcardFor(host: string): PathIndex<R> | undefined {
    if (this.#wildcard.size === 0) return undefined;
    const dot = host.indexOf('.');
    return dot > 0 ? this.#wildcard.get(host.slice(dot + 1)) : undefined;
  }

  #add(index: PathIndex<R> | undefined, path: string): void {
    if (index === undefined) return;
    this.#push(index.anyPath);
    this.#push(index.forPath(path));
  }

  #push(list: readonly Entry<R>[]): void {
    if (list.length === 0) return;
    this.#lists[this.#count] = list;
    this.#at[this.#count] = 0;
    this.#count += 1;
  }

  /** Asks the rules of several sorted lists in one order. */
  #merge(subject: RuleSubject): R | null {
    let asked = -1;
    for (;;) {
      let next: Entry<R> | undefined;
      let from = 0;
      for (let i = 0; i < this.#count; i += 1) {
        const entry = this.#lists[i]?.[this.#at[i] as number];
        if (entry !== undefined && (next === undefined || entry.rank < next.rank)) {
          next = entry;
          from = i;
        }
      }
      if (next === undefined) return null;
      this.#at[from] = (this.#at[from] as number) + 1;
      // A router with an exact and a wildcard host stands in two lists.
      if (next.rank === asked) continue;
      asked = next.rank;
      if (next.route.rule.match(subject)) return next.route;
    }
  }
}

function firstMatch<R extends Routable>(entries: readonly Entry<R>[], subject: RuleSubject): R | null {
  for (const entry of entries) if (entry.route.rule.match(subject)) return entry.route;
  return null;
}
