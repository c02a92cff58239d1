// Auth decisions that nodes share, in Redis: sealed, under digested names, and checked against the purges since.

import type { PurgeSelector } from '../../model/ipc.ts';
import type { SharedDecision, SharedDecisions, SharedLook } from '../decisions.ts';
import { openSelector } from '../purge-text.ts';
import type { Sealing } from '../sealing.ts';
import { redisBudget } from '../state.ts';
import type { RedisConnection } from './connect.ts';
import { findDecision, putDecision, raiseEpoch } from './decision-scripts.ts';

/** Decisions in Redis, over all middlewares and nodes. */
const maxDecisions = 50_000;
/** Characters of a sealed one; with it they take 400 MB at most. */
const maxSealed = 8192;

export interface RedisDecisionsOptions {
  /** Milliseconds one look may take; 50 unless given. */
  readonly timeout?: number;
  readonly maxDecisions?: number;
}

const nothing: SharedLook = { epoch: null, decision: null };

/** Where Redis keeps what purges need to know. */
export function purgeKeys(keyPrefix: string): { readonly epoch: string; readonly purges: string } {
  return { epoch: `${keyPrefix}:{auth}:epoch`, purges: `${keyPrefix}:{auth}:purges` };
}

/** `connection` is not closed with it. */
export class RedisDecisions implements SharedDecisions {
  readonly secret: string;
  readonly #connection: RedisConnection;
  readonly #sealing: Sealing;
  readonly #timeout: number;
  readonly #max: number;
  readonly #keys: readonly [texts: string, ends: string];
  readonly #allKeys: readonly string[];
  readonly #epochKey: string;
  /** The most purges that were ever counted: a count below it was set back, or lost with a server that failed. */
  #highest = 0;

  constructor(connection: RedisConnection, sealing: Sealing, options: RedisDecisionsOptions = {}) {
    this.secret = sealing.digestSecret;
    this.#connection = connection;
    this.#sealing = sealing;
    this.#timeout = options.timeout ?? redisBudget;
    this.#max = options.maxDecisions ?? maxDecisions;
    const { keyPrefix } = connection;
    this.#keys = [`${keyPrefix}:{auth}:texts`, `${keyPrefix}:{auth}:ends`];
    const { epoch, purges } = purgeKeys(keyPrefix);
    this.#allKeys = [...this.#keys, epoch, purges];
    this.#epochKey = epoch;
  }

  async find(key: string): Promise<SharedLook> {
    const name = this.#sealing.nameOf(key);
    try {
      const answer = await this.#connection.run(findDecision, this.#allKeys, [name], this.#timeout);
      return Array.isArray(answer) ? this.#read(name, answer) : nothing;
    } catch {
      return nothing;
    }
  }

  put(key: string, epoch: number, { text, life }: { readonly text: string; readonly life: number }): void {
    const ms = Math.floor(life);
    if (ms < 1) return;
    const name = this.#sealing.nameOf(key);
    const sealed = this.#sealing.seal(text, placeOf(name, epoch));
    if (sealed.length > maxSealed) return;
    const args = [name, ms, `${epoch} ${sealed}`, this.#max];
    this.#connection.run(putDecision, this.#keys, args, this.#timeout).catch(() => {});
  }

  #read(name: string, answer: readonly unknown[]): SharedLook {
    const [first, stored, left, ...purges] = answer.map(String);
    const epoch = Number(first);
    if (!Number.isSafeInteger(epoch) || epoch < 1) return nothing;
    if (epoch < this.#highest) return this.#raise();
    this.#highest = epoch;
    const space = stored?.indexOf(' ') ?? -1;
    if (stored === undefined || space === -1) return { epoch, decision: null };
    const own = Number(stored.slice(0, space));
    const life = Number(left);
    // One of the future: the count of purges was lost, and with it what was purged.
    if (!Number.isSafeInteger(own) || own > epoch || !Number.isFinite(life)) return { epoch, decision: null };
    const text = this.#sealing.open(stored.slice(space + 1), placeOf(name, own));
    if (text === null) return { epoch, decision: null };
    const decision: SharedDecision = { text, life, purges: this.#purgesOf(purges, epoch - own) };
    return { epoch, decision };
  }

  /** What was purged meanwhile is lost: once the count is right again, nothing older than that is taken. */
  #raise(): SharedLook {
    const args = [this.#highest];
    this.#connection.run(raiseEpoch, [this.#epochKey], args, this.#timeout).catch(() => {});
    return nothing;
  }

  /** Null unless each of the `count` purges is there and can be read. */
  #purgesOf(noted: readonly string[], count: number): readonly PurgeSelector[] | null {
    if (noted.length !== count) return null;
    const selectors: PurgeSelector[] = [];
    for (const one of noted) {
      const selector = openSelector(one.slice(one.indexOf(' ') + 1), this.#sealing);
      if (selector === null) return null;
      selectors.push(selector);
    }
    return selectors;
  }
}

function placeOf(name: string, epoch: number): string {
  return `${name} ${epoch}`;
}
