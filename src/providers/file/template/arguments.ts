// What the functions of templates are made of: their form, and their arguments read as what they must be.

import { isMap } from './values.ts';
import type { Value } from './values.ts';

export interface FunctionContext {
  readonly env: NodeJS.ProcessEnv;
  /** Counts `n` units of work against the limit. */
  step(n: number): void;
}

export interface TemplateFunction {
  /** Fewest and most arguments. */
  readonly arity: readonly [number, number];
  call(args: readonly Value[], context: FunctionContext): Value;
}

/** Characters of one text: the same bound as the whole output. */
export const maxTextLength = 16 * 1024 * 1024;

export const many = Number.POSITIVE_INFINITY;

export function define(arity: readonly [number, number], call: TemplateFunction['call']): TemplateFunction {
  return { arity, call };
}

/** Throws `Error` for anything else. */
export function text(value: Value | undefined): string {
  if (typeof value === 'string') return value;
  throw new Error(`expected a text, got ${describe(value)}`);
}

/** Of a text of digits, too. Throws `Error` for anything else. */
export function number(value: Value | undefined): number {
  const read = typeof value === 'string' && /^[+-]?\d+$/.test(value) ? Number(value) : value;
  if (typeof read === 'number') return read;
  throw new Error(`expected a number, got ${describe(value)}`);
}

/** Never the value itself: it may be a secret of the environment. */
export function describe(value: Value | undefined): string {
  if (value === undefined || value === null) return 'nothing';
  if (isMap(value)) return 'a map';
  if (typeof value === 'object') return 'a list';
  return typeof value === 'string' ? 'a text' : `a ${typeof value}`;
}

/** Throws `Error` before a text of so many characters is made. */
export function bound(length: number): void {
  if (length > maxTextLength) throw new Error(`a text of more than ${maxTextLength} characters`);
}
