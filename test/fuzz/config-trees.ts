// Configurations as plain data, and the ways to write them down: YAML in blocks and in flow, TOML, labels.

import fc from 'fast-check';
import { plain } from '../../src/config/decode/values.ts';
import type { MapNode, Tree } from '../../src/config/tree.ts';

export type Value = string | number | boolean | readonly Value[] | { readonly [key: string]: Value };
export type Entries = Readonly<Record<string, Value>>;

const key = fc.oneof(
  fc.stringMatching(/^[a-z][a-z0-9_-]{0,8}$/),
  fc.constantFrom(
    '__proto__',
    'constructor',
    'toString',
    '<<',
    'a.b',
    'é',
    ' ',
    '-',
    'null',
    'true',
    '~',
    '#',
    'A',
    '😀',
  ),
);
const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.constantFrom(
    '',
    'true',
    '~',
    'null',
    '1',
    '0x1',
    '1e3',
    '2026-01-01',
    '!!str a',
    '*a',
    '&a',
    '<<',
    '"',
    "'",
    '#',
    ' a ',
    'a\nb',
    '\u2028',
    '\ufeff',
    '\x7f',
    '\x85',
    '`Host`',
    '{{',
  ),
);
const scalar: fc.Arbitrary<Value> = fc.oneof(
  text,
  fc.integer({ min: -(2 ** 53 - 1), max: 2 ** 53 - 1 } as never),
  fc.boolean(),
  fc.constantFrom(0.5, -1.25),
);

/** Keys may be anything but numbers alone and nothing. */
export const anyConfig: fc.Arbitrary<Entries> = fc.letrec<{ value: Value; map: Entries }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    scalar,
    fc.array(tie('value'), { maxLength: 3 }),
    tie('map'),
  ),
  map: fc.array(fc.tuple(key, tie('value')), { maxLength: 4 }).map((entries) => toEntries(entries)),
})).map;

export function toEntries(entries: readonly (readonly [string, Value])[]): Entries {
  const made: Record<string, Value> = {};
  // Not by assignment: that would set the prototype.
  for (const [name, value] of entries)
    Object.defineProperty(made, name, { value, enumerable: true, configurable: true, writable: true });
  return made;
}

/** Printable ASCII but quotes and backslashes as it is, all else escaped as both languages know it. */
export function quote(value: string): string {
  const escaped = Array.from(value, (char) => {
    const code = char.codePointAt(0) as number;
    if (char === '"' || char === '\\') return `\\${char}`;
    if (code >= 0x20 && code < 0x7f) return char;
    return code > 0xffff
      ? `\\U${code.toString(16).padStart(8, '0')}`
      : `\\u${code.toString(16).padStart(4, '0')}`;
  });
  return `"${escaped.join('')}"`;
}

export function toFlow(value: Value): string {
  if (isList(value)) return `[${value.map(toFlow).join(', ')}]`;
  if (typeof value === 'object')
    return `{${Object.entries(value)
      .map(([name, item]) => `${quote(name)}: ${toFlow(item)}`)
      .join(', ')}}`;
  return typeof value === 'string' ? quote(value) : String(value);
}

export function toBlock(value: Value, indent = ''): string {
  if (isList(value) && value.length > 0)
    return value.map((item) => `\n${indent}- ${toBlock(item, `${indent}  `).trimStart()}`).join('');
  if (typeof value === 'object' && !isList(value) && Object.keys(value).length > 0) {
    return Object.entries(value)
      .map(([name, item]) => `\n${indent}${quote(name)}: ${toBlock(item, `${indent}  `)}`)
      .join('');
  }
  return toFlow(value);
}

/** Tables where there are maps, tables of tables where there are lists of nothing but maps, and values in line. */
export function toToml(value: Entries, path = ''): string {
  const tables: string[] = [];
  let lines = '';
  for (const [name, item] of Object.entries(value)) {
    const full = path === '' ? quote(name) : `${path}.${quote(name)}`;
    if (isList(item) && item.length > 0 && item.every(isMap))
      tables.push(...item.map((one) => `[[${full}]]\n${toToml(one as Entries, full)}`));
    else if (isMap(item)) tables.push(`[${full}]\n${toToml(item as Entries, full)}`);
    else lines += `${quote(name)} = ${inline(item)}\n`;
  }
  return lines + tables.join('');
}

function inline(value: Value): string {
  if (isList(value)) return `[${value.map(inline).join(', ')}]`;
  if (typeof value === 'object')
    return `{${Object.entries(value)
      .map(([name, item]) => `${quote(name)} = ${inline(item)}`)
      .join(', ')}}`;
  return typeof value === 'string' ? quote(value) : String(value);
}

/** Leaves as labels below `prefix`; what is empty is nowhere. */
export function toLabels(value: Value, prefix: string): Record<string, string> {
  if (typeof value !== 'object') return { [prefix]: String(value) };
  if (isList(value) && value.every((item) => typeof item !== 'object')) return { [prefix]: value.join(',') };
  const below = isList(value)
    ? value.map((item, i) => toLabels(item, `${prefix}[${i}]`))
    : Object.entries(value).map(([name, item]) => toLabels(item, `${prefix}.${name}`));
  return Object.assign({}, ...below) as Record<string, string>;
}

/** What a tree says, as plain data with ordinary prototypes. */
export function said(tree: Tree | null): unknown {
  return tree === null ? {} : withPrototypes(plain(tree));
}

export function leavesOf(tree: Tree | null): number {
  if (tree === null) return 0;
  if (tree.kind === 'scalar') return 1;
  const children =
    tree.kind === 'list' ? tree.items : [...(tree as MapNode).entries.values()].map(({ node }) => node);
  return children.reduce((sum, child) => sum + leavesOf(child), 0);
}

function withPrototypes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withPrototypes);
  if (typeof value !== 'object' || value === null) return value;
  return toEntries(Object.entries(value).map(([name, item]) => [name, withPrototypes(item) as Value]));
}

function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

function isMap(value: Value): boolean {
  return typeof value === 'object' && !Array.isArray(value);
}
