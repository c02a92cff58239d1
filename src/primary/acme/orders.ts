// The orders of one resolver: each under a lease, its failure written down, its certificate kept.

import type { ResolverSettings } from '../../model/acme.ts';
import type { Log } from '../../observability/log.ts';
import { begunAttempt, nothingAgainst } from './attempts.ts';
import type { Board } from './board.ts';
import type { Books } from './books.ts';
import { type CaCalls, createCaCalls } from './ca-calls.ts';
import { namesShown } from './names.ts';
import type { OnceLog } from './once-log.ts';
import { type Obtained, runOrder } from './order.ts';
import { AcmeProblem, oneLineOf } from './problem.ts';
import { type AcmeStorage, type Attempt, FencedOff, type Lease } from './storage.ts';
import { backoff, type Times } from './times.ts';
import { createTurns } from './turns.ts';
import type { Want } from './wants.ts';

export interface OrdersOptions {
  readonly settings: ResolverSettings;
  readonly log: Log;
  readonly once: OnceLog;
  readonly board: Board;
  readonly books: Books;
  readonly now: () => number;
  readonly times: Times;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether there is still no certificate for it, or one that is to be renewed. */
  readonly isNeeded: (want: Want) => boolean;
  readonly onChange: () => void;
}

/** As many at once as `start` is called for: its caller bounds them. */
export class Orders {
  readonly #options: OrdersOptions;
  readonly #end = new AbortController();
  readonly #dnsTurn = createTurns();
  readonly #registered = new Set<string>();
  readonly #running = new Map<string, Promise<void>>();
  #calls: Promise<CaCalls> | null = null;

  constructor(options: OrdersOptions) {
    this.#options = options;
  }

  get isEnding(): boolean {
    return this.#end.signal.aborted;
  }

  /** `key` of a want. */
  isRunning(key: string): boolean {
    return this.#running.has(key);
  }

