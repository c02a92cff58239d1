// Asks the auth server and reads its answer; with a cache, keeps what may be kept.

import { GatewayError } from '../../errors.ts';
import type { AuthAnswer, AuthListener, PendingAnswer } from '../../upstream/auth-call.ts';
import type { ExchangeTrace } from '../../tracing.ts';
import type { AuthClient } from '../../upstream/auth-client.ts';
import { type Decision, readDecision } from './auth-answer.ts';
import type { AuthCache } from './cache.ts';
import type { CacheKey } from './cache-key.ts';
import type { AuthFigures } from './figures.ts';
import type { Question } from './flight.ts';
import type { Identity } from './identity.ts';
import { type Life, lifeOf } from './lifetime.ts';
import type { ForwardAuthOptions } from './options.ts';
import type { Found, SharedLevel } from './shared-level.ts';
import { carriesCredentials, type Tagger, type Tags, tokensOf } from './tags.ts';

export interface QuestionText {
  readonly method: string;
  readonly headers: readonly string[];
  readonly body: Uint8Array | null;
  /** Of the request the question is about. */
  readonly trace?: ExchangeTrace | null;
}

export interface Outcome {
  /** Null: there is none, see `error`. */
  readonly decision: Decision | null;
  readonly error: GatewayError | null;
  /** Those who waited for the same key may have it too. */
  readonly shareable: boolean;
}

/** Where a kept decision goes. */
export interface Keeping {
  readonly cache: AuthCache;
  readonly key: CacheKey;
  readonly tagger: Tagger;
  readonly options: NonNullable<ForwardAuthOptions['cache']>;
  /** Null: nothing is shared with other nodes. */
  readonly shared: SharedLevel | null;
  /** Header names of a narrowed key, lower case: whoever sends one shows credentials. */
  readonly credentialNames: readonly string[];
}

/** Bytes of an answer's body held in memory, whatever maxResponseBodySize says. */
const hardBodyLimit = 10 * 1024 * 1024;
/** Times a question is asked when purges overtake its answer; then the request is refused. */
const maxAsks = 3;

export class Asker {
  readonly #options: ForwardAuthOptions;
  readonly #client: AuthClient;
  readonly #identity: Identity;
  readonly #maxBody: number;
  readonly #figures: AuthFigures | null;

  /** `figures` null: nothing is counted. */
  constructor(
    options: ForwardAuthOptions,
    client: AuthClient,
    identity: Identity,
    figures: AuthFigures | null = null,
  ) {
    this.#options = options;
    this.#client = client;
    this.#identity = identity;
    this.#figures = figures;
    const written = options.maxResponseBodySize;
    this.#maxBody = written < 0 ? hardBodyLimit : Math.min(written, hardBodyLimit);
  }

  /** Nothing is kept: what the answer means, `read` tells. */
  send(text: QuestionText, listener: AuthListener, timeout: number = this.#options.timeout): PendingAnswer {
    const { method, headers, body, trace = null } = text;
    return this.#client.ask({ method, headers, body, timeout, maxBody: this.#maxBody, trace }, listener);
  }

  /** Never throws. */
  read(answer: AuthAnswer | GatewayError): Outcome {
    if (answer instanceof GatewayError) return this.#noted(failure(answer));
    const decision = this.#decide(answer);
    if (decision instanceof GatewayError) return this.#noted(failure(decision));
    return this.#noted({ decision, error: null, shareable: false });
  }

