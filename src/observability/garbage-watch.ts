// How long this process stands still to collect garbage.

import { constants, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';
import type { Instrument, Instruments } from './instruments.ts';
import { metricNames } from './names.ts';

/** In the words of prom-client, which says the same of the primary. */
const kinds: ReadonlyMap<number, string> = new Map([
  [constants.NODE_PERFORMANCE_GC_MINOR, 'minor'],
  [constants.NODE_PERFORMANCE_GC_MAJOR, 'major'],
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL, 'incremental'],
  [constants.NODE_PERFORMANCE_GC_WEAKCB, 'weakcb'],
]);

/** What the types of Node leave out. */
type GarbageEntry = PerformanceEntry & { readonly detail?: { readonly kind: number } };

interface Collected {
  runs: number;
  seconds: number;
}

/** Counts from now on: 70 µs a collection, of which there is one in some 1,400 small requests. */
export function watchGarbage(instruments: Instruments): Instrument {
  const byKind = new Map<number, Collected>();
  const shown: Instrument[] = [];
  for (const [number, kind] of kinds) {
    const collected: Collected = { runs: 0, seconds: 0 };
    byKind.set(number, collected);
    shown.push(
      instruments.counter(metricNames.workerGarbageRuns, [kind], () => collected.runs),
      instruments.counter(metricNames.workerGarbageSeconds, [kind], () => collected.seconds),
    );
  }
  const observer = new PerformanceObserver((list) => {
    for (const { detail, duration } of list.getEntries() as readonly GarbageEntry[]) {
      const collected = byKind.get(detail?.kind ?? 0);
      if (collected === undefined) continue;
      collected.runs += 1;
      collected.seconds += duration / 1000;
    }
  });
  observer.observe({ entryTypes: ['gc'] });
  return {
    close() {
      observer.disconnect();
      for (const instrument of shown) instrument.close();
    },
  };
}
