// What is left of a value when everything its schema refuses is taken out: to look further, not to run with.

import type { z } from 'zod';

/** Refused values that are taken out: each costs one more check of the whole. */
const maxRounds = 200;

/** Null when nothing is left, or too much is wrong. Takes `raw` apart. Never throws. */
export function salvage<S extends z.ZodType>(schema: S, raw: unknown): z.output<S> | null {
  for (let round = 0; round < maxRounds; round += 1) {
    const result = attempt(schema, raw);
    if (result === null) return null;
    if (result.success) return result.data;
    // One at a time: a second issue may lie in what the first has just taken along.
    const [issue] = result.error.issues;
    if (issue === undefined || !cut(raw, issue.path)) return null;
  }
  return null;
}

function attempt<S extends z.ZodType>(schema: S, raw: unknown): z.ZodSafeParseResult<z.output<S>> | null {
  try {
    return schema.safeParse(raw);
  } catch {
    return null;
  }
}

/** Deletes the deepest key along `path` that is there; of a list that holds it, the whole list. */
function cut(raw: unknown, path: readonly PropertyKey[]): boolean {
  let at = raw;
  let deepest: { readonly of: Record<PropertyKey, unknown>; readonly key: PropertyKey } | null = null;
  let isInList = false;
  for (const key of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) break;
    isInList ||= Array.isArray(at);
    if (!isInList) deepest = { of: at as Record<PropertyKey, unknown>, key };
    at = (at as Record<PropertyKey, unknown>)[key];
  }
  return deepest !== null && delete deepest.of[deepest.key];
}
