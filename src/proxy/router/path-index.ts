// A list of routers in the order they are tried, narrowed by path prefix, so that ten thousand
// PathPrefix routers cost a binary search and not ten thousand comparisons.

/** A router and its place in the order of all: lower is tried first. */
export interface Entry<R> {
  readonly rank: number;
  readonly route: R;
  readonly prefixes: readonly string[] | null;
}

export interface PathIndex<R> {
  /** Routers any path may match, in order. */
  readonly anyPath: readonly Entry<R>[];
  /** Routers tied to paths that `path` may match, in order. */
  forPath(path: string): readonly Entry<R>[];
  /** All of both, in order. */
  readonly all: readonly Entry<R>[];
}

/** Shorter lists are walked faster than searched. */
const leastIndexed = 12;
/** Entries copied per entry indexed, at most: prefixes nested thousands deep are not worth the memory. */
const maxGrowth = 8;

/** `entries` in order of rank. */
export function buildPathIndex<R>(entries: readonly Entry<R>[]): PathIndex<R> {
  const tied = entries.filter((entry) => entry.prefixes !== null);
  if (tied.length < leastIndexed) return unindexed(entries);
  const byPrefix = new Map<string, Entry<R>[]>();
  for (const entry of tied) {
    for (const prefix of new Set(entry.prefixes)) pushTo(byPrefix, prefix, entry);
  }
  const prefixes = [...byPrefix.keys()].sort(byCodeUnit);
  const parents = parentsOf(prefixes);
  const lists = listsOf(prefixes, parents, byPrefix);
  if (lists === null) return unindexed(entries);
  return {
    all: entries,
    anyPath: entries.filter((entry) => entry.prefixes === null),
    forPath: (path) => lists[longestPrefix(prefixes, parents, path)] ?? none,
  };
}

export function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export function pushTo<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

const none: readonly never[] = [];

function unindexed<R>(entries: readonly Entry<R>[]): PathIndex<R> {
  return { all: entries, anyPath: entries, forPath: () => none };
}

/** For each of the sorted prefixes the place of the longest other one it begins with, or -1. */
function parentsOf(prefixes: readonly string[]): Int32Array {
  const parents = new Int32Array(prefixes.length).fill(-1);
  for (let i = 1; i < prefixes.length; i += 1) {
    let parent = i - 1;
    while (parent !== -1 && !(prefixes[i] as string).startsWith(prefixes[parent] as string)) {
      parent = parents[parent] as number;
    }
    parents[i] = parent;
  }
  return parents;
}

/** For each prefix its own routers and those of its parents, in order; null when that grows too much. */
function listsOf<R>(
  prefixes: readonly string[],
  parents: Int32Array,
  byPrefix: ReadonlyMap<string, readonly Entry<R>[]>,
): readonly (readonly Entry<R>[])[] | null {
  const lists: (readonly Entry<R>[])[] = [];
  let own = 0;
  let copied = 0;
  for (const [i, prefix] of prefixes.entries()) {
    const mine = byPrefix.get(prefix) ?? [];
    const inherited = lists[parents[i] as number] ?? none;
    own += mine.length;
    copied += mine.length + inherited.length;
    if (copied > own * maxGrowth + 1_024) return null;
    const merged = [...new Set([...mine, ...inherited])];
    lists.push(merged.sort((a, b) => a.rank - b.rank));
  }
  return lists;
}

/**
 * Place of the longest prefix of `path`, or -1. Whatever sorts between a prefix of `path` and `path`
 * begins with that prefix too, so it is found from the nearest smaller neighbour by way of parents.
 */
function longestPrefix(prefixes: readonly string[], parents: Int32Array, path: string): number {
  let low = 0;
  let high = prefixes.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((prefixes[middle] as string) <= path) low = middle + 1;
    else high = middle;
  }
  let found = low - 1;
  while (found !== -1 && !path.startsWith(prefixes[found] as string)) found = parents[found] as number;
  return found;
}
