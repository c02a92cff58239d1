// A lease on Redis: kept alive while its holder works, and over for the holder before Redis may give it to another.

import { randomBytes } from 'node:crypto';
import type { Lease } from './storage.ts';

export interface LeaseCalls {
  /** The fence, or 0 when somebody else holds it. */
  grant(holder: string): Promise<number>;
  /** False when it is no longer the holder's. */
  renew(holder: string): Promise<boolean>;
  release(holder: string): Promise<void>;
}

export class RedisLease implements Lease {
  /** Key of the newest fence given out for the same thing. */
  readonly fenceKey: string;
  readonly fence: number;
  readonly #end = new AbortController();

  constructor(fenceKey: string, fence: number) {
    this.fenceKey = fenceKey;
    this.fence = fence;
  }

  get signal(): AbortSignal {
    return this.#end.signal;
  }

  lose(): void {
    this.#end.abort(new Error('the lease was lost'));
  }
}

export interface LeaseTerms {
  readonly calls: LeaseCalls;
  readonly fenceKey: string;
  /** Milliseconds. */
  readonly ttl: number;
  /** Those that run; the storage ends them when it closes. */
  readonly running: Set<RedisLease>;
}

/** Null when somebody else holds it. Rejects as `work` does, or when Redis cannot be asked. */
export async function workUnderLease<T>(
  terms: LeaseTerms,
  work: (lease: Lease) => Promise<T>,
): Promise<T | null> {
  const { calls, ttl, running } = terms;
  const holder = randomBytes(16).toString('hex');
  let since = performance.now();
  let fence: number;
  try {
    fence = await calls.grant(holder);
  } catch (error) {
    // It may have been given out all the same.
    void calls.release(holder).catch(() => {});
    throw error;
  }
  if (fence === 0) return null;
  const lease = new RedisLease(terms.fenceKey, fence);
  running.add(lease);
  const renew = async (): Promise<void> => {
    const asked = performance.now();
    // Given up before Redis may give it to another; a process that was stopped finds the time over when it wakes.
    if (asked - since >= (ttl * 5) / 6) return lease.lose();
    try {
      if (await calls.renew(holder)) since = asked;
      else lease.lose();
    } catch {
      // Redis may be back before the lease runs out: the next round tells.
    }
  };
  // More often than every third of it only after a failure: what is renewed is left alone until then.
  const timer = setInterval(() => {
    if (performance.now() - since >= ttl / 3 && !lease.signal.aborted) void renew();
  }, ttl / 12);
  try {
    return await work(lease);
  } finally {
    clearInterval(timer);
    running.delete(lease);
    await calls.release(holder).catch(() => {});
  }
}
