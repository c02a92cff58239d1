// One question at a time per key: requests with the same key wait for the one answer.

import type { GatewayError } from '../../errors.ts';

/** A question under way. Its answer never rejects. */
export interface Question<Answer> {
  readonly answer: Promise<Answer>;
  /** `why`: what ended the last one's wait; `client.gone` unless said. */
  cancel(why?: GatewayError): void;
}

/** Requests that wait for one question; beyond it the next one asks anew. */
const maxFollowers = 1_000;

/** Bounded by the questions the auth client takes at a time: each flight is at least one of them. */
export class Flights<Answer> {
  readonly #running = new Map<string, Flight<Answer>>();

  /** The flight of `key`, begun by `ask` when there is none that takes one more. */
  join(key: string, ask: () => Question<Answer>): { readonly flight: Flight<Answer>; readonly led: boolean } {
    const running = this.#running.get(key);
    if (running?.takesMore === true) return { flight: running, led: false };
    const flight = new Flight(ask());
    this.#running.set(key, flight);
    const land = () => {
      if (this.#running.get(key) === flight) this.#running.delete(key);
      flight.forget();
    };
    flight.onLand = land;
    void flight.answer.then(land);
    return { flight, led: true };
  }

  has(key: string): boolean {
    return this.#running.has(key);
  }
}

export class Flight<Answer> {
  /** Nobody need wait for it: it goes on by itself. */
  background = false;
  onLand: () => void = nothing;
  #question: Question<Answer> | null;
  #waiting = 0;
  #cancelled = false;

  constructor(question: Question<Answer>) {
    this.#question = question;
  }

  /** Only before it lands: from then on nobody can join it. */
  get answer(): Promise<Answer> {
    if (this.#question === null) throw new TypeError('a flight that has landed has no answer');
    return this.#question.answer;
  }

  get takesMore(): boolean {
    return !this.#cancelled && this.#waiting <= maxFollowers;
  }

  board(): void {
    this.#waiting++;
  }

  /** One that waited does so no more; the last one out ends the question. */
  leave(why?: GatewayError): void {
    this.#waiting--;
    if (this.#waiting > 0 || this.background || this.#cancelled) return;
    this.#cancelled = true;
    const question = this.#question;
    this.onLand();
    question?.cancel(why);
  }

  /**
   * It has landed. A Map that makes itself a new table leaves an old one, which points to its flights and to
   * the next table until a full collection: question and answer must not hang on it.
   */
  forget(): void {
    this.#question = null;
    this.onLand = nothing;
  }
}

function nothing(): void {}
