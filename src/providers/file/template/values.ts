// The values a template works on, and what Go does with them.

export type Value = string | number | boolean | null | readonly Value[] | ValueMap;

/** Texts by name, or the named fields of what a template is about. */
export type ValueMap = ReadonlyMap<string, Value>;

export function isMap(value: Value): value is ValueMap {
  return value instanceof Map;
}

export function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

/** What `if` takes for true: anything but nothing, zero, false and the empty. */
export function isTrue(value: Value): boolean {
  if (value === null) return false;
  if (isMap(value)) return value.size > 0;
  return typeof value === 'object' ? value.length > 0 : Boolean(value);
}

export function print(value: Value): string {
  if (value === null) return '<no value>';
  if (isMap(value))
    return `map[${sortedKeys(value)
      .map((key) => `${key}:${print(value.get(key) ?? null)}`)
      .join(' ')}]`;
  return typeof value === 'object' ? `[${value.map(print).join(' ')}]` : String(value);
}

/** Names in the order Go walks through them. */
export function sortedKeys(map: ValueMap): string[] {
  return [...map.keys()].sort();
}

/** Throws `Error` when the two cannot be compared. */
export function equal(a: Value, b: Value): boolean {
  if (a === null || b === null) return a === b;
  if (typeof a !== typeof b || typeof a === 'object')
    throw new Error('values of different kinds cannot be compared');
  return a === b;
}

/** Below, at or above 0. Throws `Error` when the two have no order. */
export function compareValues(a: Value, b: Value): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : a > b ? 1 : 0;
  throw new Error('only two numbers or two texts have an order');
}
