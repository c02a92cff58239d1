// The schema of a middleware object, made from the catalogue.

import { z } from 'zod';
import { catalogue } from '../../proxy/middlewares/catalogue.ts';
import type { MiddlewareDefinition } from '../../proxy/middlewares/define.ts';
import { object } from '../../proxy/middlewares/fields.ts';

/** Every kind and alias as it is written, to its definition. */
export const definitions: ReadonlyMap<string, MiddlewareDefinition> = new Map(
  catalogue.flatMap((definition) =>
    [definition.kind, ...(definition.aliases ?? [])].map((kind) => [kind, definition] as const),
  ),
);

/** One key per kind, all optional: exactly one must be there. */
export const middlewareSchema: z.ZodType<Readonly<Record<string, unknown>>> = object(
  Object.fromEntries([...definitions].map(([kind, definition]) => [kind, definition.schema.optional()])),
);

/**
 * Options of a kind as its schema makes them, for objects that the gateway itself defines.
 * Throws `Error` when the kind or the options are wrong.
 */
export function middlewareOptions(kind: string, written: unknown): unknown {
  const definition = definitions.get(kind);
  if (definition === undefined) throw new Error(`there is no middleware kind ${kind}`);
  return z.parse(definition.schema, written);
}
