// Calls on the state made within one tick: one message, and who waits for each answer.

import type { StateCalls } from '../model/ipc.ts';
import type { BucketSpec, State, Take } from './state.ts';

type Waiter<T> = (value: T | Promise<T>) => void;

interface Takes {
  readonly bucket: BucketSpec;
  readonly keys: string[];
  readonly waiting: Waiter<Take>[];
}

interface Enters {
  readonly space: string;
  readonly limit: number;
  readonly keys: string[];
  readonly waiting: Waiter<boolean>[];
}

interface Leaves {
  readonly space: string;
  readonly keys: string[];
}

/** Its bound is its maker's: it takes what it is given. */
export class Batch {
  readonly id: number;
  /** `performance.now()` at which nobody waits any longer. */
  readonly deadline: number;
  next: Batch | null = null;
  isExpired = false;
  /** Calls in it. */
  size = 0;
  readonly #takes: Takes[] = [];
  readonly #enters: Enters[] = [];
  readonly #leaves: Leaves[] = [];

  constructor(id: number, deadline: number) {
    this.id = id;
    this.deadline = deadline;
  }

  take(bucket: BucketSpec, key: string): Promise<Take> {
    this.size += 1;
    let group = this.#takes.find((one) => one.bucket.space === bucket.space);
    if (group === undefined) {
      group = { bucket, keys: [], waiting: [] };
      this.#takes.push(group);
    }
    group.keys.push(key);
    const { waiting } = group;
    return new Promise((resolve) => waiting.push(resolve));
  }

  enter(space: string, limit: number, key: string): Promise<boolean> {
    this.size += 1;
    let group = this.#enters.find((one) => one.space === space && one.limit === limit);
    if (group === undefined) {
      group = { space, limit, keys: [], waiting: [] };
      this.#enters.push(group);
    }
    group.keys.push(key);
    const { waiting } = group;
    return new Promise((resolve) => waiting.push(resolve));
  }

  leave(space: string, key: string): void {
    this.size += 1;
    let group = this.#leaves.find((one) => one.space === space);
    if (group === undefined) {
      group = { space, keys: [] };
      this.#leaves.push(group);
    }
    group.keys.push(key);
  }

  message(): StateCalls {
    return {
      type: 'state-calls',
      id: this.id,
      takes: this.#takes.map(({ bucket, keys }) => ({ bucket, keys })),
      enters: this.#enters.map(({ space, limit, keys }) => ({ space, limit, keys })),
      leaves: this.#leaves,
    };
  }

  /** `undo` leaves what was entered for somebody who waits no longer. */
  answer(values: readonly number[], undo: (space: string, key: string) => void): void {
    let at = 0;
    for (const { waiting } of this.#takes) {
      for (const resolve of waiting) {
        const wait = values[at++] ?? Infinity;
        const remaining = values[at++] ?? 0;
        resolve({ wait, remaining });
      }
    }
    for (const { space, keys, waiting } of this.#enters) {
      for (const [i, resolve] of waiting.entries()) {
        const entered = values[at++] === 1;
        if (entered && this.isExpired) undo(space, keys[i] as string);
        else resolve(entered);
      }
    }
  }

  /** The same calls on a state at hand, for whoever still waits. */
  redo(state: State): void {
    for (const { space, keys } of this.#leaves) for (const key of keys) state.leave(space, key);
    if (this.isExpired) return;
    for (const { bucket, keys, waiting } of this.#takes) {
      for (const [i, resolve] of waiting.entries()) resolve(state.take(bucket, keys[i] as string));
    }
    for (const { space, limit, keys, waiting } of this.#enters) {
      for (const [i, resolve] of waiting.entries()) {
        resolve(state.enter(space, limit, keys[i] as string) as boolean);
      }
    }
  }

  /** Whoever waits is told so; the answer may still come, and then undoes. */
  expire(error: Error): void {
    if (this.isExpired) return;
    this.isExpired = true;
    for (const { waiting } of this.#takes) {
      for (const resolve of waiting) resolve(Promise.reject(error));
    }
    for (const { waiting } of this.#enters) {
      for (const resolve of waiting) resolve(Promise.reject(error));
    }
  }
}
