// Which server holds which session: a cache in each worker over a table that workers, or nodes, share.

import type { SessionName } from '../model/ipc.ts';
import { Recency, type Linked } from './recency.ts';

/** The sessions of one service. */
export interface SessionSpace {
  /** 16 hexadecimal digits that name the service and the header. */
  readonly space: string;
  /** Milliseconds a session may be unused. */
  readonly ttl: number;
}

/**
 * What is shared. Keys are digests of 32 characters, in which the space is: no two spaces have the same. Targets are
 * URLs, or names of services.
 */
export interface SessionTable {
  /** Counts as a use. Rejects when the table cannot be asked within its budget. */
  find(space: SessionSpace, key: string): Promise<string | null>;
  /**
   * Resolves once everyone who asks is told of it. Never rejects: what cannot be told within the budget is lost, or
   * known later.
   */
  learn(space: SessionSpace, key: string, target: string): Promise<void>;
  forget(space: SessionSpace, key: string): void;
  close(): void;
}

/** Sessions one worker remembers by itself, over all services; the one unused for longest goes first. */
export const maxCachedSessions = 65_536;
/** Bytes they take, as near as `entryBytes` tells. */
export const maxCachedBytes: number = 24 * 1024 * 1024;
/** Bytes of an entry beside its target: key, object and place in the Map. */
const entryBytes = 260;
/**
 * Milliseconds for which a worker trusts its own word: moves are announced to all, but a worker that an announcement
 * has not reached follows a session to its old place for no longer.
 */
export const trustFor = 10_000;
/** Longer targets are not kept. */
const maxTarget = 2048;

interface Entry extends Linked<Entry> {
  readonly key: string;
  target: string;
  /** When the table and this entry last agreed, or the table was told. */
  confirmedAt: number;
  usedAt: number;
}

/** Questions to the table about one session that are as good as each other. */
interface Look {
  asking: number;
}

export interface SessionsOptions {
  /** Null: there is nobody to share with. */
  readonly table: SessionTable | null;
  /** Milliseconds, of a clock that never goes back; `performance.now` unless given. */
  readonly now?: () => number;
  readonly maxEntries?: number;
}

/** At most 65,536 sessions and 24 MiB of them in this worker; the table has bounds of its own. */
export class Sessions {
  readonly #table: SessionTable | null;
  readonly #now: () => number;
  readonly #maxEntries: number;
  readonly #entries = new Map<string, Entry>();
  readonly #recency = new Recency<Entry>();
  /** By key; as many as the table takes questions. Whatever is heard of a session ends its own. */
  readonly #looks = new Map<string, Look>();
  #bytes = 0;

  constructor({ table, now, maxEntries }: SessionsOptions) {
    this.#table = table;
    this.#now = now ?? (() => performance.now());
    this.#maxEntries = maxEntries ?? maxCachedSessions;
  }

  get size(): number {
    return this.#entries.size;
  }

  /**
   * Where the session is: at once when this worker knows, else as the table says. Null: nobody knows it.
   * Rejects when the table cannot be asked and nothing is known here.
   */
  find(space: SessionSpace, key: string): string | null | Promise<string | null> {
    const now = this.#now();
    const entry = this.#living(space, key, now);
    if (entry !== null && (this.#table === null || now - entry.confirmedAt < trust(space))) {
      entry.usedAt = now;
      this.#recency.renew(entry);
      return entry.target;
    }
    return this.#table === null ? null : this.confirm(space, key);
  }

  /** As `find`, but the table is asked in any case: it may have moved. */
  async confirm(space: SessionSpace, key: string): Promise<string | null> {
    const table = this.#table;
    const known = this.#living(space, key, this.#now());
    if (table === null) return known?.target ?? null;
    const before = known?.target ?? null;
    const look = this.#beginLook(key);
    let isNewest = false;
    let target: string | null;
    try {
      target = await table.find(space, key);
    } catch (error) {
      // Its own word, out of date or not, is better than none.
      if (before !== null) return before;
      throw error;
    } finally {
      isNewest = this.#endLook(key, look);
    }
    const now = this.#entries.get(key)?.target ?? null;
    // It was learned, moved or ended while the answer was on its way.
    if (!isNewest) return now ?? target;
    if (target !== null) this.#put(key, target);
    // The table has lost what this worker has seen in use: it was emptied, or had no room.
    else if (before !== null && now !== null) void this.learn(space, key, before);
    else return null;
    return target ?? before;
  }

  /** Resolves once other workers find it, or the table's budget is spent. Null: there is nobody to wait for. */
  learn(space: SessionSpace, key: string, target: string): Promise<void> | null {
    if (target.length > maxTarget) return null;
    this.#looks.delete(key);
    this.#put(key, target);
    return this.#table?.learn(space, key, target) ?? null;
  }

  forget(space: SessionSpace, key: string): void {
    this.drop({ space: space.space, key });
    this.#table?.forget(space, key);
  }

  /** Somebody else has moved or ended it: the table knows. */
  drop({ key }: SessionName): void {
    this.#looks.delete(key);
    const entry = this.#entries.get(key);
    if (entry !== undefined) this.#remove(entry);
  }

  close(): void {
    this.#table?.close();
  }

  #beginLook(key: string): Look {
    const look = this.#looks.get(key) ?? { asking: 0 };
    look.asking += 1;
    this.#looks.set(key, look);
    return look;
  }

  /** Whether nothing was heard of the session since `look` began. */
  #endLook(key: string, look: Look): boolean {
    look.asking -= 1;
    if (this.#looks.get(key) !== look) return false;
    if (look.asking === 0) this.#looks.delete(key);
    return true;
  }

  #living(space: SessionSpace, key: string, now: number): Entry | null {
    const entry = this.#entries.get(key);
    if (entry === undefined) return null;
    if (now - entry.usedAt <= space.ttl) return entry;
    this.#remove(entry);
    return null;
  }

  #put(key: string, target: string): void {
    const now = this.#now();
    const known = this.#entries.get(key);
    if (known !== undefined) {
      this.#bytes += target.length - known.target.length;
      known.target = target;
      known.confirmedAt = now;
      known.usedAt = now;
      this.#recency.renew(known);
      return;
    }
    const entry: Entry = { key, target, confirmedAt: now, usedAt: now, older: null, newer: null };
    this.#entries.set(key, entry);
    this.#recency.add(entry);
    this.#bytes += entryBytes + target.length;
    while (this.#entries.size > this.#maxEntries || this.#bytes > maxCachedBytes)
      this.#remove(this.#recency.oldest as Entry);
  }

  #remove(entry: Entry): void {
    this.#entries.delete(entry.key);
    this.#recency.remove(entry);
    this.#bytes -= entryBytes + entry.target.length;
  }
}

/** A session is confirmed four times in its life at least, so that the table sees it used. */
function trust({ ttl }: SessionSpace): number {
  return Math.min(trustFor, ttl / 4);
}
