// A resolver's state as its storage has it, and what could not be stored yet.

import type { CertificateSpec } from '../../model/tls.ts';
import { Attempts } from './attempts.ts';
import type { Board } from './board.ts';
import { createHolding, type Holding, holdingOf, withHeld } from './held.ts';
import type { OnceLog } from './once-log.ts';
import type { Obtained } from './order.ts';
import { oneLineOf } from './problem.ts';
import { type AcmeStorage, FencedOff, type Lease } from './storage.ts';

export interface BooksOptions {
  readonly openStorage: () => Promise<AcmeStorage>;
  readonly board: Board;
  readonly log: OnceLog;
  readonly onChange: () => void;
}

/** Storage and memory of one resolver: what is held here counts, stored or not. */
export class Books {
  readonly attempts = new Attempts();
  readonly #options: BooksOptions;
  #storage: AcmeStorage | null = null;
  #opening: Promise<void> | null = null;
  #problem: string | null = 'the storage has not been read yet';
  #holding: Holding = createHolding([]);
  /** Obtained, but not stored yet, by the names of the want. */
  readonly #unsaved = new Map<string, Obtained>();
  /** Counts what this process has changed itself: what was read before that is old. */
  #changes = 0;
  #closed = false;

  constructor(options: BooksOptions) {
    this.#options = options;
  }

  get storage(): AcmeStorage | null {
    return this.#storage;
  }

  /** Why the storage cannot be used now; null: it can. */
  get problem(): string | null {
    return this.#problem;
  }

  get holding(): Holding {
    return this.#holding;
  }

  isUnsaved(key: string): boolean {
    return this.#unsaved.has(key);
  }

  /** Opens the storage unless it is open, and stores what could not be stored. Never rejects. */
  async look(): Promise<void> {
    if (this.#storage === null) {
      this.#opening ??= this.#open().finally(() => (this.#opening = null));
      await this.#opening;
    } else if (this.#problem !== null) await this.reload();
    for (const [key, obtained] of this.#unsaved) await this.#saveAgain(key, obtained);
  }

  /** What the storage says now. Never rejects. */
  async reload(): Promise<void> {
    const storage = this.#storage;
    if (storage === null || this.#closed) return;
    try {
      let changes: number;
      let state: Awaited<ReturnType<AcmeStorage['load']>>;
      do {
        changes = this.#changes;
        state = await storage.load();
      } while (changes !== this.#changes);
      const { problems, ...holding } = holdingOf(state.certificates);
      for (const problem of problems) this.#options.log.error({}, problem);
      this.#holding = [...this.#unsaved.values()].reduce(
        (all, { spec }) => withHeld(all, spec),
        holding as Holding,
      );
      this.attempts.set(state.attempts);
      this.#problem = null;
      await this.#options.board.setOffered(storage, await storage.offered());
    } catch (error) {
      this.fails(error);
    }
    this.#options.onChange();
  }

  fails(error: unknown): void {
    if (this.#closed) return;
    this.#problem = oneLineOf(error);
    this.#options.log.error(
      { reason: this.#problem },
      'the storage of a certificates resolver cannot be used',
    );
  }

  /** It is held from now on, stored or not: ordering it anew would cost the authority's patience. Rejects with `FencedOff` alone. */
  async keep(key: string, obtained: Obtained, lease: Lease): Promise<void> {
    try {
      if (lease.signal.aborted) throw new FencedOff('the lease is over');
      await this.#storage?.saveCertificate(obtained.stored, lease);
      this.#unsaved.delete(key);
    } catch (error) {
      if (error instanceof FencedOff) throw error;
      this.#unsaved.set(key, obtained);
      this.cannotWrite(error);
    }
    this.#hold(obtained.spec);
  }

  /** Something of `attempts` is newer than what the storage may just be telling. */
  changed(): void {
    this.#changes += 1;
  }

  cannotWrite(error: unknown): void {
    this.#options.log.error(
      { reason: oneLineOf(error) },
      'the storage of a certificates resolver cannot be written',
    );
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#storage?.close().catch(() => undefined);
  }

  #hold(spec: CertificateSpec): void {
    this.#changes += 1;
    this.#holding = withHeld(this.#holding, spec);
    this.#options.onChange();
  }

  async #open(): Promise<void> {
    try {
      const storage = await this.#options.openStorage();
      if (this.#closed) return await storage.close();
      this.#storage = storage;
      storage.onChange(() => void this.reload());
      await this.reload();
    } catch (error) {
      this.fails(error);
    }
  }

  async #saveAgain(key: string, { stored }: Obtained): Promise<void> {
    const storage = this.#storage;
    if (storage === null) return;
    try {
      const saved = await storage.withLease(key, async (lease) => {
        await storage.saveCertificate(stored, lease);
        return true;
      });
      if (saved === true) this.#unsaved.delete(key);
    } catch (error) {
      if (error instanceof FencedOff) this.#unsaved.delete(key);
      else this.cannotWrite(error);
    }
  }
}
