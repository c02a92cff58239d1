// How much printing a value would write, told without printing it.

import { isMap } from './values.ts';
import type { Value } from './values.ts';

/** A list that holds one other twice is short and prints twice as much: each is added up once, when it is made. */
const sizes = new WeakMap<object, number>();

/** Characters of a text and of what lies in lists and maps, about. */
export function sizeOf(value: Value): number {
  if (typeof value === 'string') return value.length;
  if (value === null || typeof value !== 'object') return 1;
  const known = sizes.get(value);
  if (known !== undefined) return known;
  let size = 1;
  if (isMap(value)) for (const [key, item] of value) size += key.length + 1 + sizeOf(item);
  else for (const item of value) size += 1 + sizeOf(item);
  sizes.set(value, size);
  return size;
}
