// What a middleware may do with an Exchange, phase by phase.

import type { Exchange } from './exchange.ts';

/** The next middleware, or the service, gets the Exchange; on the way out: the next one outward. */
export const CONTINUE = 0;
/** `x.answer(…)` was called: nothing further in runs, the response hooks further out do. */
export const ANSWERED = 1;
/** On the way out only: the answer is dropped, and what lies further in runs once more. */
export const RETRY = 2;

export type Verdict = typeof CONTINUE | typeof ANSWERED;
export type AnswerVerdict = Verdict | typeof RETRY;

/**
 * A middleware instance, as its `build` returns it. A phase left out costs nothing at run time.
 * Hooks hold no state of a request: that lives on the Exchange (`x.slots`).
 */
export interface Hooks {
  /**
   * In the listed order, before the service. Returns a promise only when it must wait. May run again for
   * the same Exchange when a middleware further out says RETRY.
   */
  readonly request?: (x: Exchange) => Verdict | Promise<Verdict>;
  /**
   * In reverse order, once `x.status` and `x.responseHeaders` are known and nothing is sent yet; edits
   * them in place. Runs for the answers of upstreams, of middlewares further in, and of errors
   * (`x.error` says which). No verdict is CONTINUE.
   *
   * Any other verdict, and a promise of one, ends the server's stream: ANSWERED sends what `x.answer(…)` was
   * given, RETRY begins again behind this middleware (restore first what further ones changed:
   * `x.rememberRequest`). The stream's body is only kept by taking it whole: `x.collectAnswer(maxBytes)`,
   * then setting `x.answerBody`.
   */
  // oxlint-disable-next-line typescript/no-invalid-void-type -- most hooks only edit, and say nothing
  readonly response?: (x: Exchange) => void | AnswerVerdict | Promise<AnswerVerdict>;
  /** Exactly once, when the last byte is sent or the Exchange was cut. */
  readonly end?: (x: Exchange) => void;
}
