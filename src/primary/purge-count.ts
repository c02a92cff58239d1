// Keeps track of which purges a node has heard of, and notices when it has missed one.

/** Milliseconds for a message that is on its way while later ones are here already. */
const patience = 500;
/** Later ones that are remembered meanwhile. */
const maxAhead = 1024;

export class PurgeCount {
  /** All up to this one were heard of; null: unknown. */
  #last: number | null = null;
  readonly #ahead = new Set<number>();
  readonly #missed: () => void;
  #timer: NodeJS.Timeout | null = null;

  /** `missed`: at least one purge was not heard of. Nothing is known from there on, until `startAt`. */
  constructor(missed: () => void) {
    this.#missed = missed;
  }

  /** Whether everything up to `epoch` was heard of. Counts from there in any case; null: from nowhere. */
  startAt(epoch: number | null): boolean {
    const isSame = epoch !== null && epoch === this.#last && this.#ahead.size === 0;
    this.#last = epoch;
    for (const one of this.#ahead) if (epoch === null || one <= epoch) this.#ahead.delete(one);
    this.#advance();
    return isSame;
  }

  heard(epoch: number): void {
    // Unknown stays unknown: one purge does not tell what was missed before it.
    if (this.#last === null || epoch <= this.#last) return;
    this.#ahead.add(epoch);
    this.#advance();
    if (this.#ahead.size >= maxAhead) this.#giveUp();
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #advance(): void {
    if (this.#last === null) this.#ahead.clear();
    else while (this.#ahead.delete(this.#last + 1)) this.#last += 1;
    if (this.#ahead.size === 0) this.close();
    else this.#timer ??= setTimeout(() => this.#giveUp(), patience);
  }

  #giveUp(): void {
    this.close();
    // Not from the highest: a message may say any number.
    this.#last = null;
    this.#ahead.clear();
    this.#missed();
  }
}
