// One resolver: what is wanted of it, what it holds, and which orders are due.

import type { CertificateRequest, CertificateStatus, ResolverSettings } from '../../model/acme.ts';
import type { Log } from '../../observability/log.ts';
import type { Board } from './board.ts';
import { Books } from './books.ts';
import { statusOf, statusOfUnwanted } from './certificate-status.ts';
import type { Held } from './held.ts';
import { namesShown } from './names.ts';
import { createOnceLog, type OnceLog } from './once-log.ts';
import { Orders } from './orders.ts';
import type { AcmeStorage } from './storage.ts';
import type { Times } from './times.ts';
import { coveredByOthers, type Want, wantsOf } from './wants.ts';

export interface ResolverOptions {
  readonly settings: ResolverSettings;
  readonly openStorage: (settings: ResolverSettings) => Promise<AcmeStorage>;
  readonly log: Log;
  readonly board: Board;
  readonly isCovered: (names: readonly string[]) => boolean;
  readonly now: () => number;
  readonly times: Times;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Certificates are others than before, or an order may be due. */
  readonly onChange: () => void;
}

/** Orders nothing by itself: `due` says what is to be ordered, and `order` does it. */
export class Resolver {
  readonly #options: ResolverOptions;
  readonly #books: Books;
  readonly #once: OnceLog;
  readonly #orders: Orders;
  #wants: readonly Want[] = [];

  constructor(options: ResolverOptions) {
    const { settings, log, board, onChange } = options;
    this.#options = options;
    this.#once = createOnceLog(log);
    const openStorage = (): Promise<AcmeStorage> => options.openStorage(settings);
    this.#books = new Books({ openStorage, board, log: this.#once, onChange });
    this.#orders = new Orders({
      ...options,
      books: this.#books,
      once: this.#once,
      isNeeded: (want) => this.#isNeeded(want, options.now()),
    });
  }

  get name(): string {
    return this.#options.settings.name;
  }

  get storage(): AcmeStorage | null {
    return this.#books.storage;
  }

  /** All it holds that is of use: what has run out only where nothing else is there. */
  certificates(): readonly Held[] {
    const now = this.#options.now();
    const { all } = this.#books.holding;
    if (all.every(({ spec }) => spec.notAfter > now)) return all;
    const wanted = this.#wantedOnes();
    return all.filter((held) => held.spec.notAfter > now || wanted.has(held));
  }

  want(requests: readonly CertificateRequest[]): void {
    this.#wants = wantsOf(requests, this.#options.settings.dnsChallenge !== null);
    for (const { names, refusal } of this.#wants) {
      if (refusal === null) continue;
      const fields = { resolver: this.name, names: namesShown(names), reason: refusal };
      this.#once.error(fields, 'no certificate is ordered');
    }
  }

  /** Never rejects. */
  look(): Promise<void> {
    return this.#books.look();
  }

  /** Those to be ordered now, in order. */
  due(): readonly Want[] {
    const { storage, problem, attempts } = this.#books;
    if (storage === null || problem !== null || this.#orders.isEnding) return [];
    const now = this.#options.now();
    const needed = this.#wants.filter((want) => this.#isNeeded(want, now));
    // What a larger one will cover waits for it, as long as that one has not failed.
    const waiting = coveredByOthers(needed.filter(({ key }) => attempts.isHopeful(key)));
    return needed.filter(
      (want) =>
        !waiting.has(want) && !this.#orders.isRunning(want.key) && attempts.nextTry(want.key, now) <= now,
    );
  }

  /** Milliseconds since 1970 when the next look is worth it; Infinity: nothing is known to come. */
  nextDue(): number {
    const { problem, attempts, holding } = this.#books;
    if (problem !== null) return Infinity;
    const now = this.#options.now();
    let next = Infinity;
    for (const { key, names, refusal } of this.#wants) {
      if (refusal !== null || this.#orders.isRunning(key) || this.#options.isCovered(names)) continue;
      next = Math.min(next, Math.max(holding.find(names)?.renewAt ?? 0, attempts.nextTry(key, now)));
    }
    return next;
  }

  /** Settles when the order has ended, whichever way. */
  order(want: Want): Promise<void> {
    return this.#orders.start(want);
  }

  status(): CertificateStatus[] {
    const now = this.#options.now();
    const wanted = this.#wantedOnes();
    const others = this.#books.holding.all.filter((held) => !wanted.has(held));
    return [
      ...this.#wants.flatMap((want) => this.#statusOf(want, now)),
      ...others.map((held) => statusOfUnwanted(this.name, held, now)),
    ];
  }

  /** Ends running orders and closes the storage, in about `times.close`. */
  async close(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const ms = this.#options.times.close + 500;
    const limit = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
    await Promise.race([this.#orders.close(), limit]);
    await Promise.race([this.#books.close(), limit]);
    clearTimeout(timer);
  }

  #wantedOnes(): Set<Held | null> {
    return new Set(this.#wants.map(({ names }) => this.#books.holding.find(names)));
  }

  #isNeeded({ names, refusal }: Want, now: number): boolean {
    if (refusal !== null || this.#options.isCovered(names)) return false;
    const held = this.#books.holding.find(names);
    return held === null || held.renewAt <= now;
  }

  #statusOf({ key, names, refusal }: Want, now: number): CertificateStatus[] {
    const { attempts, holding, problem } = this.#books;
    const held = holding.find(names);
    if (held === null && this.#options.isCovered(names)) return [];
    const { failures } = attempts.of(key);
    const unsaved = this.#books.isUnsaved(key) ? 'obtained, but the storage cannot be written' : null;
    return [
      statusOf({
        resolver: this.name,
        names,
        held,
        refusal,
        failures,
        now,
        isOrdering: this.#orders.isRunning(key),
        problem: problem ?? unsaved ?? attempts.lastError(key),
        nextTry: attempts.nextTry(key, now),
      }),
    ];
  }
}
