// The table of sessions as a worker sees it when the primary holds it: what one tick asks travels as one message.

import type { SessionAnswer, SessionCalls } from '../model/ipc.ts';
import { StateUnreachable } from './remote.ts';
import type { SessionSpace, SessionTable } from './sessions.ts';

export interface RemoteSessionsOptions {
  /** False when it cannot be sent. */
  readonly send: (calls: SessionCalls) => boolean;
  /** Milliseconds a question waits for its answer; 250 unless given. */
  readonly budget?: number;
}

/** Questions and things told that have no answer, beyond which questions are refused, and nobody waits for what he told. */
const maxWaiting = 20_000;
/** Calls in one message. */
const maxBatch = 1024;

interface Waiting {
  readonly resolve: (target: string | null) => void;
  readonly reject: (error: Error) => void;
}

interface Asked {
  readonly waiting: readonly Waiting[];
  /** Who waits until the table has heard. */
  readonly told: readonly (() => void)[];
  readonly deadline: number;
}

/** `find` rejects with `StateUnreachable`, at once or after the budget. */
export class RemoteSessions implements SessionTable {
  readonly #options: RemoteSessionsOptions;
  readonly #budget: number;
  #finds: SessionCalls['finds'][number][] = [];
  #waiting: Waiting[] = [];
  #told: (() => void)[] = [];
  #learns: SessionCalls['learns'][number][] = [];
  #forgets: SessionCalls['forgets'][number][] = [];
  /** By the message's number, the oldest first. */
  readonly #asked = new Map<number, Asked>();
  #unanswered = 0;
  #lastId = 0;
  #flushing: NodeJS.Immediate | null = null;
  #timer: NodeJS.Timeout | null = null;
  #expiring: NodeJS.Immediate | null = null;

  constructor(options: RemoteSessionsOptions) {
    this.#options = options;
    this.#budget = options.budget ?? 250;
  }

  find({ space, ttl }: SessionSpace, key: string): Promise<string | null> {
    if (this.#unanswered >= maxWaiting)
      return Promise.reject(new StateUnreachable('too many questions wait for the primary'));
    this.#unanswered += 1;
    return new Promise((resolve, reject) => {
      this.#finds.push({ space, key, ttl });
      this.#waiting.push({ resolve, reject });
      this.#flushSoon(this.#finds.length);
    });
  }

  learn({ space, ttl }: SessionSpace, key: string, target: string): Promise<void> {
    this.#learns.push({ space, key, ttl, target });
    this.#flushSoon(this.#learns.length);
    if (this.#unanswered >= maxWaiting) return Promise.resolve();
    this.#unanswered += 1;
    return new Promise((resolve) => this.#told.push(resolve));
  }

  forget({ space }: SessionSpace, key: string): void {
    this.#forgets.push({ space, key });
    this.#flushSoon(this.#forgets.length);
  }

  answered({ id, targets }: SessionAnswer): void {
    const asked = this.#asked.get(id);
    if (asked === undefined) return;
    this.#asked.delete(id);
    this.#unanswered -= asked.waiting.length + asked.told.length;
    for (const [at, { resolve }] of asked.waiting.entries()) resolve(targets[at] ?? null);
    for (const resolve of asked.told) resolve();
  }

  close(): void {
    if (this.#flushing !== null) clearImmediate(this.#flushing);
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#expiring !== null) clearImmediate(this.#expiring);
    this.#flushing = null;
    this.#timer = null;
  }

  #flushSoon(length: number): void {
    if (length >= maxBatch) this.#flush();
    else
      this.#flushing ??= setImmediate(() => {
        this.#flushing = null;
        this.#flush();
      });
  }

  #flush(): void {
    const finds = this.#finds;
    const waiting = this.#waiting;
    const told = this.#told;
    const learns = this.#learns;
    const forgets = this.#forgets;
    if (finds.length + learns.length + forgets.length === 0) return;
    this.#finds = [];
    this.#waiting = [];
    this.#told = [];
    this.#learns = [];
    this.#forgets = [];
    const id = waiting.length + told.length === 0 ? 0 : ++this.#lastId;
    const isSent = this.#options.send({ type: 'session-calls', id, finds, learns, forgets });
    if (id === 0) return;
    const asked = { waiting, told, deadline: performance.now() + this.#budget };
    if (!isSent) {
      this.#giveUp(asked, 'the primary is gone');
      return;
    }
    this.#asked.set(id, asked);
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
    for (const [id, asked] of this.#asked) {
      if (asked.deadline > now) {
        this.#expireIn(asked.deadline - now);
        return;
      }
      this.#asked.delete(id);
      this.#giveUp(asked, 'the primary gave no answer in time');
    }
  };

  #giveUp({ waiting, told }: Asked, why: string): void {
    this.#unanswered -= waiting.length + told.length;
    const error = new StateUnreachable(why);
    for (const { reject } of waiting) reject(error);
    for (const resolve of told) resolve();
  }
}
