// The leases of one worker: tokens borrowed a few at a time and spent here, so that most requests ask nobody.

import { ownKey } from './keys.ts';
import { burstShare, leaseFor, type Lender, type Lent } from './lending.ts';
import { type Linked, Recency } from './recency.ts';
import { StateUnreachable } from './remote.ts';
import { type BucketSpec, maxKeysPerSpace, type Take } from './state.ts';

/** Requests that wait for one answer about one key. */
const maxWaiting = 10_000;

interface Waiter {
  readonly resolve: (take: Take) => void;
  readonly reject: (error: unknown) => void;
}

interface Lease extends Linked<Lease> {
  readonly bucket: BucketSpec;
  readonly key: string;
  /** To be spent until `ends`. */
  tokens: number;
  /** When nothing of the last answer holds any longer; milliseconds. */
  ends: number;
  /** Who would not get a token before this, wait included, is refused; 0: nobody is. */
  nextToken: number;
  /** Left to others at the last answer. */
  remaining: number;
  /** Spent, or waited for, since `askedAt`. */
  used: number;
  askedAt: number;
  isAsking: boolean;
  /** Not in the table any more. */
  isGone: boolean;
  waiting: Waiter[];
}

/** Takes are answered at once while a lease lasts. */
export class Leases {
  readonly #lender: Lender;
  readonly #now: () => number;
  /** By space, then key. All keys together: at most `max`. */
  readonly #spaces = new Map<string, Map<string, Lease>>();
  readonly #byAge = new Recency<Lease>();
  readonly #max: number;
  #size = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(lender: Lender, now: () => number = () => performance.now(), max: number = maxKeysPerSpace) {
    this.#lender = lender;
    this.#now = now;
    this.#max = max;
  }

  /** Keys of which something is held or known. */
  get size(): number {
    return this.#size;
  }

  /** Rejects as the lender does. */
  take(bucket: BucketSpec, key: string): Take | Promise<Take> {
    const now = this.#now();
    const lease = this.#spaces.get(bucket.space)?.get(key) ?? this.#make(bucket, key, now);
    lease.used += 1;
    if (now < lease.ends) {
      if (lease.tokens > 0) {
        lease.tokens -= 1;
        return { wait: 0, remaining: lease.remaining + lease.tokens };
      }
      if (lease.nextToken > 0) {
        const wait = lease.nextToken - now;
        // It is what would be waited for: beyond the bucket's bound nobody need be asked.
        if (wait > bucket.maxDelay) return { wait, remaining: 0 };
      }
    }
    return this.#wait(lease, now);
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    for (let one = this.#byAge.oldest; one !== null; one = one.newer) this.#giveBack(one);
    this.#spaces.clear();
  }

  #wait(lease: Lease, now: number): Promise<Take> {
    if (lease.waiting.length >= maxWaiting)
      return Promise.reject(new StateUnreachable('too many requests wait for tokens'));
    const taken = new Promise<Take>((resolve, reject) => lease.waiting.push({ resolve, reject }));
    if (!lease.isAsking) void this.#ask(lease, now);
    return taken;
  }

  async #ask(lease: Lease, now: number): Promise<void> {
    lease.isAsking = true;
    const { waiting } = lease;
    const wish = { need: waiting.length, extra: extraOf(lease, now), back: lease.tokens };
    lease.waiting = [];
    lease.tokens = 0;
    lease.used = 0;
    lease.askedAt = now;
    if (!lease.isGone) this.#byAge.renew(lease);
    try {
      const lent = await this.#lender.lend(lease.bucket, lease.key, wish);
      lease.isAsking = false;
      this.#serve(lease, waiting, lent);
    } catch (error) {
      lease.isAsking = false;
      for (const { reject } of [...waiting, ...lease.waiting]) reject(error);
      lease.waiting = [];
    }
  }

  #serve(lease: Lease, waiting: readonly Waiter[], lent: Lent): void {
    const { granted, late, remaining, following } = lent;
    const spent = Math.min(granted, waiting.length);
    lease.tokens = granted - spent;
    lease.remaining = remaining;
    lease.ends = lease.askedAt + leaseFor;
    lease.nextToken = spent < waiting.length || late > 0 ? lease.askedAt + following : 0;
    for (const [i, { resolve }] of waiting.entries()) {
      if (i < spent) resolve({ wait: 0, remaining: remaining + granted - 1 - i });
      else if (i < spent + late) resolve({ wait: lent.wait + (i - spent) / lease.bucket.rate, remaining: 0 });
      else resolve({ wait: following, remaining: 0 });
    }
    this.#serveLate(lease);
    if (lease.isGone) this.#giveBack(lease);
    else this.#tend();
  }

  /** Those that came while the answer was on its way. */
  #serveLate(lease: Lease): void {
    const late = lease.waiting;
    if (late.length === 0) return;
    const now = this.#now();
    lease.waiting = [];
    for (const one of late) {
      if (now < lease.ends && lease.tokens > 0) {
        lease.tokens -= 1;
        one.resolve({ wait: 0, remaining: lease.remaining + lease.tokens });
      } else lease.waiting.push(one);
    }
    if (lease.waiting.length > 0) void this.#ask(lease, now);
  }

  #make(bucket: BucketSpec, key: string, now: number): Lease {
    if (this.#size >= this.#max && this.#byAge.oldest !== null) this.#forget(this.#byAge.oldest);
    let keys = this.#spaces.get(bucket.space);
    if (keys === undefined) {
      keys = new Map();
      this.#spaces.set(bucket.space, keys);
    }
    const lease: Lease = {
      bucket,
      key: ownKey(key),
      tokens: 0,
      ends: 0,
      nextToken: 0,
      remaining: 0,
      used: 0,
      askedAt: now,
      isAsking: false,
      isGone: false,
      waiting: [],
      older: null,
      newer: null,
    };
    keys.set(lease.key, lease);
    this.#byAge.add(lease);
    this.#size += 1;
    return lease;
  }

  /** Whoever waits for it is answered all the same. */
  #forget(lease: Lease): void {
    this.#giveBack(lease);
    lease.isGone = true;
    this.#byAge.remove(lease);
    const keys = this.#spaces.get(lease.bucket.space);
    keys?.delete(lease.key);
    if (keys?.size === 0) this.#spaces.delete(lease.bucket.space);
    this.#size -= 1;
  }

  /** Lost when it cannot be told: then fewer pass than might. */
  #giveBack(lease: Lease): void {
    if (lease.tokens === 0) return;
    const wish = { need: 0, extra: 0, back: lease.tokens };
    lease.tokens = 0;
    this.#lender.lend(lease.bucket, lease.key, wish).catch(() => {});
  }

  #tend(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#forgetEnded();
      if (this.#size > 0) this.#tend();
    }, leaseFor).unref();
  }

  /** The oldest questions come first; all hold for the same time. */
  #forgetEnded(): void {
    const now = this.#now();
    for (let one = this.#byAge.oldest; one !== null && one.askedAt + leaseFor <= now; ) {
      const { newer } = one;
      if (!one.isAsking) this.#forget(one);
      one = newer;
    }
  }
}

/** What was used in the last 50 ms or less would be used again in the next, but no lease grows to more than twice. */
function extraOf(lease: Lease, now: number): number {
  const { used, askedAt, bucket, ends } = lease;
  // The first question of a key says nothing of how often it comes.
  if (ends === 0) return 0;
  const rate = used / Math.max(1, now - askedAt);
  return Math.floor(Math.min(rate * leaseFor, used * 2, bucket.burst / burstShare));
}
