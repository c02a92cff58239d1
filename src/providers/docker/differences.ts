// Which keys of two values differ: names only, since values may be secrets.

import { canonicalJson } from '../../config/dynamic/hash.ts';

/** Names told in one message. */
const maxNames = 5;

/** Dotted names of keys that differ, at most five; `loadBalancer` and `options` are levels nobody wrote. */
export function differingKeys(a: unknown, b: unknown): string[] {
  const found: string[] = [];
  walk(a, b, '', found);
  if (found.length <= maxNames) return found.length === 0 ? ['options'] : found;
  return [...found.slice(0, maxNames), `and ${found.length - maxNames} more`];
}

function walk(a: unknown, b: unknown, path: string, found: string[]): void {
  if (canonicalJson(a) === canonicalJson(b)) return;
  if (!isRecord(a) || !isRecord(b)) {
    found.push(path);
    return;
  }
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    if (key === 'servers') continue;
    const isOurs = path === '' && (key === 'loadBalancer' || key === 'options');
    walk(a[key], b[key], isOurs ? '' : path === '' ? key : `${path}.${key}`, found);
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
