// Functions of templates that make lists and maps, and look into them.

import { define, describe, many, number, text } from './arguments.ts';
import type { FunctionContext, TemplateFunction } from './arguments.ts';
import { isList, isMap, isTrue, print, sortedKeys } from './values.ts';
import type { Value, ValueMap } from './values.ts';

export const collectionFunctions: readonly (readonly [string, TemplateFunction])[] = [
  ['dict', define([0, many], dict)],
  ['get', define([2, 2], ([map, key]) => mapOf(map).get(text(key)) ?? '')],
  ['hasKey', define([2, 2], ([map, key]) => mapOf(map).has(text(key)))],
  ['keys', define([1, 1], ([map]) => sortedKeys(mapOf(map)))],
  ['values', define([1, 1], ([map]) => sortedKeys(mapOf(map)).map((key) => mapOf(map).get(key) ?? null))],
  ['tuple', define([0, many], (args) => args)],
  ['first', define([1, 1], ([list]) => listOf(list)[0] ?? null)],
  ['last', define([1, 1], ([list]) => listOf(list).at(-1) ?? null)],
  ['rest', define([1, 1], ([list]) => listOf(list).slice(1))],
  ['initial', define([1, 1], ([list]) => listOf(list).slice(0, -1))],
  ['slice', define([1, 3], ([list, from, to]) => slice(list, from, to))],
  ['reverse', define([1, 1], ([list]) => listOf(list).toReversed())],
  ['append', define([2, 2], ([list, item]) => [...listOf(list), item ?? null])],
  ['prepend', define([2, 2], ([list, item]) => [item ?? null, ...listOf(list)])],
  ['concat', define([0, many], (args) => args.flatMap(listOf))],
  ['compact', define([1, 1], ([list]) => listOf(list).filter(isTrue))],
  ['uniq', define([1, 1], ([list]) => [...new Set(listOf(list))])],
  ['without', define([1, many], ([list, ...gone]) => without(listOf(list), gone))],
  ['has', define([2, 2], ([item, list]) => listOf(list).includes(item ?? null))],
  ['sortAlpha', define([1, 1], ([list], context) => sortAlpha(listOf(list), context))],
];

function mapOf(value: Value | undefined): ValueMap {
  if (value !== undefined && isMap(value)) return value;
  throw new Error(`expected a map, got ${describe(value)}`);
}

function listOf(value: Value | undefined): readonly Value[] {
  if (value !== undefined && isList(value)) return value;
  throw new Error(`expected a list, got ${describe(value)}`);
}

function dict(args: readonly Value[]): ValueMap {
  if (args.length % 2 === 1) throw new Error('expected a value for each key');
  const map = new Map<string, Value>();
  for (let at = 0; at < args.length; at += 2) map.set(text(args[at]), args[at + 1] ?? null);
  return map;
}

/** Go's own: of a text or a list, from one place up to before the other. */
function slice(value: Value | undefined, from: Value = 0, to?: Value): Value {
  const whole = typeof value === 'string' ? value : listOf(value);
  const [start, end] = [number(from), to === undefined ? whole.length : number(to)];
  if (start < 0 || end < start || end > whole.length)
    throw new Error(`${start} to ${end} is outside of ${whole.length}`);
  return whole.slice(start, end);
}

function without(list: readonly Value[], gone: readonly Value[]): readonly Value[] {
  const unwanted = new Set(gone);
  return list.filter((item) => !unwanted.has(item));
}

function sortAlpha(list: readonly Value[], { step }: FunctionContext): readonly Value[] {
  step(list.length);
  return list.map(print).sort();
}
