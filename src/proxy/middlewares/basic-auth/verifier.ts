// Checks passwords against hashes on one thread beside the worker's: bcrypt at cost 10 takes about 75 ms, and its
// asynchronous form still blocks whoever runs it for up to 100 ms at a stretch.

import { Worker } from 'node:worker_threads';
import type { Job, JobResult } from './thread.ts';

/** Checks that wait or run, in one worker: about five seconds of work. Beyond it nobody new is let in. */
export const maxJobs = 64;

interface Pending {
  readonly resolve: (isRight: boolean) => void;
  readonly reject: (error: Error) => void;
}

class Verifier {
  #thread: Worker | null = null;
  /** At most `maxJobs`; the thread takes them one by one, in order. */
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;

  /** `password` has one char a byte. Null when there is too much to do; rejects when the thread ends. */
  verify(password: string, hash: string): Promise<boolean> | null {
    if (this.#pending.size >= maxJobs) return null;
    this.#lastId += 1;
    const job: Job = { id: this.#lastId, password, hash };
    return new Promise((resolve, reject) => {
      this.#pending.set(job.id, { resolve, reject });
      try {
        const thread = this.#running();
        // Only who waits for it keeps the process alive for it.
        thread.ref();
        thread.postMessage(job);
      } catch (error) {
        this.#pending.delete(job.id);
        reject(error as Error);
      }
    });
  }

  #running(): Worker {
    if (this.#thread !== null) return this.#thread;
    const thread = new Worker(new URL('./thread.ts', import.meta.url), { env: {} });
    thread.on('message', ({ id, isRight }: JobResult) => {
      const pending = this.#pending.get(id);
      this.#pending.delete(id);
      if (this.#pending.size === 0) thread.unref();
      pending?.resolve(isRight);
    });
    thread.on('error', (error: Error) => this.#lost(thread, error));
    thread.on('exit', () => this.#lost(thread, new Error('the thread ended')));
    this.#thread = thread;
    return thread;
  }

  /** All that waited is refused; the next one gets a new thread. */
  #lost(thread: Worker, error: Error): void {
    // One that failed also exits; by then another may run.
    if (this.#thread !== thread) return;
    this.#thread = null;
    const waiting = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of waiting) reject(error);
  }
}

/** One for the process: its thread, and what it takes of the CPU, are shared by all middlewares. */
export const verifier: Pick<Verifier, 'verify'> = new Verifier();
