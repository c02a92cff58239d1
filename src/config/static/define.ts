// How a static key is described: its field type, default, one line for `--help`, and whether it has an effect.

import { z } from 'zod';
import { bigint, bool, duration, int, list, text } from '../../proxy/middlewares/fields.ts';
import { unwrap } from '../decode/layout.ts';

/**
 * `effective`: does what it says. `later`: accepted and checked, without effect in this version.
 * `refused`: not supported. `removed`: an option that v3 of the configuration no longer has.
 */
export type Status = 'effective' | 'later' | 'refused' | 'removed';

export type FieldType = 'bool' | 'int' | 'text' | 'list' | 'duration';

export interface KeyNote {
  readonly status?: Status;
  readonly type?: FieldType;
  readonly summary?: string;
  /** As a user would write it. */
  readonly shown?: string;
  /** What to do instead, for `refused` and `removed`. */
  readonly instead?: string;
  readonly section?: boolean;
}

const fieldTypes: ReadonlyMap<z.ZodType, FieldType> = new Map<z.ZodType, FieldType>([
  [bool, 'bool'],
  [int, 'int'],
  [bigint, 'int'],
  [text, 'text'],
  [list, 'list'],
  [duration, 'duration'],
]);

/** A key that may be absent. */
export function key<T>(field: z.ZodType<T>, summary: string): z.ZodOptional<z.ZodType<T>> {
  return field.optional().meta({ type: fieldTypes.get(field) ?? 'text', summary }) as z.ZodOptional<
    z.ZodType<T>
  >;
}

/** A key with a default; durations are in milliseconds. */
export function keyOr<T>(field: z.ZodType<T>, fallback: T, summary: string): z.ZodDefault<z.ZodType<T>> {
  const type = fieldTypes.get(field) ?? 'text';
  const shown =
    type === 'duration'
      ? `${Number(fallback) / 1000}s`
      : Array.isArray(fallback)
        ? fallback.join(',')
        : String(fallback);
  return field.default(fallback as never).meta({ type, summary, shown }) as unknown as z.ZodDefault<
    z.ZodType<T>
  >;
}

/** One of a few words. */
export function oneOf<const W extends string>(
  words: readonly W[],
  options: { anyCase?: boolean } = {},
): z.ZodType<W> {
  return z.any().transform((value, context): W => {
    const text = typeof value === 'object' ? '' : String(value);
    const written = options.anyCase === true ? text.toLowerCase() : text;
    const word = words.find(
      (candidate) => (options.anyCase === true ? candidate.toLowerCase() : candidate) === written,
    );
    if (word !== undefined) return word;
    context.addIssue({ code: 'custom', message: `expected ${words.join(', ')}` });
    return z.NEVER;
  }) as unknown as z.ZodType<W>;
}

/** Accepted and checked, without effect in this version. */
export function later<S extends z.ZodType>(schema: S): S {
  return schema.meta({ ...schema.meta(), status: 'later' satisfies Status });
}

/** Not supported: writing it is an error. */
export function refused(instead?: string): z.ZodOptional<z.ZodType<unknown>> {
  return noted({ status: 'refused', ...(instead === undefined ? {} : { instead }) });
}

/** Gone from the configuration since v3: writing it is an error, even as `false`. */
export function removed(instead: string): z.ZodOptional<z.ZodType<unknown>> {
  return noted({ status: 'removed', instead });
}

function noted(note: KeyNote): z.ZodOptional<z.ZodType<unknown>> {
  return z
    .any()
    .optional()
    .meta({ ...note }) as z.ZodOptional<z.ZodType<unknown>>;
}

/** The notes of a schema and all it wraps, the outermost first. */
export function noteOf(schema: z.ZodType): KeyNote {
  let note: KeyNote = {};
  for (let at: z.ZodType | null = schema; at !== null; at = unwrap(at))
    note = { ...(at.meta() as KeyNote | undefined), ...note };
  return note;
}
