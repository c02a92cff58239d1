// How many requests of each key run in one space, and in which worker, so that those of one that dies are given back.

import { ownKey } from './keys.ts';
import { type Linked, Recency } from './recency.ts';
import { maxKeysPerSpace } from './state.ts';

interface Count extends Linked<Count> {
  readonly key: string;
  total: number;
  /** By seat: which worker's they are. */
  readonly bySeat: number[];
}

/** At most `max` keys, of which those that run are never forgotten. */
export class Counts {
  /** Sweeps since the last use. */
  unused = 0;
  readonly #max: number;
  /** At most `max`. A key stays for a while when nothing of it runs: the next request is likely to be its. */
  readonly #byKey = new Map<string, Count>();
  /** Those of which nothing runs; only they may be forgotten. */
  readonly #idle = new Recency<Count>();
  #running = 0;

  constructor(max: number = maxKeysPerSpace) {
    this.#max = max;
  }

  get size(): number {
    return this.#byKey.size;
  }

  get running(): number {
    return this.#running;
  }

  /** False when `limit` of them run already, or when requests of as many keys run as can be kept. */
  enter(limit: number, key: string, seat: number): boolean {
    this.unused = 0;
    if (limit <= 0) return false;
    const count = this.#byKey.get(key) ?? this.#make(key);
    if (count === null || count.total >= limit) return false;
    this.#add(count, 1, seat);
    return true;
  }

  /** Without effect for what did not enter there. */
  leave(key: string, seat: number): void {
    this.unused = 0;
    const count = this.#byKey.get(key);
    if (count !== undefined && (count.bySeat[seat] ?? 0) > 0) this.#subtract(count, 1, seat);
  }

  /** Gives back what runs in one worker. */
  forget(seat: number): void {
    for (const count of this.#byKey.values()) {
      const own = count.bySeat[seat] ?? 0;
      if (own > 0) this.#subtract(count, own, seat);
    }
  }

  /** Key and number, alternating, of all that run. */
  dump(): (string | number)[] {
    const entries: (string | number)[] = [];
    for (const { key, total } of this.#byKey.values()) if (total > 0) entries.push(key, total);
    return entries;
  }

  load(entries: readonly (string | number)[], seat: number): void {
    for (let i = 0; i + 1 < entries.length; i += 2) {
      const key = String(entries[i]);
      const count = this.#byKey.get(key) ?? this.#make(key);
      if (count !== null) this.#add(count, Number(entries[i + 1]), seat);
    }
  }

  #make(key: string): Count | null {
    if (this.#byKey.size >= this.#max) {
      const { oldest } = this.#idle;
      if (oldest === null) return null;
      this.#idle.remove(oldest);
      this.#byKey.delete(oldest.key);
    }
    const count: Count = { key: ownKey(key), total: 0, bySeat: [], older: null, newer: null };
    this.#byKey.set(count.key, count);
    this.#idle.add(count);
    return count;
  }

  #add(count: Count, number: number, seat: number): void {
    if (count.total === 0) this.#idle.remove(count);
    while (count.bySeat.length <= seat) count.bySeat.push(0);
    count.bySeat[seat] = (count.bySeat[seat] ?? 0) + number;
    count.total += number;
    this.#running += number;
  }

  #subtract(count: Count, number: number, seat: number): void {
    count.bySeat[seat] = (count.bySeat[seat] ?? 0) - number;
    count.total -= number;
    this.#running -= number;
    if (count.total === 0) this.#idle.add(count);
  }
}
