// Requests that were let in while the shared state was away: where each of them will have to leave.

export type Side = 'near' | 'nowhere';

interface Standings {
  near: number;
  nowhere: number;
}

/** As large as the requests it stands for; empty once they have left. */
export class Standing {
  /** One for a key of which such requests still run: no more than there are requests. */
  readonly #byKey = new Map<string, Standings>();

  get size(): number {
    return this.#byKey.size;
  }

  enter(side: Side, space: string, key: string): true {
    const name = `${space}\n${key}`;
    let standings = this.#byKey.get(name);
    if (standings === undefined) {
      standings = { near: 0, nowhere: 0 };
      this.#byKey.set(name, standings);
    }
    standings[side] += 1;
    return true;
  }

  /** Null: none of the key's requests came in that way. */
  leave(space: string, key: string): Side | null {
    // So it is as long as nothing ever failed, and then costs nothing.
    if (this.#byKey.size === 0) return null;
    const name = `${space}\n${key}`;
    const standings = this.#byKey.get(name);
    if (standings === undefined) return null;
    const side = standings.near > 0 ? 'near' : 'nowhere';
    standings[side] -= 1;
    if (standings.near + standings.nowhere === 0) this.#byKey.delete(name);
    return side;
  }
}
