// What a middleware may do with an Exchange, phase by phase.

import type { Exchange } from './exchange.ts';

/** The next middleware, or the service, gets the Exchange. */
export const CONTINUE = 0;
/** `x.answer(…)` was called: nothing further in runs, the response hooks further out do. */
export const ANSWERED = 1;

export type Verdict = typeof CONTINUE | typeof ANSWERED;

/**
 * A middleware instance, as its `build` returns it. A phase left out costs nothing at run time.
 * Hooks hold no state of a request: that lives on the Exchange (`x.slots`).
 */
export interface Hooks {
  /** In the listed order, before the service. Returns a promise only when it must wait. */
  readonly request?: (x: Exchange) => Verdict | Promise<Verdict>;
  /**
   * In reverse order, once `x.status` and `x.responseHeaders` are known and nothing is sent yet; edits
   * them in place. Runs for the answers of upstreams, of middlewares further in, and of errors.
   */
  readonly response?: (x: Exchange) => void;
  /** Exactly once, when the last byte is sent or the Exchange was cut. */
  readonly end?: (x: Exchange) => void;
}
