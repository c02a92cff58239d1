// What outlives a reload: pools, caches, positions. Each Runtime asks for what it needs by key, and what no
// Runtime asks for any more is closed.

import type { Closable } from '../middlewares/define.ts';

interface Kept {
  readonly thing: Closable;
  users: number;
}

/** Its size is bounded by the configuration: only builders ask, and every Runtime gives back what it took. */
export class KeepStore {
  readonly #kept = new Map<string, Kept>();

  /** A handle for one Runtime. */
  open(): KeepHandle {
    return new KeepHandle(this.#kept);
  }
}

export class KeepHandle {
  readonly #kept: Map<string, Kept>;
  readonly #mine = new Set<string>();

  constructor(kept: Map<string, Kept>) {
    this.#kept = kept;
  }

  get<T extends Closable>(key: string, create: () => T): T {
    let kept = this.#kept.get(key);
    if (kept === undefined) {
      kept = { thing: create(), users: 0 };
      this.#kept.set(key, kept);
    }
    if (!this.#mine.has(key)) {
      this.#mine.add(key);
      kept.users++;
    }
    return kept.thing as T;
  }

  /** Gives everything back. */
  close(): void {
    for (const key of this.#mine) {
      const kept = this.#kept.get(key);
      if (kept === undefined || --kept.users > 0) continue;
      this.#kept.delete(key);
      kept.thing.close();
    }
    this.#mine.clear();
  }
}
