// The state in the memory of one process: exact for as long as all calls come here.

import type { StateDump } from '../model/ipc.ts';
import { Buckets } from './buckets.ts';
import { Counts } from './counts.ts';
import type { BucketSpec, State, Take } from './state.ts';

/** Milliseconds between two looks at what is unused; what was unused for 10 of them goes. */
export const sweepEvery = 60_000;
const sweepsUnused = 10;

export interface MemoryOptions {
  /** Milliseconds, of a clock that never goes back; `performance.now` unless given. */
  readonly now?: () => number;
}

/** `seat`: the worker for which the call is made; 0 where there is one only. */
export class MemoryState implements State {
  readonly #now: () => number;
  /** By space: as many as the configuration has, and those it had within the last 10 minutes. */
  readonly #buckets = new Map<string, Buckets>();
  readonly #counts = new Map<string, Counts>();
  readonly #timer: NodeJS.Timeout;

  constructor(options: MemoryOptions = {}) {
    this.#now = options.now ?? (() => performance.now());
    this.#timer = setInterval(() => this.sweep(), sweepEvery).unref();
  }

  /** Spaces held. */
  get size(): number {
    return this.#buckets.size + this.#counts.size;
  }

  take(spec: BucketSpec, key: string): Take {
    return this.#bucketsOf(spec).take(key, this.#now());
  }

  enter(space: string, limit: number, key: string, seat = 0): boolean {
    return this.#countsOf(space).enter(limit, key, seat);
  }

  leave(space: string, key: string, seat = 0): void {
    this.#counts.get(space)?.leave(key, seat);
  }

  /** Gives back what runs in one worker. */
  forget(seat: number): void {
    for (const counts of this.#counts.values()) counts.forget(seat);
  }

  dump(): StateDump {
    const now = this.#now();
    return {
      buckets: [...this.#buckets.values()].map((one) => ({ bucket: one.spec, entries: one.dump(now) })),
      counts: [...this.#counts].map(([space, counts]) => ({ space, entries: counts.dump() })),
    };
  }

  load(dump: StateDump, seat = 0): void {
    const now = this.#now();
    for (const { bucket, entries } of dump.buckets) this.#bucketsOf(bucket).load(entries, now);
    for (const { space, entries } of dump.counts) this.#countsOf(space).load(entries, seat);
  }

  /** Once a minute, by itself. */
  sweep(): void {
    for (const [space, buckets] of this.#buckets) {
      if (++buckets.unused > sweepsUnused) this.#buckets.delete(space);
    }
    for (const [space, counts] of this.#counts) {
      if (++counts.unused > sweepsUnused && counts.running === 0) this.#counts.delete(space);
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #bucketsOf(spec: BucketSpec): Buckets {
    let buckets = this.#buckets.get(spec.space);
    if (buckets === undefined) {
      buckets = new Buckets(spec);
      this.#buckets.set(spec.space, buckets);
    }
    return buckets;
  }

  #countsOf(space: string): Counts {
    let counts = this.#counts.get(space);
    if (counts === undefined) {
      counts = new Counts();
      this.#counts.set(space, counts);
    }
    return counts;
  }
}
