// Whether two pieces of plain data say the same, and objects kept where they do.

/** Of plain data only: objects, arrays and primitives, without cycles. A key that is undefined is absent. */
export function sameData(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) {
    return Number.isNaN(a) && Number.isNaN(b);
  }
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, i) => sameData(item, b[i]));
  }
  if (Array.isArray(b)) return false;
  return hasAll(a, b, true) && hasAll(b, a, false);
}

/** `fresh` with every object replaced by the one of the same name in `known`, where both say the same. */
export function keepIdentity<T extends { readonly name: string }>(
  fresh: readonly T[],
  known: readonly T[],
): readonly T[] {
  if (fresh === known) return known;
  let byName: Map<string, T> | null = null;
  return fresh.map((item, i) => {
    // Both sides are sorted by name, so that most stand in the same place.
    let old = known[i];
    if (old === item) return item;
    if (old?.name !== item.name) {
      byName ??= new Map(known.map((each) => [each.name, each]));
      old = byName.get(item.name);
    }
    return old !== undefined && sameData(old, item) ? old : item;
  });
}

function hasAll(a: object, b: object, compares: boolean): boolean {
  for (const key of Object.keys(a)) {
    const value = (a as Record<string, unknown>)[key];
    if (value === undefined) continue;
    const other = Object.hasOwn(b, key) ? (b as Record<string, unknown>)[key] : undefined;
    if (compares ? !sameData(value, other) : other === undefined) return false;
  }
  return true;
}
