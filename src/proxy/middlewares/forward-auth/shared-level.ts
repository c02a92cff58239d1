// The second level of the cache, which nodes share: asked before the auth server, told what it allowed.

import { GatewayError } from '../../errors.ts';
import type { SharedDecision, SharedDecisions } from '../../../state/decisions.ts';
import { type Asker, isFailure, type Keeping, type Outcome, type QuestionText } from './asker.ts';
import type { Allow } from './auth-answer.ts';
import type { Question } from './flight.ts';
import type { Life } from './lifetime.ts';
import { hasTag, type Tagger, type Tags } from './tags.ts';

export interface Found {
  readonly decision: Allow;
  readonly life: Life;
  readonly tags: Tags;
}

interface Look {
  /** What the answer to a question asked now is shared with; null: it is not shared. */
  readonly epoch: number | null;
  readonly found: Found | null;
}

/** What stands in the store, sealed. */
interface Stored {
  readonly decision: Allow;
  /** One byte a char. */
  readonly tags: Tags;
  /** Milliseconds it may serve beyond its life while the auth server fails. */
  readonly more: number;
  readonly endsWithToken: boolean;
  /** By the clock of who stored it, milliseconds since 1970: whoever writes to the store cannot make it live longer. */
  readonly until: number;
}

export class SharedLevel {
  readonly #decisions: SharedDecisions;
  readonly #tagger: Tagger;

  constructor(decisions: SharedDecisions, tagger: Tagger) {
    this.#decisions = decisions;
    this.#tagger = tagger;
  }

  /** Never rejects. */
  async find(key: string): Promise<Look> {
    const { epoch, decision } = await this.#decisions.find(key);
    return { epoch, found: decision === null ? null : this.#read(decision) };
  }

  put(key: string, epoch: number, { decision, life, tags }: Found): void {
    const stored: Stored = {
      decision,
      tags,
      more: life.stale - life.fresh,
      endsWithToken: life.endsWithToken,
      until: Date.now() + life.fresh,
    };
    this.#decisions.put(key, epoch, { text: JSON.stringify(stored), life: life.fresh });
  }

  /** Puts in its place what is no decision, and ends at once. */
  forget(key: string, epoch: number): void {
    this.#decisions.put(key, epoch, { text: 'null', life: 1 });
  }

  #read({ text, life, purges }: SharedDecision): Found | null {
    if (purges === null) return null;
    const stored = readStored(text);
    if (stored === null) return null;
    const { decision, tags, more, endsWithToken, until } = stored;
    for (const selector of purges) {
      const tag = this.#tagger.ofSelector(selector);
      if (tag === null || hasTag(tags, tag)) return null;
    }
    const fresh = Math.min(life, until - Date.now());
    if (!(fresh > 0)) return null;
    return { decision, tags, life: { fresh, stale: fresh + more, endsWithToken, shareable: true } };
  }
}

/** It was sealed by one of us; only another release may have put other things in. Null: it has. */
function readStored(text: string): Stored | null {
  let read: Partial<Stored> | null;
  try {
    read = JSON.parse(text) as Partial<Stored> | null;
  } catch {
    return null;
  }
  const { decision, tags, more, until } = read ?? {};
  if (decision?.allow !== true || typeof tags !== 'string') return null;
  const { identity, client, cookies, username } = decision;
  if (!isTexts(identity) || !isTexts(client) || !isTexts(cookies)) return null;
  if (username !== null && typeof username !== 'string') return null;
  if (typeof more !== 'number' || more < 0 || typeof until !== 'number') return null;
  return { decision, tags, more, endsWithToken: read?.endsWithToken === true, until };
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}

export interface SharedQuestion {
  readonly asker: Asker;
  readonly text: QuestionText;
  readonly key: string;
  /** Milliseconds a shared decision must have left to be taken. */
  readonly minLife: number;
}

/** Looks into the second level, then asks the auth server. */
export function askThrough(
  level: SharedLevel,
  question: SharedQuestion,
  keeping: Keeping,
): Question<Outcome> {
  const { asker, text, key, minLife } = question;
  const { cache } = keeping;
  let inner: Question<Outcome> | null = null;
  let isCancelled = false;
  const run = async (): Promise<Outcome> => {
    const { generation } = cache;
    const { epoch, found } = await level.find(key);
    if (isCancelled) return { decision: null, error: new GatewayError('client.gone'), shareable: false };
    if (found !== null && found.life.fresh > minLife && !cache.revokedSince(generation, () => found.tags)) {
      cache.put(key, found.decision, found.life, found.tags);
      cache.stats.shared++;
      return { decision: found.decision, error: null, shareable: true };
    }
    if (epoch === null) return (inner = asker.askAndKeep(text, key, keeping)).answer;
    let isNews = false;
    const share = (kept: Found): void => {
      isNews = true;
      level.put(key, epoch, kept);
    };
    inner = asker.askAndKeep(text, key, keeping, share);
    const outcome = await inner.answer;
    // The newest word counts for all: what was found would else let in whom the auth server has just refused.
    if (found !== null && !isNews && outcome.decision !== null && !isFailure(outcome))
      level.forget(key, epoch);
    return outcome;
  };
  const cancel = (why?: GatewayError): void => {
    isCancelled = true;
    inner?.cancel(why);
  };
  return { answer: run(), cancel };
}
