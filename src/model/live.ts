// What workers count for the dashboard, each second, as it travels to the primary.

/** A latency of `ms` milliseconds is counted in bucket ⌊4 · log2(10 · ms)⌋: each is 19 % wide, the last has no end. */
export const latencyBuckets = 76;

/** Of one worker since it last told. */
export interface LiveCounts {
  /** Ended Exchanges, but for those the gateway's own services answered. */
  readonly requests: number;
  /** By the hundreds of their status: 1xx first. */
  readonly classes: readonly number[];
  /** Bucket, number, bucket, number: those that are not 0. WebSockets are left out. */
  readonly latencies: readonly number[];
  readonly authHits: number;
  readonly authMisses: number;
  /** At most 32; the rest is in `classes` only. */
  readonly errors: readonly LiveError[];
}

/** Requests that failed in one and the same way. Nothing of a client's is in it. */
export interface LiveError {
  readonly code: string;
  readonly blame: string;
  readonly status: number;
  readonly entryPoint: string;
  readonly router: string | null;
  readonly service: string | null;
  readonly server: string | null;
  /** Of the last of them, at most 200 characters. */
  readonly reason: string;
  readonly count: number;
}

/** The bucket that counts `ms` milliseconds. */
export function latencyBucket(ms: number): number {
  if (ms <= 0.1) return 0;
  const bucket = Math.floor(4 * Math.log2(10 * ms));
  return bucket < latencyBuckets ? bucket : latencyBuckets - 1;
}

/** Milliseconds in the middle of a bucket. */
export function latencyOf(bucket: number): number {
  return 0.1 * 2 ** ((bucket + 0.5) / 4);
}
