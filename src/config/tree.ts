// A configuration text as a tree that knows where each value was written: the one form that YAML, TOML,
// flags, env and labels are read into before any schema looks at them.

import type { Place } from '../model/diagnostic.ts';

export type Scalar = string | number | bigint | boolean | null;

export type Tree = ScalarNode | ListNode | MapNode;

export interface ScalarNode {
  readonly kind: 'scalar';
  readonly value: Scalar;
  readonly where: Place;
}

export interface ListNode {
  readonly kind: 'list';
  readonly items: readonly Tree[];
  readonly where: Place;
}

export interface MapNode {
  readonly kind: 'map';
  /** Keys as written; `key` is the place of the key itself. */
  readonly entries: ReadonlyMap<string, { readonly key: Place; readonly node: Tree }>;
  readonly where: Place;
}
