// What a worker borrows of a bucket that is far away, and from whom.

import type { BucketSpec } from './state.ts';

export interface Lent {
  /** Tokens to be had at once. */
  readonly granted: number;
  /** Tokens that come later: the first after `wait` milliseconds, each next one 1 / rate later. */
  readonly late: number;
  readonly wait: number;
  /** Milliseconds that whoever comes next would wait. */
  readonly following: number;
  /** Whole tokens left to others. */
  readonly remaining: number;
}

export interface Lender {
  /** `need` tokens for requests that are there, up to `extra` for those to come, after `back` were given back. */
  lend(bucket: BucketSpec, key: string, wish: Wish): Promise<Lent>;
}

export interface Wish {
  readonly need: number;
  readonly extra: number;
  readonly back: number;
}

/** Milliseconds for which tokens may be spent, and a refusal holds without asking again, from when was asked. */
export const leaseFor = 50;
/** No lease holds more than this part of the burst. */
export const burstShare = 8;
