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

/** Questions without an answer, and things to tell in one tick, beyond which new ones are refused. */
const maxWaiting = 20_000;
/** Calls in one message. */
const maxBatch = 1024;

interface Waiting {
  readonly resolve: (target: string | null) => void;
  readonly reject: (error: Error) => void;
}

interface Asked {
  readonly waiting: readonly Waiting[];
  readonly deadline: number;
}

export class RemoteSessions implements SessionTable {
  readonly #options: RemoteSessionsOptions;
  readonly #budget: number;
  #finds: SessionCalls['finds'][number][] = [];
  #waiting: Waiting[] = [];
  #learns: SessionCalls['learns'][number][] = [];
  #forgets: SessionCalls['forgets'][number][] = [];
  /** By the message's number, the oldest first. */
  readonly #asked = new Map<number, Asked>();
  #unanswered = 0;
  #lastId = 0;
  #flushing: NodeJS.Immediate | null = null;
  #timer: NodeJS.Timeout | null = null;

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

  learn({ space, ttl }: SessionSpace, key: string, target: string): void {
    this.#learns.push({ space, key, ttl, target });
    this.#flushSoon(this.#learns.length);
  }

  forget({ space }: SessionSpace, key: string): void {
    this.#forgets.push({ space, key });
    this.#flushSoon(this.#forgets.length);
  }

  answered({ id, targets }: SessionAnswer): void {
    const asked = this.#asked.get(id);
    if (asked === undefined) return;
    this.#asked.delete(id);
    this.#unanswered -= asked.waiting.length;
    for (const [at, { resolve }] of asked.waiting.entries()) resolve(targets[at] ?? null);
  }

  close(): void {
    if (this.#flushing !== null) clearImmediate(this.#flushing);
    if (this.#timer !== null) clearTimeout(this.#timer);
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
    const learns = this.#learns;
    const forgets = this.#forgets;
    if (finds.length + learns.length + forgets.length === 0) return;
    this.#finds = [];
    this.#waiting = [];
    this.#learns = [];
    this.#forgets = [];
    const id = finds.length === 0 ? 0 : ++this.#lastId;
    const isSent = this.#options.send({ type: 'session-calls', id, finds, learns, forgets });
    if (finds.length === 0) return;
    if (!isSent) {
      this.#giveUp(waiting, 'the primary is gone');
      return;
    }
    this.#asked.set(id, { waiting, deadline: performance.now() + this.#budget });
    this.#timer ??= setTimeout(this.#expire, this.#budget);
  }

  readonly #expire = (): void => {
    this.#timer = null;
    const now = performance.now();
    for (const [id, { waiting, deadline }] of this.#asked) {
      if (deadline > now) {
        this.#timer = setTimeout(this.#expire, deadline - now);
        return;
      }
      this.#asked.delete(id);
      this.#giveUp(waiting, 'the primary gave no answer in time');
    }
  };

  #giveUp(waiting: readonly Waiting[], why: string): void {
    this.#unanswered -= waiting.length;
    const error = new StateUnreachable(why);
    for (const { reject } of waiting) reject(error);
  }
}
