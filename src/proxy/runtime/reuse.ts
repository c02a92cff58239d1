// Takes over what the Runtime before built, where all it was built of is the very same.

import type { KeepHandle } from './keep.ts';

interface Built<T> {
  readonly inputs: readonly unknown[];
  readonly thing: T;
  /** What its build asked the KeepStore for: whoever takes it over keeps these too. */
  readonly keys: readonly string[];
}

/** One kind of thing of one Runtime, by name. As many entries as that Runtime has such things. */
export class Reuse<T> {
  readonly #built = new Map<string, Built<T>>();
  readonly #kept: KeepHandle;
  #before: ReadonlyMap<string, Built<T>> | null;

  constructor(before: Reuse<T> | null, kept: KeepHandle) {
    this.#before = before === null ? null : before.#built;
    this.#kept = kept;
  }

  /**
   * What was built under `name` before, if its `inputs` were the same, one by one (`===`); otherwise what
   * `build` makes. `inputs` must hold everything the thing is made of that may change with a reload.
   */
  get(name: string, inputs: readonly unknown[], build: () => T): T {
    const known = this.#built.get(name) ?? this.#before?.get(name);
    if (known !== undefined && sameItems(known.inputs, inputs)) {
      this.#kept.adopt(known.keys);
      this.#built.set(name, known);
      return known.thing;
    }
    const { made: thing, keys } = this.#kept.record(build);
    this.#built.set(name, { inputs, thing, keys });
    return thing;
  }

  /** What was built under `name` by the Runtime before, with its inputs; only until `seal`. */
  before(name: string): { readonly inputs: readonly unknown[]; readonly thing: T } | undefined {
    return this.#before?.get(name);
  }

  /** Lets go of the Runtime before: otherwise every one there ever was would stay. */
  seal(): void {
    this.#before = null;
  }
}

function sameItems(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i += 1) if (a[i] !== b[i]) return false;
  return true;
}
