// Cipher suites that are written and cannot be spoken: told, since less is spoken than was asked for.

import type { Diagnostic } from '../../model/diagnostic.ts';
import { splitList } from '../decode/values.ts';
import type { Tree } from '../tree.ts';
import { suitesGone } from './tls-words.ts';
import { child, placeOf } from './tree-access.ts';

/** One warning for each in `cipherSuites` of `node`. */
export function suitesLeftOut(node: Tree): Diagnostic[] {
  const where = placeOf(node, ['cipherSuites']);
  return [...new Set(suitesGone(textsOf(child(node, 'cipherSuites'))))].map((suite) => ({
    severity: 'warning',
    code: 'config.no_effect',
    message: `\`cipherSuites\`: ${suite} is not spoken any more and is left out`,
    where,
  }));
}

/** Of a list, or of one text with commas. */
function textsOf(list: Tree | null): string[] {
  if (list?.kind === 'list') return list.items.flatMap(textsOf);
  return list?.kind === 'scalar' ? splitList(String(list.value)) : [];
}
