// Who works on an Exchange beside its middlewares and its service: what each is told, and what it can be asked.

import type { Exchange } from './exchange.ts';

/** Told of a server's answer: `x.status` and `x.responseHeaders` are the server's own. Must not throw. */
export interface AnswerNote {
  /** A promise, which must not reject, holds the answer back until it settles; that to an upgrade is not held. */
  answered(x: Exchange): Promise<void> | null;
}

/** Work for after an Exchange. Must not throw. */
export interface EndTask {
  run(x: Exchange): void;
}

/** Work on behalf of an Exchange. */
export interface Running {
  /** The Exchange ends early. */
  cancel(): void;
  /**
   * The body of the streamed answer whose head the response hooks see at this moment goes to `taker`; null when
   * there is none.
   */
  divert?(taker: AnswerTaker): DivertedAnswer | null;
}

/** Gets an answer's body in place of the client. Hears nothing more once the Exchange is over. */
export interface AnswerTaker {
  /** `chunk` is valid during the call only. False holds back until `resume`. */
  take(chunk: Uint8Array): boolean;
  finish(): void;
  /** The server broke off. */
  fail(error: Error): void;
}

export interface DivertedAnswer {
  resume(): void;
  /** The rest is not wanted. */
  cancel(): void;
}
