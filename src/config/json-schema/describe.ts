// A zod schema as the values people may write: what JSON Schemas and the reference tables are made of.

import { z } from 'zod';
import { bigint, bool, duration, int, list, text } from '../../proxy/middlewares/fields.ts';
import { definitionOf, unwrap } from '../decode/layout.ts';
import { serverUrl } from '../dynamic/server-url.ts';
import { noteOf } from '../static/define.ts';
import type { KeyNote } from '../static/define.ts';

export type JsonSchema = { readonly [keyword: string]: unknown };

export interface Described {
  readonly kind: 'object' | 'map' | 'array' | 'leaf';
  /** May be switched on and off by one value. */
  readonly isSection: boolean;
  /** In words, for a table: `list`, `duration`, `keep, drop`. */
  readonly type: string;
  readonly note: KeyNote;
  /** As a user would write it; empty without one. */
  readonly fallback: string;
  readonly isRequired: boolean;
  /** The schema under all wrappers. */
  readonly core: z.ZodType;
}

/** Looks through optional, default, pipe and their kin; of a union the first alternative. */
export function describe(schema: z.ZodType): Described {
  const note = noteOf(schema);
  const found = peel(schema);
  const { core } = found;
  const { type } = definitionOf(core);
  const kind = type === 'object' ? 'object' : type === 'record' ? 'map' : type === 'array' ? 'array' : 'leaf';
  const leaf = kind === 'leaf' ? leafType(core, note) : kind;
  return {
    kind,
    isSection: note.section === true,
    type: note.type ?? leaf,
    note,
    fallback: note.shown ?? shown(found.fallback, core),
    isRequired: !found.isOptional,
    core,
  };
}

/** Never throws; a value nobody can describe may be anything. */
export function toJsonSchema(schema: z.ZodType): JsonSchema {
  const { core, isSection, note, fallback, type } = describe(schema);
  const about: Record<string, unknown> = {};
  const words = wordsOf(note);
  if (words !== '') about['description'] = words;
  if (note.status === 'removed' || note.status === 'refused') return { ...about, not: {} };
  if (note.status === 'later') about['$comment'] = 'no effect yet';
  if (fallback !== '') about['default'] = fallback;
  const structure = structureOf(core);
  if (structure !== null) {
    return isSection ? { ...about, anyOf: [structure, switchSchema] } : { ...about, ...structure };
  }
  const leaf = leafSchema(core, type);
  return { ...leaf, ...about, ...describedAs(leaf, words) };
}

const switchSchema: JsonSchema = { enum: [true, false, 'true', 'false'] };

function describedAs(leaf: JsonSchema, words: string): JsonSchema {
  const own = leaf['description'];
  if (typeof own !== 'string') return {};
  return { description: words === '' ? own : `${words} (${own})` };
}

function wordsOf({ summary, instead, status }: KeyNote): string {
  if (status === 'removed') return `Removed: ${instead ?? 'delete it'}`;
  if (status === 'refused') return instead === undefined ? 'Not supported' : `Not supported: ${instead}`;
  return summary ?? '';
}

function structureOf(core: z.ZodType): JsonSchema | null {
  const { type, shape, valueType, element } = definitionOf(core);
  if (type === 'object' && shape !== undefined) {
    const children = Object.entries(shape);
    const required = children.filter(([, child]) => isNeeded(child)).map(([key]) => key);
    return {
      type: 'object',
      properties: Object.fromEntries(children.map(([key, child]) => [key, toJsonSchema(child)])),
      ...(required.length === 0 ? {} : { required }),
      additionalProperties: false,
    };
  }
  if (type === 'record' && valueType !== undefined)
    return { type: 'object', additionalProperties: toJsonSchema(valueType) };
  if (type === 'array' && element !== undefined) return { type: 'array', items: toJsonSchema(element) };
  return null;
}

function isNeeded(schema: z.ZodType): boolean {
  // What a schema takes when nothing is written shows whether something must be.
  return describe(schema).isRequired && !schema.safeParse(undefined).success;
}

interface Peeled {
  readonly core: z.ZodType;
  readonly isOptional: boolean;
  readonly fallback: unknown;
}

