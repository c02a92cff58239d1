// The kept decisions of one forwardAuth middleware in one worker, bounded in entries and bytes, and the list
// of all such caches, through which a purge reaches them.

import { LRUCache } from 'lru-cache';
import type { PurgeSelector } from '../../../model/ipc.ts';
import { Histogram } from '../../../observability/instruments.ts';
import { type Decision, sizeOf } from './auth-answer.ts';
import type { Life } from './lifetime.ts';
import { hasTag, maxTagBytes, type Tagger, type Tags } from './tags.ts';

export interface CacheEntry {
  readonly decision: Decision;
  /** All three on the clock of `performance.now()`. */
  readonly freshUntil: number;
  readonly staleUntil: number;
  /** From here on a hit also asks again; infinite once that is under way, or could gain nothing. */
  refreshAt: number;
  readonly tags: Tags;
}

export interface AuthCacheStats {
  hits: number;
  misses: number;
  /** Questions that the level shared with other nodes answered. */
  shared: number;
  /** Requests that waited for the answer to another one's question. */
  coalesced: number;
  /** Decisions that served past their life because the auth server failed. */
  stale: number;
  /** Hits that denied; also counted in `hits`. */
  negative: number;
  purged: number;
  evicted: number;
  /** Answers that were not to be kept. */
  uncacheable: number;
}

export interface AuthCacheHandle {
  /** How long the auth server took; absent: nobody measures. */
  readonly lookups?: Histogram;
  readonly stats: Readonly<AuthCacheStats>;
  /** Forgets; also answers on their way that began before. How many entries there were. */
  purge(selector: PurgeSelector): number;
}

export interface AuthCacheRegistry {
  add(name: string, cache: AuthCacheHandle): void;
  remove(cache: AuthCacheHandle): void;
  /** Sum over all caches. */
  purge(selector: PurgeSelector): number;
  /** Middleware name and cache, for metrics. */
  entries(): Iterable<readonly [string, AuthCacheHandle]>;
}

export function createAuthCacheRegistry(): AuthCacheRegistry {
  // As many as there are middlewares with a cache in living Runtimes.
  const caches = new Map<AuthCacheHandle, string>();
  return {
    add: (name, cache) => void caches.set(cache, name),
    remove: (cache) => void caches.delete(cache),
    purge(selector) {
      let entries = 0;
      for (const cache of caches.keys()) entries += cache.purge(selector);
      return entries;
    },
    *entries() {
      for (const [cache, name] of caches) yield [name, cache];
    },
  };
}

/** Bytes of one decision's texts; a larger one is not kept. */
const maxDecisionSize = 16 * 1024;
/** Bytes of all decisions of one cache, in one worker. */
const maxBytes = 64 * 1024 * 1024;
/** Of refusals: what strangers can fill without ever being let in. */
const maxNegativeEntries = 1_000;
const maxNegativeBytes = 4 * 1024 * 1024;
/** Share of entries and bytes for decisions that were used again: strangers seen once cannot push them out. */
const protectedShare = 0.8;
/** Purges remembered for answers on their way; an older answer than these counts as purged. */
const maxRecentPurges = 1_024;
/** Bytes an entry takes beside its texts. */
const entryOverhead = 400;

export class AuthCache implements AuthCacheHandle {
  readonly lookups = new Histogram();
  readonly stats: AuthCacheStats = {
    hits: 0,
    misses: 0,
    shared: 0,
    coalesced: 0,
    stale: 0,
    negative: 0,
    purged: 0,
    evicted: 0,
    uncacheable: 0,
  };
  readonly #tagger: Tagger;
  readonly #seenOnce: LRUCache<string, CacheEntry>;
  readonly #usedAgain: LRUCache<string, CacheEntry>;
  readonly #negative: LRUCache<string, CacheEntry>;
  /** Tag, or null for all; the last one is purge number `#generation`. */
  readonly #recentPurges: (string | null)[] = [];
  #generation = 0;

