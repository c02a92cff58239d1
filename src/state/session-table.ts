// The table of sessions in the memory of one process: the primary's, for all of its workers.

import { Recency, type Linked } from './recency.ts';

/** Sessions of one service; the one unused for longest goes first. */
export const maxSessions = 250_000;
/** Of all services together. */
export const maxAllSessions = 500_000;
/** Milliseconds between two looks for what has ended. */
const sweepEvery = 60_000;
/** Different targets of which one text is kept for all: as many as services have servers. */
const maxTargets = 4096;

interface Place extends Linked<Place> {
  readonly key: string;
  target: string;
  endsAt: number;
}

export interface SessionTableOptions {
  /** Milliseconds, of a clock that never goes back; `performance.now` unless given. */
  readonly now?: () => number;
  readonly maxSessions?: number;
  readonly maxAllSessions?: number;
}

/** At most 250,000 sessions a service and 500,000 in all; for one beyond these the largest service gives way. */
export class MemorySessions {
  readonly #now: () => number;
  readonly #max: number;
  readonly #maxAll: number;
  /** By service. One that holds nothing is dropped. */
  readonly #spaces = new Map<string, Space>();
  readonly #targets = new Map<string, string>();
  readonly #timer: NodeJS.Timeout;
  #size = 0;

  constructor(options: SessionTableOptions = {}) {
    this.#now = options.now ?? (() => performance.now());
    this.#max = options.maxSessions ?? maxSessions;
    this.#maxAll = options.maxAllSessions ?? maxAllSessions;
    this.#timer = setInterval(() => this.sweep(), sweepEvery).unref();
  }

  get size(): number {
    return this.#size;
  }

  /** Counts as a use. `ttl` in milliseconds. */
  find(space: string, key: string, ttl: number): string | null {
    const places = this.#spaces.get(space);
    const place = places?.byKey.get(key);
    if (places === undefined || place === undefined) return null;
    const now = this.#now();
    if (place.endsAt <= now) {
      this.#remove(places, place);
      return null;
    }
    place.endsAt = now + ttl;
    places.recency.renew(place);
    return place.target;
  }

  /** Whether it was elsewhere before. */
  learn(space: string, key: string, entry: { readonly ttl: number; readonly target: string }): boolean {
    const places = this.#spaceOf(space);
    const known = places.byKey.get(key);
    const endsAt = this.#now() + entry.ttl;
    const target = this.#intern(entry.target);
    if (known !== undefined) {
      const hasMoved = known.target !== target;
      known.target = target;
      known.endsAt = endsAt;
      places.recency.renew(known);
      return hasMoved;
    }
    const place: Place = { key, target, endsAt, older: null, newer: null };
    places.byKey.set(key, place);
    places.recency.add(place);
    this.#size += 1;
    if (places.byKey.size > this.#max) this.#remove(places, places.recency.oldest as Place);
    if (this.#size > this.#maxAll) this.#shrinkLargest();
    return false;
  }

  /** Whether it was there. */
  forget(space: string, key: string): boolean {
    const places = this.#spaces.get(space);
    const place = places?.byKey.get(key);
    if (places === undefined || place === undefined) return false;
    this.#remove(places, place);
    return true;
  }

  /** Once a minute, by itself. */
  sweep(): void {
    const now = this.#now();
    for (const [name, places] of this.#spaces) {
      // By use, which is by end as long as the ttl stays the same.
      for (let place = places.recency.oldest; place !== null && place.endsAt <= now; ) {
        const next: Place | null = place.newer;
        this.#remove(places, place);
        place = next;
      }
      if (places.byKey.size === 0) this.#spaces.delete(name);
    }
    if (this.#size === 0) this.#targets.clear();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** Who holds most gives way: no service pushes out the few sessions of another. */
  #shrinkLargest(): void {
    let largest: Space | null = null;
    for (const places of this.#spaces.values())
      if (largest === null || places.byKey.size > largest.byKey.size) largest = places;
    if (largest?.recency.oldest) this.#remove(largest, largest.recency.oldest);
  }

  #remove(places: Space, place: Place): void {
    places.byKey.delete(place.key);
    places.recency.remove(place);
    this.#size -= 1;
  }

  #spaceOf(name: string): Space {
    let places = this.#spaces.get(name);
    if (places === undefined) {
      places = { byKey: new Map(), recency: new Recency() };
      this.#spaces.set(name, places);
    }
    return places;
  }

  /** Each message brings its own copy of the same few texts. */
  #intern(target: string): string {
    const known = this.#targets.get(target);
    if (known !== undefined) return known;
    if (this.#targets.size >= maxTargets) this.#targets.clear();
    this.#targets.set(target, target);
    return target;
  }
}

interface Space {
  readonly byKey: Map<string, Place>;
  readonly recency: Recency<Place>;
}
