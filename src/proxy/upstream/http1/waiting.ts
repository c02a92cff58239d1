// Calls that wait for a connection, first come, first served.

import { GatewayError } from '../../errors.ts';
import type { Call, CallPlace } from './call.ts';

/** A list linked through the calls themselves, so that one that is aborted leaves at once. */
export class Waiting implements CallPlace {
  size = 0;
  #first: Call | null = null;
  #last: Call | null = null;
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  /** False: the queue is full. `deadline` in ticks, 0 for none; it must not be before an earlier call's. */
  push(call: Call, deadline: number): boolean {
    if (this.size >= this.#most) return false;
    call.place = this;
    call.deadline = deadline;
    call.before = this.#last;
    if (this.#last === null) this.#first = call;
    else this.#last.after = call;
    this.#last = call;
    this.size++;
    return true;
  }

  get first(): Call | null {
    return this.#first;
  }

  shift(): Call | null {
    const call = this.#first;
    if (call !== null) this.#unlink(call);
    return call;
  }

  /** Fails the calls whose deadline has come. */
  expire(now: number): void {
    while (this.#first !== null && this.#first.deadline !== 0 && this.#first.deadline <= now) {
      const call = this.#first;
      this.#unlink(call);
      const error = new GatewayError('upstream.connect_timeout', 'no connection became free');
      error.unsent = true;
      call.fail(error);
    }
  }

  drop(call: Call): void {
    this.#unlink(call);
  }

  resume(): void {}

  #unlink(call: Call): void {
    if (call.before === null) this.#first = call.after;
    else call.before.after = call.after;
    if (call.after === null) this.#last = call.before;
    else call.after.before = call.before;
    call.before = null;
    call.after = null;
    call.place = null;
    this.size--;
  }
}
