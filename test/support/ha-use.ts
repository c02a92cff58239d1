// A pair for all tests of a file: started before the first of them, its table printed and closed after the last.

import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { type Node, type Pair, type PairOptions, startPair } from './ha-pair.ts';
import { printRows } from './ha-report.ts';
import { cannotNetwork } from './namespaces.ts';

export interface UsedPair {
  /** Why the tests must be skipped; false: they need not. */
  readonly skip: string | false;
  /** Throws when it does not run. */
  pair(): Pair;
  /** Who has the address; throws when nobody has. */
  active(): Node;
}

/** Milliseconds for the start of all that belongs to it. */
const timeout = 90_000;

/** `tools`: commands its tests need, beside keepalived and curl. */
export function usePair(options: PairOptions = {}, tools: readonly string[] = []): UsedPair {
  const skip = cannotNetwork('keepalived', 'curl', ...tools);
  let running: Pair | null = null;
  before(
    async () => {
      if (skip === false) running = await startPair(options);
    },
    { timeout },
  );
  after(async () => {
    if (running === null) return;
    printRows();
    await running.close();
  });
  const pair = (): Pair => {
    assert.ok(running !== null, 'the pair runs');
    return running;
  };
  return {
    skip,
    pair,
    active() {
      const node = pair().active();
      assert.ok(node !== null, 'one of them has the address');
      return node;
    },
  };
}

export function other(node: Node): Node {
  return node === 'a' ? 'b' : 'a';
}
