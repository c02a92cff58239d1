// A label's name as the levels of the tree it stands for.

import { maxDottedDepth } from '../dotted.ts';

/** Highest index of a list: `[999]`. */
const maxIndex = 999;

/** `traefik.http.routers.x.tls.domains[0].main` as its levels, indices as levels of their own; a sentence when it is none. */
export function splitLabel(label: string): string[] | string {
  const levels: string[] = [];
  for (const part of label.split('.')) {
    if (part === '') return 'the name has an empty level: two dots in a row, or one at its end';
    const bracket = part.indexOf('[');
    if (bracket === -1) {
      levels.push(part);
      continue;
    }
    if (bracket === 0)
      return 'a level of the name begins with a bracket: an index follows the name of a list';
    const index = /^\[(\d+)\]$/.exec(part.slice(bracket))?.[1];
    if (index === undefined) return 'the brackets of the name hold no index: write [0]';
    if (index.length > 4 || Number(index) > maxIndex) return `an index of the name is above ${maxIndex}`;
    levels.push(part.slice(0, bracket), index);
  }
  if (levels[0] !== 'traefik') return 'the name begins with traefik in another case';
  if (levels.length > maxDottedDepth) return `the name has more than ${maxDottedDepth} levels`;
  return levels;
}
