// Caches of auth decisions, each with its counts in the metrics.

import type { Instrument, Instruments } from '../../../observability/instruments.ts';
import { metricNames } from '../../../observability/names.ts';
import type { AuthCacheHandle, AuthCacheRegistry } from './cache.ts';

/** As `registry`; what is added is shown, what is removed no longer is. */
export function meteredCaches(registry: AuthCacheRegistry, instruments: Instruments): AuthCacheRegistry {
  // As many as there are caches in living Runtimes.
  const shown = new Map<AuthCacheHandle, readonly Instrument[]>();
  return {
    add(name, cache) {
      registry.add(name, cache);
      shown.set(cache, show(name, cache, instruments));
    },
    remove(cache) {
      registry.remove(cache);
      for (const instrument of shown.get(cache) ?? []) instrument.close();
      shown.delete(cache);
    },
    purge: (selector) => registry.purge(selector),
    entries: () => registry.entries(),
  };
}

function show(
  name: string,
  { stats, lookups }: AuthCacheHandle,
  instruments: Instruments,
): readonly Instrument[] {
  const labels = [name];
  return [
    instruments.counter(metricNames.authHits, labels, () => stats.hits),
    instruments.counter(metricNames.authMisses, labels, () => stats.misses),
    instruments.counter(metricNames.authCoalesced, labels, () => stats.coalesced),
    instruments.counter(metricNames.authStale, labels, () => stats.stale),
    instruments.counter(metricNames.authNegative, labels, () => stats.negative),
    instruments.counter(metricNames.authShared, labels, () => stats.shared),
    instruments.counter(metricNames.authPurged, labels, () => stats.purged),
    instruments.counter(metricNames.authEvicted, labels, () => stats.evicted),
    instruments.counter(metricNames.authUncacheable, labels, () => stats.uncacheable),
    ...(lookups === undefined ? [] : [instruments.histogram(metricNames.authLookup, labels, lookups)]),
  ];
}