  /** The decision is kept under `key` when it may be; a "yes" that is kept also goes to `share`. */
  askAndKeep(
    text: QuestionText,
    key: string,
    keeping: Keeping,
    share: ((kept: Found) => void) | null = null,
  ): Question<Outcome> {
    let pending = this.#await(text, this.#options.timeout);
    let cancelled = false;
    const deadline = performance.now() + this.#options.timeout;
    const run = async (): Promise<Outcome> => {
      for (let asked = 1; ; asked++) {
        const { generation } = keeping.cache;
        const startedAt = performance.now();
        const answer = await pending.answer;
        keeping.cache.lookups.observe((performance.now() - startedAt) / 1000);
        if (answer instanceof GatewayError) return this.#noted(failure(answer));
        const facts = { text, answer, generation, startedAt, share };
        const outcome = this.#keep(facts, key, keeping);
        if (outcome !== null) return this.#noted(outcome);
        // Whoever was told "yes" before the purge may be told "no" now.
        const left = deadline - performance.now();
        if (cancelled) return failure(new GatewayError('client.gone'));
        if (asked === maxAsks)
          return this.#noted(failure(new GatewayError('auth.bad_answer', 'revoked while it was asked')));
        if (left <= 0)
          return this.#noted(failure(new GatewayError('auth.timeout', 'revoked while it was asked')));
        pending = this.#await(text, left);
      }
    };
    const cancel = (why?: GatewayError) => {
      cancelled = true;
      pending.cancel(why);
    };
    return { answer: run(), cancel };
  }

  #noted(outcome: Outcome): Outcome {
    this.#figures?.asked(outcome);
    return outcome;
  }

  #await(text: QuestionText, timeout: number): AwaitedAnswer {
    const awaited = new AwaitedAnswer();
    awaited.pending = this.send(text, awaited, timeout);
    return awaited;
  }

  /** Null: a purge has overtaken the answer. */
  #keep(facts: AnswerFacts, key: string, keeping: Keeping): Outcome | null {
    const { answer, text } = facts;
    const decision = this.#decide(answer);
    if (decision instanceof GatewayError) return failure(decision);
    let tags: Tags | null | undefined;
    const readTags = () => (tags ??= keeping.tagger.tagsOf(text.headers, answer.headers));
    const revoked = keeping.cache.revokedSince(facts.generation, readTags);
    if (revoked && decision.allow) return null;
    const life = lifeFor(facts, keeping, decision);
    const kept = life.fresh > 0 && !revoked && keeping.cache.put(key, decision, life, readTags());
    // Refusals are not shared: what strangers can fill stays with the worker they asked.
    if (kept && decision.allow) facts.share?.({ decision, life, tags: readTags() ?? '' });
    if (!kept) {
      keeping.cache.stats.uncacheable++;
      // The newest word counts, unless it says only that the auth server is in trouble.
      if (decision.allow || !decision.isFailure) keeping.cache.remove(key);
    }
    return { decision, error: null, shareable: life.shareable };
  }

  #decide(answer: AuthAnswer): Decision | GatewayError {
    try {
      return readDecision(answer, this.#options, this.#identity);
    } catch (error) {
      if (error instanceof GatewayError) return error;
      return new GatewayError('auth.bad_answer', 'unreadable answer', error);
    }
  }
}

export function isFailure(outcome: Outcome): boolean {
  return outcome.decision === null || (!outcome.decision.allow && outcome.decision.isFailure);
}

interface AnswerFacts {
  readonly text: QuestionText;
  readonly answer: AuthAnswer;
  readonly generation: number;
  readonly startedAt: number;
  readonly share: ((kept: Found) => void) | null;
}

function lifeFor(facts: AnswerFacts, keeping: Keeping, decision: Decision): Life {
  const { answer, text } = facts;
  return lifeOf(
    {
      // Too long a body makes a refusal of any answer: that one is not the auth server's word.
      status: answer.tooLarge ? 0 : answer.status,
      headers: answer.headers,
      covers: (name) => keeping.key.covers(name),
      tokens: decision.allow ? tokensOf(text.headers) : [],
      hasCredentials: carriesCredentials(text.headers, keeping.credentialNames),
      delay: performance.now() - facts.startedAt,
      wallClock: Date.now(),
    },
    keeping.options,
  );
}

function failure(error: GatewayError): Outcome {
  return { decision: null, error, shareable: false };
}

/** An answer as a promise, which settles also when it is cancelled. */
class AwaitedAnswer implements AuthListener {
  readonly answer: Promise<AuthAnswer | GatewayError>;
  onAnswer: (answer: AuthAnswer | GatewayError) => void = () => {};
  pending: PendingAnswer | null = null;

  constructor() {
    this.answer = new Promise((resolve) => {
      this.onAnswer = resolve;
    });
  }

  cancel(why: GatewayError = new GatewayError('client.gone')): void {
    this.pending?.cancel();
    this.onAnswer(why);
  }
}
