// Places in `x.slots`: one for each of a middleware's needs, shared by its instances on different routers,
// since an Exchange runs through one router only; not by those of services, of which it may see several. That
// keeps the numbers small, and the array an array.

export class Slots {
  /** By middleware; as many as the Runtime has. */
  readonly #taken = new Map<string, number[]>();
  readonly #used = new Set<number>();
  #lowest = 0;

  /** `names`: the middlewares there are now; those that were there before keep their numbers. */
  constructor(before: Slots | null, names: Iterable<string>) {
    if (before === null) return;
    for (const name of names) {
      const numbers = before.#taken.get(name);
      if (numbers === undefined) continue;
      this.#taken.set(name, [...numbers]);
      for (const number of numbers) this.#used.add(number);
    }
  }

  /** For one build of `name`: what it calls for each slot it needs. */
  sequence(name: string): () => number {
    let next = 0;
    return () => {
      let numbers = this.#taken.get(name);
      if (numbers === undefined) {
        numbers = [];
        this.#taken.set(name, numbers);
      }
      const known = numbers[next++];
      if (known !== undefined) return known;
      while (this.#used.has(this.#lowest)) this.#lowest += 1;
      this.#used.add(this.#lowest);
      numbers.push(this.#lowest);
      return this.#lowest;
    };
  }
}