  constructor(maxEntries: number, tagger: Tagger) {
    this.#tagger = tagger;
    const again = Math.max(1, Math.floor(maxEntries * protectedShare));
    const evicted = () => this.stats.evicted++;
    this.#seenOnce = segment(Math.max(1, maxEntries - again), maxBytes * (1 - protectedShare), evicted);
    this.#negative = segment(maxNegativeEntries, maxNegativeBytes, evicted);
    // What falls out of the inner segment gets one more chance in the outer one.
    this.#usedAgain = segment(again, maxBytes * protectedShare, (key, entry) => {
      this.#seenOnce.set(key, entry, { size: entrySize(entry) });
    });
  }

  /** How many purges there were: remembered when a question is asked, for `revokedSince`. */
  get generation(): number {
    return this.#generation;
  }

  get size(): number {
    return this.#seenOnce.size + this.#usedAgain.size + this.#negative.size;
  }

  /** A decision in its life, or null. `now` on the clock of `performance.now()`. */
  get(key: string, now: number): CacheEntry | null {
    const again = this.#usedAgain.get(key);
    if (again !== undefined) return now < again.freshUntil ? again : null;
    const once = this.#seenOnce.get(key);
    if (once !== undefined) {
      if (now >= once.freshUntil) return null;
      this.#seenOnce.delete(key);
      this.#usedAgain.set(key, once, { size: entrySize(once) });
      return once;
    }
    const negative = this.#negative.get(key);
    return negative !== undefined && now < negative.freshUntil ? negative : null;
  }

  /** A decision that may serve although its life is over, or null. */
  getStale(key: string, now: number): CacheEntry | null {
    const entry = this.#usedAgain.peek(key) ?? this.#seenOnce.peek(key);
    return entry !== undefined && now < entry.staleUntil ? entry : null;
  }

  /** False when the decision is too large, or its tags too many (`null`). */
  put(key: string, decision: Decision, life: Life, tags: Tags | null): boolean {
    this.remove(key);
    if (tags === null || sizeOf(decision) > maxDecisionSize) return false;
    const now = performance.now();
    const entry: CacheEntry = {
      decision,
      freshUntil: now + life.fresh,
      staleUntil: now + life.stale,
      refreshAt:
        decision.allow && !life.endsWithToken ? refreshTime(now, life.fresh) : Number.POSITIVE_INFINITY,
      tags,
    };
    const segmentOf = decision.allow ? this.#segmentForNew() : this.#negative;
    segmentOf.set(key, entry, { size: entrySize(entry) });
    return true;
  }

  // As long as there is room nobody is kept apart: a cache that is not full is a plain LRU.
  #segmentForNew(): LRUCache<string, CacheEntry> {
    const { max, maxSize, size, calculatedSize } = this.#usedAgain;
    const hasRoom = size < max && calculatedSize + maxDecisionSize + entryOverhead + maxTagBytes < maxSize;
    return hasRoom ? this.#usedAgain : this.#seenOnce;
  }

  remove(key: string): void {
    this.#usedAgain.delete(key);
    this.#seenOnce.delete(key);
    this.#negative.delete(key);
  }

  purge(selector: PurgeSelector): number {
    const tag = this.#tagger.ofSelector(selector);
    this.#generation++;
    this.#recentPurges.push(tag);
    if (this.#recentPurges.length > maxRecentPurges) this.#recentPurges.shift();
    let entries = 0;
    for (const segment of [this.#usedAgain, this.#seenOnce, this.#negative]) {
      for (const [key, entry] of Array.from(segment.entries())) {
        if (tag !== null && !hasTag(entry.tags, tag)) continue;
        segment.delete(key);
        entries++;
      }
    }
    this.stats.purged += entries;
    return entries;
  }

  /** Whether a purge since `generation` was about a decision with these tags; `null` tags: any purge was. */
  revokedSince(generation: number, tags: () => Tags | null): boolean {
    const since = this.#generation - generation;
    if (since === 0) return false;
    const own = tags();
    if (own === null || since > this.#recentPurges.length) return true;
    return this.#recentPurges.slice(-since).some((tag) => tag === null || hasTag(own, tag));
  }
}

function segment(max: number, bytes: number, onEvict: (key: string, entry: CacheEntry) => void) {
  return new LRUCache<string, CacheEntry>({
    max,
    maxSize: Math.floor(bytes),
    dispose: (entry, key, reason) => {
      if (reason === 'evict') onEvict(key, entry);
    },
  });
}

function entrySize(entry: CacheEntry): number {
  return sizeOf(entry.decision) + entry.tags.length + entryOverhead;
}

/** In the last tenth of its life, at another moment for each entry: keys that began together drift apart. */
function refreshTime(now: number, fresh: number): number {
  return now + fresh * (0.9 + 0.08 * Math.random());
}
