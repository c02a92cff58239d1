// The token buckets of one space, by key. A bucket starts full; one that is full again is no longer worth keeping.

import { ownKey } from './keys.ts';
import { type Linked, Recency } from './recency.ts';
import { type BucketSpec, maxKeysPerSpace, type Take } from './state.ts';

interface Bucket extends Linked<Bucket> {
  readonly key: string;
  /** Below zero when requests wait for tokens to come. */
  tokens: number;
  /** When `tokens` was right, milliseconds. */
  at: number;
}

/** Shorter waits are none: Go's clock has no finer steps than a nanosecond. */
const shortestWait = 1e-6;
/** Full buckets thrown away per new one: more than come in, so that a flood of keys passes. */
const clearedPerNew = 2;

/** At most `max` keys; beyond that the one unused for longest goes, full or not. */
export class Buckets {
  /** Sweeps since the last use. */
  unused = 0;
  readonly spec: BucketSpec;
  readonly #max: number;
  /** At most `max`. */
  readonly #byKey = new Map<string, Bucket>();
  readonly #recency = new Recency<Bucket>();

  constructor(spec: BucketSpec, max: number = maxKeysPerSpace) {
    this.spec = spec;
    this.#max = max;
  }

  get size(): number {
    return this.#byKey.size;
  }

  /** `now`: milliseconds of a clock that never goes back. */
  take(key: string, now: number): Take {
    this.unused = 0;
    const { rate, burst, maxDelay } = this.spec;
    let bucket = this.#byKey.get(key);
    if (bucket === undefined) bucket = this.#make(key, burst, now);
    else {
      this.#recency.renew(bucket);
      fill(bucket, this.spec, now);
    }
    const left = bucket.tokens - 1;
    let wait = left < 0 ? -left / rate : 0;
    if (wait < shortestWait) wait = 0;
    // Who is refused takes nothing, so that trying again costs no one else anything.
    if (wait > maxDelay) return { wait, remaining: 0 };
    bucket.tokens = left;
    return { wait, remaining: left > 0 ? Math.floor(left + shortestWait) : 0 };
  }

  /** Key and tokens, alternating, of all that are not full. */
  dump(now: number): (string | number)[] {
    const entries: (string | number)[] = [];
    for (let one = this.#recency.oldest; one !== null; one = one.newer) {
      fill(one, this.spec, now);
      if (one.tokens < this.spec.burst) entries.push(one.key, one.tokens);
    }
    return entries;
  }

  load(entries: readonly (string | number)[], now: number): void {
    for (let i = 0; i + 1 < entries.length; i += 2) {
      const key = String(entries[i]);
      if (!this.#byKey.has(key)) this.#make(key, Number(entries[i + 1]), now);
    }
  }

  #make(key: string, tokens: number, now: number): Bucket {
    this.#clear(now);
    const bucket: Bucket = { key: ownKey(key), tokens, at: now, older: null, newer: null };
    this.#byKey.set(bucket.key, bucket);
    this.#recency.add(bucket);
    return bucket;
  }

  #clear(now: number): void {
    for (let cleared = 0; cleared < clearedPerNew; cleared++) {
      const { oldest } = this.#recency;
      if (oldest === null) return;
      fill(oldest, this.spec, now);
      if (oldest.tokens < this.spec.burst && this.#byKey.size < this.#max) return;
      this.#recency.remove(oldest);
      this.#byKey.delete(oldest.key);
    }
  }
}

function fill(bucket: Bucket, { rate, burst }: BucketSpec, now: number): void {
  if (now <= bucket.at) return;
  bucket.tokens = Math.min(burst, bucket.tokens + (now - bucket.at) * rate);
  bucket.at = now;
}
