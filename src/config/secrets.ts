// How options are shown, as their schemas say: what is secret, what is a duration, what goes without saying. A tree
// of marks, made once per schema.

import type { z } from 'zod';
import { duration, type SecretMark } from '../proxy/middlewares/fields.ts';
import { definitionOf, unwrap } from './decode/layout.ts';
import { definitions } from './dynamic/middleware-schema.ts';
import { staticSchema } from './static/schema.ts';

export type { SecretMark };

/** What may be shown of a value. */
export type Marks =
  | { readonly kind: 'marked'; readonly mark: SecretMark }
  | {
      readonly kind: 'object';
      readonly fields: ReadonlyMap<string, Marks>;
      /** Keys whose default is empty, 0 or false: left out while they have it, as Go's encoder does. */
      readonly silent: ReadonlySet<string>;
    }
  /** Free keys, or a list: the same for every entry. */
  | { readonly kind: 'each'; readonly of: Marks }
  /** Milliseconds. */
  | { readonly kind: 'duration' }
  | { readonly kind: 'leaf' };

/** Null for a kind nobody knows: then nothing of its options is known to be harmless. */
export function middlewareMarks(kind: string): Marks | null {
  // Its options are the business of a module that is not ours.
  if (kind === 'plugin') return { kind: 'marked', mark: 'value' };
  const definition = definitions.get(kind);
  return definition === undefined ? null : marksOf(definition.schema);
}

export function staticMarks(): Marks {
  return marksOf(staticSchema);
}

/** As many entries as there are schemas, and no longer than they live. */
const known = new WeakMap<z.ZodType, Marks>();

export function marksOf(schema: z.ZodType): Marks {
  const found = known.get(schema);
  if (found !== undefined) return found;
  const marks = read(schema);
  known.set(schema, marks);
  return marks;
}

function read(schema: z.ZodType): Marks {
  for (let at: z.ZodType | null = schema; at !== null; at = unwrap(at)) {
    const mark = at.meta()?.['secret'];
    if (isMark(mark)) return { kind: 'marked', mark };
    const { type, shape, valueType, element, options, out } = definitionOf(at);
    // A refined duration is another object, and does the same.
    if (out !== undefined && out === definitionOf(duration).out) return { kind: 'duration' };
    if (type === 'object' && shape !== undefined) {
      const fields = Object.entries(shape).map(([key, child]) => [key, marksOf(child)] as const);
      const silent = Object.keys(shape).filter((key) => hasZeroDefault(shape[key] as z.ZodType));
      return { kind: 'object', fields: new Map(fields), silent: new Set(silent) };
    }
    const each = type === 'record' ? valueType : type === 'array' ? element : undefined;
    if (each !== undefined) return { kind: 'each', of: marksOf(each) };
    if (type === 'union' && options !== undefined) return strictest(options.map(marksOf));
  }
  return { kind: 'leaf' };
}

function hasZeroDefault(schema: z.ZodType): boolean {
  for (let at: z.ZodType | null = schema; at !== null; at = unwrap(at)) {
    const { type, defaultValue } = definitionOf(at) as {
      readonly type: string;
      readonly defaultValue?: unknown;
    };
    if (type === 'default') return isZero(defaultValue);
  }
  return false;
}

/** What Go's encoder takes for empty. */
export function isZero(value: unknown): boolean {
  if (value === '' || value === 0 || value === false) return true;
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

const allMarks: readonly SecretMark[] = ['value', 'url', 'request-headers', 'response-headers'];

function isMark(value: unknown): value is SecretMark {
  return typeof value === 'string' && allMarks.includes(value as SecretMark);
}

/** Of the alternatives of a union: a mark wins, then whatever has parts. */
function strictest(all: readonly Marks[]): Marks {
  return (
    all.find(({ kind }) => kind === 'marked') ?? all.find(({ kind }) => kind !== 'leaf') ?? { kind: 'leaf' }
  );
}
