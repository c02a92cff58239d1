// Weighted round robin over what is up: the smooth kind, which spreads a heavy one's turns.

import type { Exchange } from '../exchange.ts';
import type { Choice, Picker } from './picker.ts';

export class Rotation<T extends Choice> implements Picker<T> {
  readonly #choices: readonly T[];
  readonly #credits: number[];
  readonly #isEven: boolean;
  #next: number;

  /** `start` in [0, 1): where the first turn falls, so that workers do not all begin with the same server. */
  constructor(choices: readonly T[], start: number) {
    this.#choices = choices;
    this.#credits = choices.map(() => 0);
    this.#isEven = choices.every((choice) => choice.weight === choices[0]?.weight);
    this.#next = Math.floor(start * choices.length);
  }

  pick(): T | null {
    return this.#isEven ? this.#pickEven(null) : this.#pickWeighted(null);
  }

  pickOther(_: Exchange, failed: T): T | null {
    return this.#isEven ? this.#pickEven(failed) : this.#pickWeighted(failed);
  }

  #pickEven(except: T | null): T | null {
    const choices = this.#choices;
    for (let tried = 0; tried < choices.length; tried++) {
      if (this.#next >= choices.length) this.#next = 0;
      const choice = choices[this.#next++] as T;
      if (choice.up && choice !== except) return choice;
    }
    return null;
  }

  #pickWeighted(except: T | null): T | null {
    let best = -1;
    let total = 0;
    for (let i = 0; i < this.#choices.length; i++) {
      const choice = this.#choices[i] as T;
      if (!choice.up || choice === except) continue;
      total += choice.weight;
      this.#credits[i] = (this.#credits[i] as number) + choice.weight;
      if (best === -1 || (this.#credits[i] as number) > (this.#credits[best] as number)) best = i;
    }
    if (best === -1) return null;
    this.#credits[best] = (this.#credits[best] as number) - total;
    return this.#choices[best] as T;
  }
}
