// An object that must be of one type and is of none, or of several.

import type { Diagnostic } from '../../model/diagnostic.ts';
import type { Tree } from '../tree.ts';

export interface TypeHints {
  /** For an object without a type. */
  readonly none?: string;
  /** For one with several. */
  readonly several?: string;
}

/** `types`: those that `node` says it is of. */
export function notExactlyOne(
  what: 'service' | 'middleware',
  node: Tree,
  types: readonly string[],
  hints: TypeHints,
): Diagnostic {
  const isEmpty = types.length === 0;
  const hint = isEmpty ? hints.none : hints.several;
  return {
    severity: 'error',
    code: isEmpty ? 'config.no_type' : 'config.multi_types',
    message: isEmpty
      ? `the ${what} has no type`
      : `cannot create ${what}: multi-types ${what} not supported, consider declaring ${types.join(' and ')} as two`,
    where: node.where,
    ...(hint === undefined ? {} : { hint }),
  };
}
