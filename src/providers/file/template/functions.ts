// The functions a template may call: Go's own, those of sprig people use, and `env`.
// `split` takes the text first, as the gateway we read configurations of has it.

import { bound, define, describe, many, number, text } from './arguments.ts';
import type { FunctionContext, TemplateFunction } from './arguments.ts';
import { collectionFunctions } from './functions-collections.ts';
import { textFunctions } from './functions-texts.ts';
import { compareValues, equal, isList, isMap, isTrue, print } from './values.ts';
import type { Value } from './values.ts';
import { format } from './format.ts';

export const functions: ReadonlyMap<string, TemplateFunction> = new Map<string, TemplateFunction>([
  ['env', define([1, 1], ([name], { env }) => env[text(name)] ?? '')],
  // `and` and `or` are in the evaluator: they don't look at more than they need.
  ['not', define([1, 1], ([value]) => !isTrue(value ?? null))],
  ['eq', define([2, many], ([first, ...rest]) => rest.some((other) => equal(first ?? null, other)))],
  ['ne', define([2, 2], ([a, b]) => !equal(a ?? null, b ?? null))],
  ['lt', define([2, 2], ([a, b]) => compareValues(a ?? null, b ?? null) < 0)],
  ['le', define([2, 2], ([a, b]) => compareValues(a ?? null, b ?? null) <= 0)],
  ['gt', define([2, 2], ([a, b]) => compareValues(a ?? null, b ?? null) > 0)],
  ['ge', define([2, 2], ([a, b]) => compareValues(a ?? null, b ?? null) >= 0)],
  ['len', define([1, 1], ([value]) => length(value ?? null))],
  ['index', define([1, many], ([value, ...keys]) => keys.reduce<Value>(item, value ?? null))],
  ['list', define([0, many], (args) => args)],
  ['until', define([1, 1], ([count], context) => sequence(0, number(count), 1, context))],
  ['untilStep', define([3, 3], ([from, to, step], c) => sequence(number(from), number(to), number(step), c))],
  ['seq', define([1, 3], (args, context) => seq(args.map(number), context))],
  ['lower', define([1, 1], ([value]) => text(value).toLowerCase())],
  ['upper', define([1, 1], ([value]) => text(value).toUpperCase())],
  [
    'title',
    define([1, 1], ([value]) =>
      text(value).replace(/(^|[^\p{L}\p{N}_'])(\p{L})/gu, (all) => all.toUpperCase()),
    ),
  ],
  ['trim', define([1, 1], ([value]) => text(value).trim())],
  ['trimPrefix', define([2, 2], ([prefix, value]) => trimPrefix(text(prefix), text(value)))],
  ['trimSuffix', define([2, 2], ([suffix, value]) => trimSuffix(text(suffix), text(value)))],
  ['trimAll', define([2, 2], ([chars, value]) => trimAll(text(chars), text(value)))],
  ['replace', define([3, 3], ([old, by, value]) => replace(text(old), text(by), text(value)))],
  ['split', define([2, 2], ([value, separator], context) => split(text(value), text(separator), context))],
  [
    'splitList',
    define([2, 2], ([separator, value], context) => split(text(value), text(separator), context)),
  ],
  ['join', define([2, 2], ([separator, items]) => join(text(separator), items ?? null))],
  ['contains', define([2, 2], ([part, value]) => text(value).includes(text(part)))],
  ['hasPrefix', define([2, 2], ([prefix, value]) => text(value).startsWith(text(prefix)))],
  ['hasSuffix', define([2, 2], ([suffix, value]) => text(value).endsWith(text(suffix)))],
  [
    'normalize',
    define([1, 1], ([value]) =>
      text(value)
        .replace(/[^\p{L}\p{N}]+/gu, '-')
        .replace(/^-|-$/g, ''),
    ),
  ],
  [
    'quote',
    define([0, many], (args) =>
      args
        .filter((arg) => arg !== null)
        .map((arg) => JSON.stringify(print(arg)))
        .join(' '),
    ),
  ],
  [
    'squote',
    define([0, many], (args) =>
      args
        .filter((arg) => arg !== null)
        .map((arg) => `'${print(arg)}'`)
        .join(' '),
    ),
  ],
  [
    'default',
    define([1, 2], ([byDefault, value]) => (isTrue(value ?? null) ? (value ?? null) : (byDefault ?? null))),
  ],
  ['empty', define([1, 1], ([value]) => !isTrue(value ?? null))],
  ['coalesce', define([0, many], (args) => args.find(isTrue) ?? null)],
  ['ternary', define([3, 3], ([yes, no, test]) => (isTrue(test ?? null) ? (yes ?? null) : (no ?? null)))],
  ['printf', define([1, many], ([pattern, ...args]) => format(text(pattern), args))],
  ['print', define([0, many], (args) => args.map(print).join(''))],
  ['println', define([0, many], (args) => `${args.map(print).join(' ')}\n`)],
  ['toString', define([1, 1], ([value]) => print(value ?? null))],
  ['int', define([1, 1], ([value]) => Math.trunc(Number(print(value ?? null))) || 0)],
  ['add', define([0, many], (args) => args.map(number).reduce((sum, value) => sum + value, 0))],
  ['sub', define([2, 2], ([a, b]) => number(a) - number(b))],
  ...collectionFunctions,
  ...textFunctions,
  ['mul', define([1, many], (args) => args.map(number).reduce((product, value) => product * value, 1))],
]);

function length(value: Value): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (isMap(value)) return value.size;
  if (isList(value)) return value.length;
  throw new Error(`len of ${describe(value)}`);
}

function item(value: Value, key: Value): Value {
  // The maps there are hold texts: what is missing is empty.
  if (isMap(value)) return value.get(text(key)) ?? '';
  if (!isList(value)) throw new Error(`cannot index ${describe(value)}`);
  const at = number(key);
  const found = value[at];
  if (found === undefined) throw new Error(`index ${at} is outside a list of ${value.length}`);
  return found;
}

function sequence(from: number, to: number, step: number, context: FunctionContext): number[] {
  if (step === 0 || !Number.isInteger(from) || !Number.isInteger(to) || !Number.isInteger(step)) {
    throw new Error('expected whole numbers and a step other than 0');
  }
  const count = Math.max(0, Math.ceil((to - from) / step));
  context.step(count);
  return Array.from({ length: count }, (_, index) => from + index * step);
}

/** As the shell's: both ends included, joined by spaces. */
function seq(args: readonly number[], context: FunctionContext): string {
  const [first = 1, second = 1, third = 1] = args;
  const [from, step, to] =
    args.length === 1
      ? [1, first < 1 ? -1 : 1, first]
      : args.length === 2
        ? [first, second < first ? -1 : 1, second]
        : [first, second, third];
  return sequence(from, to + Math.sign(step), step, context).join(' ');
}

function trimPrefix(prefix: string, value: string): string {
  return value.startsWith(prefix) ? value.slice(prefix.length) : value;
}

function trimSuffix(suffix: string, value: string): string {
  return suffix !== '' && value.endsWith(suffix) ? value.slice(0, -suffix.length) : value;
}

function trimAll(chars: string, value: string): string {
  let [start, end] = [0, value.length];
  while (start < end && chars.includes(value[start] as string)) start += 1;
  while (end > start && chars.includes(value[end - 1] as string)) end -= 1;
  return value.slice(start, end);
}

function replace(old: string, by: string, value: string): string {
  const parts = value.split(old);
  bound(value.length + (parts.length - 1) * (by.length - old.length));
  return parts.join(by);
}

function split(value: string, separator: string, context: FunctionContext): string[] {
  const parts = value.split(separator);
  context.step(parts.length);
  return parts;
}

function join(separator: string, items: Value): string {
  if (!isList(items)) return print(items);
  const texts = items.map(print);
  bound(texts.reduce((sum, part) => sum + part.length + separator.length, 0));
  return texts.join(separator);
}
