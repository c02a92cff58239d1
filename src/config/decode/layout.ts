// What the decoder needs to know of a zod schema: object, map, array or leaf, under all wrappers.

import type { z } from 'zod';
import type { Tree } from '../tree.ts';

export type Layout =
  | {
      readonly kind: 'object';
      readonly section: boolean;
      readonly shape: Readonly<Record<string, z.ZodType>>;
      /** Lower case to the schema's spelling. */
      readonly keys: ReadonlyMap<string, string>;
    }
  | { readonly kind: 'map'; readonly section: boolean; readonly value: z.ZodType }
  | { readonly kind: 'array'; readonly section: boolean; readonly element: z.ZodType }
  | { readonly kind: 'leaf'; readonly section: boolean };

/** The parts of zod's own definition objects that are read here. */
interface Definition {
  readonly type: string;
  readonly innerType?: z.ZodType;
  readonly in?: z.ZodType;
  readonly out?: z.ZodType;
  readonly shape?: Record<string, z.ZodType>;
  readonly valueType?: z.ZodType;
  readonly element?: z.ZodType;
  readonly options?: readonly z.ZodType[];
  readonly getter?: () => z.ZodType;
}

/** As many entries as there are schemas, and no longer than they live. */
const layouts = new WeakMap<z.ZodType, Layout>();

/** The layout of `schema`; a union is decided by the written node's kind. */
export function layoutOf(schema: z.ZodType, node: Tree): Layout {
  const union = unionOf(schema);
  if (union !== null) return layoutOf(choose(union, node), node);
  const known = layouts.get(schema);
  if (known !== undefined) return known;
  const layout = describe(schema, false);
  layouts.set(schema, layout);
  return layout;
}

/** The schema's spelling of a key written in any case; null when it has no such key. */
export function canonicalKey(layout: Layout & { kind: 'object' }, written: string): string | null {
  return layout.keys.get(written.toLowerCase()) ?? null;
}

export function childOf(layout: Layout & { kind: 'object' }, key: string): z.ZodType {
  return layout.shape[key] as z.ZodType;
}

/** The keys worth naming to someone who mistyped one: not those that are only known to be refused. */
export function suggestedKeys(layout: Layout & { kind: 'object' }): string[] {
  return Object.keys(layout.shape).filter((key) => {
    const status = layout.shape[key]?.meta()?.['status'];
    return status !== 'removed' && status !== 'refused';
  });
}

/** The schema under optional, default, nullable, readonly and preprocess, one layer at a time. */
export function unwrap(schema: z.ZodType): z.ZodType | null {
  const definition = definitionOf(schema);
  if (definition.innerType !== undefined) return definition.innerType;
  if (definition.type === 'lazy') return definition.getter?.() ?? null;
  if (definition.type !== 'pipe' || definition.in === undefined || definition.out === undefined) return null;
  return definitionOf(definition.in).type === 'transform' ? definition.out : definition.in;
}

export function definitionOf(schema: z.ZodType): Definition {
  return schema._zod.def as unknown as Definition;
}

function describe(schema: z.ZodType, isSection: boolean): Layout {
  const section = isSection || schema.meta()?.['section'] === true;
  const definition = definitionOf(schema);
  if (definition.type === 'object' && definition.shape !== undefined) {
    const shape = definition.shape;
    return {
      kind: 'object',
      section,
      shape,
      keys: new Map(Object.keys(shape).map((key) => [key.toLowerCase(), key])),
    };
  }
  if (definition.type === 'record' && definition.valueType !== undefined)
    return { kind: 'map', section, value: definition.valueType };
  if (definition.type === 'array' && definition.element !== undefined)
    return { kind: 'array', section, element: definition.element };
  const inner = unwrap(schema);
  return inner === null ? { kind: 'leaf', section } : describe(inner, section);
}

function unionOf(schema: z.ZodType): readonly z.ZodType[] | null {
  let at: z.ZodType | null = schema;
  while (at !== null) {
    const definition = definitionOf(at);
    if (definition.type === 'union' && definition.options !== undefined) return definition.options;
    at = unwrap(at);
  }
  return null;
}

function choose(options: readonly z.ZodType[], node: Tree): z.ZodType {
  const wanted =
    node.kind === 'map' ? ['object', 'map'] : node.kind === 'list' ? ['array', 'leaf'] : ['leaf'];
  const fits = options.find((option) => wanted.includes(describe(option, false).kind));
  return fits ?? (options[0] as z.ZodType);
}
