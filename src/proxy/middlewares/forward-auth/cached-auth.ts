// The way of a request through the cache: hit, wait for another's answer, ask, or fall back on an old decision.

import { LRUCache } from 'lru-cache';
import { GatewayError } from '../../errors.ts';
import type { Exchange } from '../../exchange.ts';
import { type Asker, isFailure, type Keeping, type Outcome, type QuestionText } from './asker.ts';
import type { CacheEntry } from './cache.ts';
import { type Flight, Flights, type Question } from './flight.ts';
import { askThrough } from './shared-level.ts';
import { waitFor } from './waiting.ts';

/** Keys whose last answer was for one request only: waiting for the next one together would be in vain. */
const maxOneShotKeys = 1_000;
/** Milliseconds such a key is remembered. */
const oneShotLife = 5_000;
/** Milliseconds by which a shared decision must outlive the own one to stand for an answer. */
const minGain = 100;

export class CachedAuth {
  readonly #asker: Asker;
  readonly #keeping: Keeping;
  readonly #timeout: number;
  readonly #flights = new Flights<Outcome>();
  readonly #oneShot = new LRUCache<string, true>({ max: maxOneShotKeys, ttl: oneShotLife });

  constructor(asker: Asker, keeping: Keeping, timeout: number) {
    this.#asker = asker;
    this.#keeping = keeping;
    this.#timeout = timeout;
  }

  /** The kept decision that is in its life, if there is one. */
  find(key: string, now: number): CacheEntry | null {
    const { cache } = this.#keeping;
    const entry = cache.get(key, now);
    if (entry === null) {
      cache.stats.misses++;
      return null;
    }
    cache.stats.hits++;
    if (!entry.decision.allow) cache.stats.negative++;
    return entry;
  }

  /** Asks again for a decision that is about to end, while it goes on serving. */
  refresh(key: string, entry: CacheEntry, text: QuestionText): void {
    entry.refreshAt = Number.POSITIVE_INFINITY;
    // Another node may have asked again already; what has no more life than ours is no news.
    const left = entry.freshUntil - performance.now();
    const { flight } = this.#flights.join(key, () => this.#question(key, text, left + minGain));
    flight.background = true;
    void flight.answer.then((outcome) => {
      const now = performance.now();
      // Once more in what is left of its life, then after half of that again.
      if (isFailure(outcome)) entry.refreshAt = now + Math.max(100, (entry.freshUntil - now) / 2);
    });
  }

  /** A decision for a request that found none. The outcome is never shared against the auth server's will. */
  async ask(x: Exchange, key: string, text: QuestionText): Promise<Outcome> {
    const deadline = performance.now() + this.#timeout;
    const outcome = this.#oneShot.has(key)
      ? await this.#alone(x, key, text, deadline)
      : await this.#together(x, key, text, deadline);
    if (!isFailure(outcome) || outcome.error?.code === 'client.gone') return outcome;
    const { cache } = this.#keeping;
    const old = cache.getStale(key, performance.now());
    if (old === null) return outcome;
    cache.stats.stale++;
    return { decision: old.decision, error: null, shareable: false };
  }

  async #together(x: Exchange, key: string, text: QuestionText, deadline: number): Promise<Outcome> {
    const { cache } = this.#keeping;
    // Two rounds: one that waited for an answer begun before it came need not take a "no" or a failure.
    for (let round = 1; ; round++) {
      const { flight, led } = this.#flights.join(key, () => this.#question(key, text, 0));
      if (!led) cache.stats.coalesced++;
      const outcome = await this.#wait(x, flight, deadline);
      if (led) this.#learn(key, outcome);
      if (led || isOver(outcome)) return outcome;
      if (outcome.decision?.allow === true && outcome.shareable) return outcome;
      if (isOneShot(outcome)) return this.#alone(x, key, text, deadline);
      if (round === 2 || performance.now() >= deadline) return outcome;
      const kept = cache.get(key, performance.now());
      if (kept?.decision.allow === true) return { decision: kept.decision, error: null, shareable: true };
    }
  }

  async #alone(x: Exchange, key: string, text: QuestionText, deadline: number): Promise<Outcome> {
    const question = this.#question(key, text, 0);
    const outcome = toOutcome(await waitFor(x, question.answer, deadline, (why) => question.cancel(why)));
    this.#learn(key, outcome);
    return outcome;
  }

  #question(key: string, text: QuestionText, minLife: number): Question<Outcome> {
    const { shared } = this.#keeping;
    if (shared === null) return this.#asker.askAndKeep(text, key, this.#keeping);
    return askThrough(shared, { asker: this.#asker, text, key, minLife }, this.#keeping);
  }

  async #wait(x: Exchange, flight: Flight<Outcome>, deadline: number): Promise<Outcome> {
    flight.board();
    return toOutcome(await waitFor(x, flight.answer, deadline, (why) => flight.leave(why)));
  }

  #learn(key: string, outcome: Outcome): void {
    if (isOneShot(outcome)) this.#oneShot.set(key, true);
    else if (outcome.shareable) this.#oneShot.delete(key);
  }
}

/** The request itself ended the wait. */
function isOver(outcome: Outcome): boolean {
  return outcome.error?.code === 'client.gone' && !outcome.shareable;
}

/** Neither a failure nor for others. */
function isOneShot(outcome: Outcome): boolean {
  return outcome.decision !== null && !outcome.shareable && !isFailure(outcome);
}

function toOutcome(result: Outcome | GatewayError): Outcome {
  if (!(result instanceof GatewayError)) return result;
  return { decision: null, error: result, shareable: false };
}
