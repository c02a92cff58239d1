// The state that workers share: held here, or lent to the worker as long as there is one only, which then need
// not ask for every request.

import type { StateCalls } from '../model/ipc.ts';
import { MemoryState } from '../state/memory.ts';
import type { WorkerHandle } from './worker-handle.ts';

export interface HeldState {
  /** Whether a worker holds it at this moment. */
  readonly isLent: boolean;
  answer(from: WorkerHandle, calls: StateCalls): void;
  /** `handle` must be the only worker there is. */
  lend(handle: WorkerHandle): void;
  /** Takes it back from the worker that holds it, before there is another one. What does not come is lost. */
  recall(): Promise<void>;
  /** Gives back what ran in a worker that has ended. */
  gone(handle: WorkerHandle): void;
}

/** Milliseconds for a worker to hand over what it holds. */
const giveTimeout = 2_000;

export function createHeldState(): HeldState {
  return new PrimaryState();
}

class PrimaryState implements HeldState {
  #memory = new MemoryState();
  /** Which of the counts are whose: the place of a worker in here. As many as ever lived at once. */
  readonly #seats: (WorkerHandle | null)[] = [];
  #holder: WorkerHandle | null = null;
  #recalling: Promise<void> | null = null;

  get isLent(): boolean {
    return this.#holder !== null;
  }

  answer(from: WorkerHandle, calls: StateCalls): void {
    // What ended has given everything back; it must not get a seat again.
    if (from.state === 'gone') return;
    if (this.#holder !== null) from.send({ type: 'state-answer', id: calls.id, values: null });
    else from.send({ type: 'state-answer', id: calls.id, values: this.#values(calls, this.#seatOf(from)) });
  }

  lend(handle: WorkerHandle): void {
    if (this.#holder !== null) return;
    if (!handle.send({ type: 'state-keep', dump: this.#memory.dump() })) return;
    this.#holder = handle;
    this.#renew();
  }

  recall(): Promise<void> {
    const holder = this.#holder;
    if (holder === null) return Promise.resolve();
    this.#recalling ??= this.#recallFrom(holder).finally(() => {
      this.#recalling = null;
    });
    return this.#recalling;
  }

  gone(handle: WorkerHandle): void {
    // With its holder the state is gone, too.
    if (this.#holder === handle) this.#holder = null;
    const seat = this.#seats.indexOf(handle);
    if (seat === -1) return;
    this.#memory.forget(seat);
    this.#seats[seat] = null;
  }

  async #recallFrom(holder: WorkerHandle): Promise<void> {
    const given = holder.wait((message) => {
      if (message.type !== 'state-given') return null;
      // Here, and not a promise later: the next message may be a call.
      this.#memory.load(message.dump, this.#seatOf(holder));
      this.#holder = null;
      return true;
    }, giveTimeout);
    holder.send({ type: 'state-give' });
    await given.catch(() => {
      this.#holder = null;
    });
  }

  /** Leaves first: they make room. */
  #values(calls: StateCalls, seat: number): number[] {
    const memory = this.#memory;
    const values: number[] = [];
    for (const { space, keys } of calls.leaves) for (const key of keys) memory.leave(space, key, seat);
    for (const { bucket, keys } of calls.takes) {
      for (const key of keys) {
        const { wait, remaining } = memory.take(bucket, key);
        values.push(wait, remaining);
      }
    }
    for (const { space, limit, keys } of calls.enters) {
      for (const key of keys) values.push(memory.enter(space, limit, key, seat) ? 1 : 0);
    }
    return values;
  }

  #seatOf(handle: WorkerHandle): number {
    const known = this.#seats.indexOf(handle);
    if (known !== -1) return known;
    const free = this.#seats.indexOf(null);
    const seat = free === -1 ? this.#seats.length : free;
    this.#seats[seat] = handle;
    return seat;
  }

  #renew(): void {
    this.#memory.close();
    this.#memory = new MemoryState();
  }
}
