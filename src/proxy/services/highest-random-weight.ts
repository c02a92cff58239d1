// Rendezvous hashing on the client's address: each client keeps its choice for as long as that is up, and when
// one goes only its own clients move.

import { hash32, shareOf } from '../../util/fnv.ts';
import type { Exchange } from '../exchange.ts';
import type { Choice, Picker } from './picker.ts';

export class HighestRandomWeight<T extends Choice> implements Picker<T> {
  readonly #choices: readonly T[];
  readonly #hashes: readonly number[];

  constructor(choices: readonly T[]) {
    this.#choices = choices;
    this.#hashes = choices.map(({ key }) => hash32(key));
  }

  pick(x: Exchange): T | null {
    return this.pickBy(x.peer, null);
  }

  pickOther(x: Exchange, failed: T): T | null {
    return this.pickBy(x.peer, failed);
  }

  /** The choice of whatever `text` stands for, `except` left out; null when none is up. */
  pickBy(text: string, except: T | null): T | null {
    const hash = hash32(text);
    let best: T | null = null;
    let highest = -1;
    for (let i = 0; i < this.#choices.length; i++) {
      const choice = this.#choices[i] as T;
      if (!choice.up || choice === except) continue;
      const score = choice.weight / -Math.log(shareOf(hash, this.#hashes[i] as number));
      if (score <= highest) continue;
      highest = score;
      best = choice;
    }
    return best;
  }
}
