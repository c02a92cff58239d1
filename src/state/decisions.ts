// Auth decisions that nodes share: what the request path sees of them.

import type { PurgeSelector } from '../model/ipc.ts';

export interface SharedDecision {
  readonly text: string;
  /** Milliseconds until its end, by the clock of the store. */
  readonly life: number;
  /** What was purged since the question it answers; null: more, or other, than is known. */
  readonly purges: readonly PurgeSelector[] | null;
}

export interface SharedLook {
  /** How many purges there were, to be given to `put` with the answer to a question asked now; null: unknown. */
  readonly epoch: number | null;
  readonly decision: SharedDecision | null;
}

export interface SharedDecisions {
  /** 32 bytes, hex, the same on all nodes: leads the digests that keys and tags are made of. */
  readonly secret: string;
  /** `key`: one byte a char. One round trip; never rejects: what cannot be read in time is not there. */
  find(key: string): Promise<SharedLook>;
  /** `life` in milliseconds. Never throws; what cannot be told, or is too long, is not shared. */
  put(key: string, epoch: number, entry: { readonly text: string; readonly life: number }): void;
}