function peel(schema: z.ZodType): Peeled {
  let core = schema;
  let isOptional = false;
  let fallback: unknown;
  for (;;) {
    const { type, options } = definitionOf(core);
    if (type === 'optional' || type === 'nullable') isOptional = true;
    if (type === 'default' || type === 'prefault') {
      isOptional = true;
      fallback ??= (core._zod.def as unknown as { defaultValue: unknown }).defaultValue;
    }
    const leaf = leafOf(core);
    if (leaf !== undefined) return { core: leaf, isOptional, fallback };
    const inner: z.ZodType | null =
      type === 'union' && options !== undefined ? (options[0] ?? null) : unwrap(core);
    if (inner === null) return { core, isOptional, fallback };
    // A transform over anything says by itself what it takes; what it hides would say nothing.
    if (type === 'pipe' && definitionOf(inner).type === 'any') return { core, isOptional, fallback };
    core = inner;
  }
}

const leafTypes: ReadonlyMap<z.ZodType, readonly [string, JsonSchema]> = new Map<
  z.ZodType,
  readonly [string, JsonSchema]
>([
  [bool, ['bool', { enum: [true, false, 'true', 'false'] }]],
  [int, ['int', { anyOf: [{ type: 'integer' }, { type: 'string', pattern: '^[+-]?\\d+$' }] }]],
  [bigint, ['int', { anyOf: [{ type: 'integer' }, { type: 'string', pattern: '^[+-]?\\d+$' }] }]],
  [text, ['text', { type: ['string', 'number', 'boolean'] }]],
  [
    list,
    [
      'list',
      { anyOf: [{ type: 'array', items: { type: ['string', 'number', 'boolean'] } }, { type: 'string' }] },
    ],
  ],
  [
    duration,
    [
      'duration',
      {
        anyOf: [
          { type: 'integer' },
          { type: 'string', pattern: '^[+-]?(\\d+|((\\d+\\.?\\d*|\\.\\d+)(ns|us|µs|ms|s|m|h))+)$' },
        ],
      },
    ],
  ],
  [serverUrl, ['URL', { type: 'string', pattern: '^[A-Za-z][A-Za-z0-9+.-]*://' }]],
]);

/** A field with a `refine` is another schema around the same reading. */
const leafByReading: ReadonlyMap<unknown, z.ZodType> = new Map(
  [...leafTypes.keys()].map((leaf) => [definitionOf(leaf).out, leaf]),
);

function leafOf(core: z.ZodType): z.ZodType | undefined {
  return leafTypes.has(core) ? core : leafByReading.get(definitionOf(core).out ?? core);
}

function leafType(core: z.ZodType, note: KeyNote): string {
  const known = leafTypes.get(core);
  if (known !== undefined) return known[0];
  if (note.status === 'refused' || note.status === 'removed') return '';
  const { type } = definitionOf(core);
  if (type === 'string') return 'text';
  if (type === 'enum') return valuesOf(core).join(', ');
  return expectation(core) ?? 'any';
}

function leafSchema(core: z.ZodType, type: string): JsonSchema {
  const known = leafTypes.get(core);
  if (known !== undefined) return known[1];
  const byName = [...leafTypes.values()].find(([name]) => name === type);
  const expected = expectation(core);
  if (definitionOf(core).type === 'enum') return { enum: valuesOf(core) };
  if (definitionOf(core).type === 'string') return { type: 'string' };
  if (expected !== null) return { description: `expected ${expected}` };
  return byName?.[1] ?? {};
}

function valuesOf(core: z.ZodType): string[] {
  const { enum: values } = z.toJSONSchema(core, { unrepresentable: 'any' }) as { enum?: unknown[] };
  return (values ?? []).map(String);
}

/** What a field that reads for itself says it wants: asked with a value no field takes. */
function expectation(core: z.ZodType): string | null {
  if (definitionOf(core).type === 'any') return null;
  try {
    const message = core.safeParse(Symbol('nothing')).error?.issues[0]?.message ?? '';
    return /^expected (.*)$/s.exec(message)?.[1] ?? null;
  } catch {
    return null;
  }
}

function shown(fallback: unknown, core: z.ZodType): string {
  if (fallback === undefined || fallback === null || fallback === '') return '';
  if (typeof fallback === 'function') return '';
  if (core === duration) return `${Number(fallback) / 1000}s`;
  if (Array.isArray(fallback)) return fallback.join(',');
  return typeof fallback === 'object' ? '' : String(fallback);
}
