// Field types shared by every schema: they take what YAML and TOML carry (typed) and what flags, env and
// labels carry (text), and give one form. A value that cannot be read says what was expected.

import { z } from 'zod';

const trueWords = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);
const falseWords = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False']);

/** Go's ParseBool. */
export const bool: z.ZodType<boolean> = z.any().transform((value, context) => {
  if (typeof value === 'boolean') return value;
  // A map without a prototype has no text.
  const text = typeof value === 'object' ? '' : String(value);
  if (trueWords.has(text)) return true;
  if (falseWords.has(text)) return false;
  context.addIssue({ code: 'custom', message: 'expected true or false' });
  return z.NEVER;
});

/** A whole number, written as number or text. */
export const int: z.ZodType<number> = z.any().transform((value, context) => {
  const number = typeof value === 'string' && /^[+-]?\d+$/.test(value.trim()) ? Number(value) : value;
  if (typeof number === 'number' && Number.isSafeInteger(number)) return number;
  if (typeof number === 'bigint' && number >= -(2n ** 53n) && number <= 2n ** 53n) return Number(number);
  context.addIssue({ code: 'custom', message: 'expected a whole number' });
  return z.NEVER;
});

/** A whole number up to 2^63 - 1, as priorities are. */
export const bigint: z.ZodType<bigint> = z.any().transform((value, context) => {
  const isText = typeof value === 'string' && /^[+-]?\d{1,19}$/.test(value.trim());
  if (typeof value === 'bigint' || isText || (typeof value === 'number' && Number.isInteger(value))) {
    return BigInt(typeof value === 'string' ? value.trim() : (value as bigint | number));
  }
  context.addIssue({ code: 'custom', message: 'expected a whole number' });
  return z.NEVER;
});

/** Text; numbers and booleans of YAML become their text. */
export const text: z.ZodType<string> = z.any().transform((value, context) => {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint')
    return String(value);
  context.addIssue({ code: 'custom', message: 'expected text' });
  return z.NEVER;
});

/** A list of texts: a YAML or TOML list, or one comma-separated text whose items are trimmed. */
export const list: z.ZodType<string[]> = z.any().transform((value, context) => {
  if (typeof value === 'string') return splitList(value);
  if (Array.isArray(value) && value.every((item) => typeof item !== 'object')) return value.map(String);
  context.addIssue({ code: 'custom', message: 'expected a list of texts' });
  return z.NEVER;
});

function splitList(value: string): string[] {
  if (value.trim() === '') return [];
  return value.split(',').map((item) => item.trim());
}

const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Milliseconds, as many as 2^63 nanoseconds: longer ones the other readers of these files refuse, too. */
const longestDuration = 2 ** 63 / 1e6;
/** Milliseconds that a timer can wait. */
const longestTimer = 2 ** 31 - 1;

/** Milliseconds. A bare whole number is seconds; else Go's form: `1h2m`, `500ms`, `-1s`. */
export const duration: z.ZodType<number> = z.any().transform((value, context) => {
  const ms = parseDuration(value);
  if (ms !== null && Math.abs(ms) <= longestDuration) return ms;
  context.addIssue({
    code: 'custom',
    message:
      ms === null
        ? 'expected a duration: seconds as a number, or 500ms, 30s, 1h30m'
        : 'expected a duration of at most 2562047h',
  });
  return z.NEVER;
});

/**
 * A duration that becomes a timer, 0 or more. What is longer than a timer can wait (24.8 days; beyond that it
 * would fire at once) becomes that.
 */
export const timeout: z.ZodType<number> = duration
  .refine((ms) => ms >= 0, 'expected 0 or more')
  .transform((ms) => Math.min(ms, longestTimer));

/** Milliseconds, or null when it is not a duration. */
export function parseDuration(value: unknown): number | null {
  if (typeof value === 'number') return Number.isInteger(value) ? value * 1000 : null;
  if (typeof value === 'bigint') return Number(value) * 1000;
  if (typeof value !== 'string') return null;
  const written = value.trim();
  if (/^[+-]?\d+$/.test(written)) return Number(written) * 1000;
  // Digits can be read in one way only: with two, a text of nothing but digits takes seconds.
  const match = /^([+-]?)(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|ms|s|m|h))+$/.exec(written);
  if (match === null) return null;
  let total = 0;
  for (const part of written.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/g)) {
    total += Number(part[1]) * (unitMs[part[2] as string] as number);
  }
  return match[1] === '-' ? -total : total;
}

/** Free keys with text values: header maps. Keys keep their case. */
export const textMap: z.ZodRecord<z.ZodString, typeof text> = z.record(z.string(), text);

/**
 * A section that may be switched on by itself (`section*` of Traefik's reference): a bare `true`, `{}` or
 * any child enables it, `false` disables it even with children. The decoder reads the mark.
 */
export function section<Shape extends z.ZodRawShape>(shape: Shape): z.ZodObject<Shape> {
  return z.strictObject(shape).meta({ section: true }) as unknown as z.ZodObject<Shape>;
}

/** A section that needs at least one child. */
export function object<Shape extends z.ZodRawShape>(shape: Shape): z.ZodObject<Shape> {
  return z.strictObject(shape) as unknown as z.ZodObject<Shape>;
}

/**
 * `value`: all of it is hidden. `url`: the userinfo and the query are. `request-headers`, `response-headers`: a map of header names to values, of which the
 * API shows those that can hold no secret.
 */
export type SecretMark = 'value' | 'url' | 'request-headers' | 'response-headers';

/** Says who may see a field. Goes around everything else: `secret(list.default([]))`. */
export function secret<Schema extends z.ZodType>(schema: Schema, mark: SecretMark = 'value'): Schema {
  return schema.meta({ ...schema.meta(), secret: mark });
}
