// A request's own question to the auth server: nothing is kept of the answer and nobody else waits for it.

import { GatewayError } from '../../errors.ts';
import type { Exchange } from '../../exchange.ts';
import type { Verdict } from '../../hooks.ts';
import type { AuthAnswer, AuthListener, PendingAnswer } from '../../upstream/auth-call.ts';
import type { Asker, Outcome, QuestionText } from './asker.ts';

/** What the outcome means for the request. */
export type Conclude = (x: Exchange, outcome: Outcome) => Verdict;

/**
 * Settles once the auth server answered, its time is over or the client is gone; rejects with what `conclude`
 * throws. One object and one promise, because this runs for every request of a route without a cache.
 */
export function askForOne(
  x: Exchange,
  text: QuestionText,
  asker: Asker,
  conclude: Conclude,
): Promise<Verdict> {
  return new Promise((resolve, reject) => {
    new OwnQuestion({ x, asker, conclude, resolve, reject }).ask(text);
  });
}

interface Parts {
  readonly x: Exchange;
  readonly asker: Asker;
  readonly conclude: Conclude;
  readonly resolve: (verdict: Verdict) => void;
  readonly reject: (error: unknown) => void;
}

class OwnQuestion implements AuthListener {
  readonly #parts: Parts;
  readonly #before: (() => void) | null;
  readonly #gone = (): void => this.#leave();
  #pending: PendingAnswer | null = null;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#before = parts.x.downstream.onAbort;
  }

  ask(text: QuestionText): void {
    const { x, asker } = this.#parts;
    if (x.downstream.aborted) {
      this.#leave();
      return;
    }
    this.#pending = asker.send(text, this);
    x.downstream.onAbort = this.#gone;
  }

  onAnswer(answer: AuthAnswer | GatewayError): void {
    this.#release();
    this.#end(answer);
  }

  #leave(): void {
    this.#release();
    this.#pending?.cancel();
    this.#before?.();
    this.#end(new GatewayError('client.gone'));
  }

  #release(): void {
    const { downstream } = this.#parts.x;
    if (downstream.onAbort === this.#gone) downstream.onAbort = this.#before;
  }

  #end(answer: AuthAnswer | GatewayError): void {
    const { x, asker, conclude, resolve, reject } = this.#parts;
    try {
      resolve(conclude(x, asker.read(answer)));
    } catch (error) {
      reject(error);
    }
  }
}
