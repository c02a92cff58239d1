// The state as a worker sees it when the primary holds it: the calls of one tick travel as one message.

import type { StateAnswer, StateCalls } from '../model/ipc.ts';
import { Batch } from './batch.ts';
import type { BucketSpec, State, Take } from './state.ts';

/** The state did not answer in time, or cannot take more calls. */
export class StateUnreachable extends Error {
  override readonly name = 'StateUnreachable';
}

export interface RemoteOptions {
  /** False when it cannot be sent. */
  readonly send: (calls: StateCalls) => boolean;
  /** Milliseconds a call waits for its answer; 250 unless given. */
  readonly budget?: number;
  /** Calls without an answer, beyond which new ones are refused; 50,000 unless given. */
  readonly maxCalls?: number;
}

/** Calls in one message. */
const maxBatch = 1024;

/** Takes and enters reject with `StateUnreachable`, at once or after the budget. */
export class RemoteState implements State {
  readonly #options: RemoteOptions;
  readonly #budget: number;
  readonly #maxCalls: number;
  /** Not sent yet. */
  #open: Batch | null = null;
  /** Sent, the first one first; answers come in the same order. */
  #first: Batch | null = null;
  #last: Batch | null = null;
  /** Of all that were sent and of the open one. */
  #calls = 0;
  #lastId = 0;
  #flushing: NodeJS.Immediate | null = null;
  #timer: NodeJS.Timeout | null = null;
  #expiring: NodeJS.Immediate | null = null;

  constructor(options: RemoteOptions) {
    this.#options = options;
    this.#budget = options.budget ?? 250;
    this.#maxCalls = options.maxCalls ?? 50_000;
  }

  take(bucket: BucketSpec, key: string): Promise<Take> {
    if (this.#calls >= this.#maxCalls) return Promise.reject(full());
    return this.#batch().take(bucket, key);
  }

  enter(space: string, limit: number, key: string): Promise<boolean> {
    if (this.#calls >= this.#maxCalls) return Promise.reject(full());
    return this.#batch().enter(space, limit, key);
  }

  /** Never refused: there are no more of them than requests that entered. */
  leave(space: string, key: string): void {
    this.#batch().leave(space, key);
  }

  /** `own`: the state this worker holds, when the primary says that it does. */
  answered(answer: StateAnswer, own: State | null): void {
    while (this.#first !== null && this.#first.id <= answer.id) {
      const batch = this.#first;
      this.#first = batch.next;
      if (this.#first === null) this.#last = null;
      this.#calls -= batch.size;
      if (batch.id === answer.id && answer.values !== null) {
        batch.answer(answer.values, (space, key) => (own ?? this).leave(space, key));
      } else if (own !== null) batch.redo(own);
      else batch.expire(new StateUnreachable('the primary gave no answer'));
    }
  }

  /** What was not sent yet is done at once, by the state this worker now holds. */
  settle(own: State): void {
    const batch = this.#open;
    if (batch === null) return;
    this.#open = null;
    this.#calls -= batch.size;
    batch.redo(own);
  }

  close(): void {
    if (this.#flushing !== null) clearImmediate(this.#flushing);
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#expiring !== null) clearImmediate(this.#expiring);
    this.#flushing = null;
    this.#timer = null;
  }

  #batch(): Batch {
    if (this.#open !== null && this.#open.size >= maxBatch) this.#flush();
    this.#calls += 1;
    if (this.#open !== null) return this.#open;
    this.#lastId += 1;
    this.#open = new Batch(this.#lastId, performance.now() + this.#budget);
    this.#flushing ??= setImmediate(() => {
      this.#flushing = null;
      this.#flush();
    });
    return this.#open;
  }

  #flush(): void {
    const batch = this.#open;
    if (batch === null) return;
    this.#open = null;
    if (!this.#options.send(batch.message())) {
      this.#calls -= batch.size;
      batch.expire(new StateUnreachable('the primary is gone'));
      return;
    }
    if (this.#last === null) this.#first = batch;
    else this.#last.next = batch;
    this.#last = batch;
    if (this.#timer === null) this.#expireIn(this.#budget);
  }

  #expireIn(ms: number): void {
    this.#timer = setTimeout(() => {
      // After a pause of this process timers come before what has arrived: answers that were in time are read first.
      this.#expiring = setImmediate(this.#expire);
    }, ms);
  }

  readonly #expire = (): void => {
    this.#timer = null;
    const now = performance.now();
    for (let batch = this.#first; batch !== null; batch = batch.next) {
      if (batch.isExpired) continue;
      if (batch.deadline > now) {
        this.#expireIn(batch.deadline - now);
        return;
      }
      batch.expire(new StateUnreachable('the primary gave no answer in time'));
    }
  };
}

function full(): StateUnreachable {
  return new StateUnreachable('too many calls wait for the primary');
}
