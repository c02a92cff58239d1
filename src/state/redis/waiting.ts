// Who waits for Redis: for an answer, or for a connection. Both are bounded in time and in number.

import { reasonOf, RedisRefused, RedisUnreachable, unreachable } from './errors.ts';

/** Calls without an answer, beyond which new ones are refused: a stalled Redis must not fill the memory. */
const maxCalls = 10_000;
/** Callers that wait for a connection. */
const maxArrivals = 1000;

export class Answers {
  readonly #password: string | null;
  /** A call counts until the library settles it, which may be later than its caller was told. */
  #calls = 0;

  constructor(password: string | null) {
    this.#password = password;
  }

  /** Throws when too many wait. */
  admit(): void {
    if (this.#calls >= maxCalls) throw new RedisUnreachable('too many calls wait for Redis');
  }

  /** `timeout` in milliseconds. Rejects with our own errors alone. */
  await(asked: Promise<unknown>, timeout: number): Promise<unknown> {
    this.#calls += 1;
    return new Promise((resolve, reject) => {
      const late = (): void => reject(new RedisUnreachable(`Redis gave no answer within ${timeout} ms`));
      // After a pause of this process timers come before what the socket holds: what has come in time is read first.
      const timer = setTimeout(() => void setImmediate(late), timeout);
      asked.then(
        (value) => {
          this.#calls -= 1;
          clearTimeout(timer);
          resolve(value);
        },
        (error: unknown) => {
          this.#calls -= 1;
          clearTimeout(timer);
          reject(this.#plain(error));
        },
      );
    });
  }

  /** Never the library's own error: that carries the command, with keys and passwords in it. */
  #plain(error: unknown): Error {
    const reason = reasonOf(error, [this.#password]);
    return error instanceof Error && error.name === 'ReplyError'
      ? new RedisRefused(reason)
      : new RedisUnreachable(`Redis is not reachable: ${reason}`);
  }
}

interface Waiting {
  readonly done: () => void;
  readonly failed: () => void;
}

export class Arrival {
  readonly #waiting = new Set<Waiting>();

  /** Resolves at `now`; rejects after `timeout` milliseconds, at `never`, or when too many wait. */
  wait(timeout: number): Promise<void> {
    if (this.#waiting.size >= maxArrivals) return Promise.reject(unreachable());
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        clearTimeout(timer);
        this.#waiting.delete(one);
        settle();
      };
      const one: Waiting = { done: () => end(resolve), failed: () => end(() => reject(unreachable())) };
      const timer = setTimeout(one.failed, timeout);
      this.#waiting.add(one);
    });
  }

  now(): void {
    for (const one of this.#waiting) one.done();
  }

  never(): void {
    for (const one of this.#waiting) one.failed();
  }
}
