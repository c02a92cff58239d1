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
  /** Keys asked for by the build that runs; null outside of `record`. */
  #recorded: string[] | null = null;

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
    this.#recorded?.push(key);
    return kept.thing as T;
  }

  /** Runs `build`, and says which keys it asked for. */
  record<T>(build: () => T): { readonly made: T; readonly keys: readonly string[] } {
    const outer = this.#recorded;
    const keys: string[] = [];
    this.#recorded = keys;
    try {
      const made = build();
      return { made, keys: keys.length === 0 ? none : keys };
    } finally {
      this.#recorded = outer;
      outer?.push(...keys);
    }
  }

  /** Uses what another living handle uses, as if it had been asked for. */
  adopt(keys: readonly string[]): void {
    for (const key of keys) {
      const kept = this.#kept.get(key);
      if (kept === undefined) throw new Error('what is taken over from a Runtime is closed already');
      this.#recorded?.push(key);
      if (this.#mine.has(key)) continue;
      this.#mine.add(key);
      kept.users++;
    }
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

const none: readonly string[] = [];
