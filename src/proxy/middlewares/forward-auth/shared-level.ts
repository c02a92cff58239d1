// The second level of the cache, which nodes share: asked before the auth server, told what it allowed.

import { GatewayError } from '../../errors.ts';
import type { SharedDecision, SharedDecisions } from '../../../state/decisions.ts';
import type { Asker, Keeping, Outcome, QuestionText } from './asker.ts';
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

  #read({ text, life, purges }: SharedDecision): Found | null {
    if (purges === null) return null;
    // It was sealed by one of us, as JSON; only another release may have put other things in.
    const stored = JSON.parse(text) as Partial<Stored>;
    const { decision, tags, more, endsWithToken, until } = stored;
    if (decision?.allow !== true || typeof tags !== 'string') return null;
    if (typeof more !== 'number' || typeof until !== 'number') return null;
    for (const selector of purges) {
      const tag = this.#tagger.ofSelector(selector);
      if (tag === null || hasTag(tags, tag)) return null;
    }
    const fresh = Math.min(life, until - Date.now());
    if (!(fresh > 0)) return null;
    const ends = endsWithToken === true;
    return { decision, tags, life: { fresh, stale: fresh + more, endsWithToken: ends, shareable: true } };
  }
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
    const share = epoch === null ? null : (kept: Found) => level.put(key, epoch, kept);
    inner = asker.askAndKeep(text, key, keeping, share);
    return inner.answer;
  };
  const cancel = (why?: GatewayError): void => {
    isCancelled = true;
    inner?.cancel(why);
  };
  return { answer: run(), cancel };
}
