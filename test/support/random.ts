// Choices at random that can be made again.

export interface Random {
  readonly seed: number;
  /** 0 to `bound` - 1. */
  below(bound: number): number;
}

/** Mulberry32: the same seed gives the same choices, if not the same order of events. */
export function makeRandom(seed: number): Random {
  let state = seed;
  return {
    seed,
    below(bound) {
      state = (state + 0x6d2b79f5) | 0;
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
      return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
    },
  };
}