  /** Settles when the order has ended, whichever way. */
  start(want: Want): Promise<void> {
    const running = this.#order(want).finally(() => {
      this.#running.delete(want.key);
      this.#options.onChange();
    });
    this.#running.set(want.key, running);
    return running;
  }

  /** Settles when all have ended, which they do at once but for hooks that clean up. */
  async close(): Promise<void> {
    this.#end.abort(new AcmeProblem('the gateway ends'));
    await Promise.allSettled(this.#running.values());
    (await this.#calls?.catch(() => null))?.close();
  }

  get #name(): string {
    return this.#options.settings.name;
  }

  async #order(want: Want): Promise<void> {
    const { storage } = this.#options.books;
    if (storage === null) return;
    try {
      const done = await storage.withLease(want.key, (lease) => this.#orderAlone(want, storage, lease));
      if (done !== null) return;
      // Another node is at it: what it gets, or why it does not, is read from the storage.
      this.#postpone(want);
      await this.#options.books.reload();
    } catch (error) {
      if (error instanceof FencedOff) this.#postpone(want);
      // Not an order that failed, but a storage that does not answer: it is looked at again.
      else this.#options.books.fails(error);
    }
  }

  #postpone({ key }: Want): void {
    const { now, times, books } = this.#options;
    books.attempts.postpone(key, now() + times.lease);
  }

  async #orderAlone(want: Want, storage: AcmeStorage, lease: Lease): Promise<void> {
    const { now, times, log } = this.#options;
    // While this node waited for the lease another one may have got it.
    await this.#options.books.reload();
    const { attempts, holding, problem } = this.#options.books;
    if (problem !== null || !this.#options.isNeeded(want) || attempts.nextTry(want.key, now()) > now())
      return;
    const before = attempts.of(want.key);
    const failures = before.failures + 1;
    const renewed = holding.find(want.names)?.spec;
    const lifetime = renewed === undefined ? null : renewed.notAfter - renewed.notBefore;
    const nextTry = (retryAfter: number | null): number =>
      now() + backoff({ failures, retryAfter, lifetime }, times);
    const begun = begunAttempt(want.key, before, nextTry(null));
    await storage.saveAttempt(begun, lease);
    this.#note(begun);
    try {
      log.info({ resolver: this.#name, names: namesShown(want.names) }, 'a certificate is ordered');
      await this.#keep(want, await this.#run(want, storage, lease), lease);
      this.#note(null, want.key);
      await storage
        .saveAttempt(nothingAgainst(want.key), lease)
        .catch((error: unknown) => this.#options.books.cannotWrite(error));
    } catch (error) {
      if (this.#end.signal.aborted) {
        await storage.saveAttempt({ ...before, names: want.key }, lease).catch(() => undefined);
        return;
      }
      if (lease.signal.aborted || error instanceof FencedOff) {
        log.warn(
          { resolver: this.#name, names: namesShown(want.names) },
          'another node has taken an order over',
        );
        this.#note(null, want.key);
        this.#postpone(want);
        return;
      }
      const retryAfter = error instanceof AcmeProblem ? error.retryAfter : null;
      const failed = { names: want.key, failures, nextTry: nextTry(retryAfter), lastError: oneLineOf(error) };
      this.#logFailure(want, failed);
      this.#note(failed);
      await storage
        .saveAttempt(failed, lease)
        .catch((again: unknown) => this.#options.books.cannotWrite(again));
    }
  }

  #note(attempt: Attempt | null, key = ''): void {
    if (attempt === null) this.#options.books.attempts.forget(key);
    else this.#options.books.attempts.note(attempt);
    this.#options.books.changed();
  }

  async #run(want: Want, storage: AcmeStorage, lease: Lease): Promise<Obtained> {
    const { settings, board, times, env } = this.#options;
    const ms = orderTime(want, settings, times);
    const deadline = new AbortController();
    const late = new AcmeProblem(`the order was not done within ${Math.round(ms / 1000)} s`);
    const timer = setTimeout(() => deadline.abort(late), ms);
    try {
      return await runOrder({
        settings,
        storage,
        board,
        times,
        env,
        names: want.names,
        calls: await this.#openCalls(),
        registered: this.#registered,
        wait: Math.min(times.lease, 1000),
        dnsTurn: this.#dnsTurn,
        signal: AbortSignal.any([this.#end.signal, lease.signal, deadline.signal]),
      });
    } finally {
      clearTimeout(timer);
    }
  }

  async #openCalls(): Promise<CaCalls> {
    const opening = (this.#calls ??= createCaCalls(this.#options.settings));
    try {
      return await opening;
    } catch (error) {
      this.#calls = null;
      throw error;
    }
  }

  async #keep(want: Want, obtained: Obtained, lease: Lease): Promise<void> {
    const { log, now } = this.#options;
    await this.#options.books.keep(want.key, obtained, lease);
    const { notBefore, notAfter } = obtained.spec;
    const names = namesShown(want.names);
    log.info(
      { resolver: this.#name, names, expiry: new Date(notAfter).toISOString() },
      'a certificate was obtained',
    );
    this.#options.once.forget();
    if (notBefore > now()) log.warn({ names }, 'a certificate is not valid yet by the clock of this machine');
    // Only a wrong clock, or a life of seconds, does that: without a pause it would be ordered for ever.
    if (this.#options.isNeeded(want)) {
      throw new AcmeProblem('the new certificate is due for renewal already by the clock of this machine');
    }
  }

  #logFailure(want: Want, { lastError, failures, nextTry }: Attempt): void {
    const resolver = this.#name;
    const next = new Date(nextTry).toISOString();
    this.#options.log.error(
      { resolver, names: namesShown(want.names), failures, next, reason: lastError },
      'a certificate could not be obtained',
    );
  }
}

/** Milliseconds. Records are written one after the other, with a pause in between. */
function orderTime(
  { names }: Want,
  { dnsChallenge, httpChallenge, tlsChallenge }: ResolverSettings,
  times: Times,
): number {
  const delay = Math.max(httpChallenge?.delay ?? 0, tlsChallenge?.delay ?? 0);
  const perRecord = dnsChallenge === null ? 0 : 180_000 + dnsChallenge.delayBeforeChecks;
  return Math.min(times.order + delay + perRecord * names.length, 12 * 3_600_000);
}
