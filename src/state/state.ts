// What workers and nodes share: token buckets and counts of running requests. One interface, whoever holds it.

import type { RedisSettings } from '../model/redis.ts';

/** Token buckets of one middleware on one router. */
export interface BucketSpec {
  /** Names the table of keys; part of it is a hash of the options, so that changed options begin afresh. */
  readonly space: string;
  /** Tokens per millisecond. */
  readonly rate: number;
  readonly burst: number;
  /** Longest wait for a token, milliseconds; who would wait longer is refused. */
  readonly maxDelay: number;
  /** Asked for every token, or for a few at once; `leased` unless given. Only what is far away tells the two apart. */
  readonly mode?: 'strict' | 'leased';
}

export interface Take {
  /** Milliseconds until the token is there; above the bucket's `maxDelay` none was taken. */
  readonly wait: number;
  /** Whole tokens left in the bucket. */
  readonly remaining: number;
}

export interface State {
  /** Takes one token of `key`'s bucket. Rejects when the state cannot be reached. */
  take(bucket: BucketSpec, key: string): Take | Promise<Take>;
  /** Counts a running request of `key` in, unless `limit` of them run: false then. */
  enter(space: string, limit: number, key: string): boolean | Promise<boolean>;
  leave(space: string, key: string): void;
  /**
   * Another one, in a Redis of its own, which its caller closes; `budget`: milliseconds that a request waits for it.
   * Throws `Error` when there are too many.
   */
  elsewhere?(redis: RedisSettings, budget?: number): State;
  close(): void;
}

/** Milliseconds a request waits for Redis, unless the limit it meets says otherwise. */
export const redisBudget = 50;

/** It is away, and who needs it is to be refused meanwhile. */
export class StateClosed extends Error {
  override readonly name = 'StateClosed';
}

/** Keys kept in one space; the one unused for longest goes first. Traefik's bound. */
export const maxKeysPerSpace = 65_536;
/** Longer keys are hashed before they get here, so that no client fills memory. */
export const maxKeyLength = 128;
