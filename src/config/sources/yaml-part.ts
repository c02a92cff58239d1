// The objects of a YAML text around a change: cut out at boundaries, and parsed by themselves between the keys
// above them and one more key behind, which shows that the parser ends where it would have ended before.

import type { MapNode } from '../tree.ts';
import { type Boundaries, boundariesOf, type Boundary, objectLevel } from './yaml-boundaries.ts';
import { readYaml } from './yaml.ts';

/** What two texts have in common, and how much longer the second one is. */
export interface Change {
  /** First character that differs. */
  readonly start: number;
  /** First character of the common end, in the text before. */
  readonly end: number;
  readonly grown: number;
}

/** Null for equal texts. */
export function changeBetween(before: string, after: string): Change | null {
  if (before === after) return null;
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before.charCodeAt(start) === after.charCodeAt(start)) start += 1;
  // A line put in before another one shares its indentation with it: that belongs to what comes behind.
  while (start > 0 && before[start - 1] === ' ') start -= 1;
  const grown = after.length - before.length;
  let end = before.length;
  while (
    end > start &&
    end + grown > start &&
    before.charCodeAt(end - 1) === after.charCodeAt(end + grown - 1)
  ) {
    end -= 1;
  }
  return { start, end, grown };
}

/** Objects of one section, from one boundary to another. */
export interface Part {
  /** Keys above: root and section. */
  readonly above: readonly [Boundary, Boundary];
  /** Index of the first object's boundary. */
  readonly first: number;
  /** Index of the first boundary behind: as many as there are at the end of the text. */
  readonly last: number;
  /** Index of the boundary of the first object in the section. */
  readonly firstOfSection: number;
  readonly from: Boundary;
  /** Null at the end of the text. */
  readonly to: Boundary | null;
  readonly isFlow: boolean;
}

/** Null when the change touches more than objects of one section. */
export function partAround({ list, isFlow }: Boundaries, change: Change): Part | null {
  // Key, colon and one more character of it are as before: the parser comes to it as before.
  const first = list.findLastIndex(({ keyEnd }) => keyEnd + 2 <= change.start);
  const from = list[first];
  if (from === undefined || from.level !== objectLevel) return null;
  let last = first + 1;
  for (; last < list.length; last += 1) {
    const boundary = list[last] as Boundary;
    if (boundary.offset >= change.end) break;
    if (boundary.level !== objectLevel) return null;
  }
  const at = list.findLastIndex(({ level }, i) => i < first && level === 1);
  const root = list.findLast(({ level }, i) => i < at && level === 0);
  const section = list[at];
  if (section === undefined || root === undefined) return null;
  return {
    above: [root, section],
    first,
    last,
    firstOfSection: at + 1,
    from,
    to: list[last] ?? null,
    isFlow,
  };
}

export interface ReadPart {
  /** Its objects by name, with places as in the text of the part. */
  readonly objects: MapNode['entries'];
  readonly boundaries: readonly Boundary[];
  /** Lines and characters that stand before the part's text. */
  readonly linesBefore: number;
  readonly charsBefore: number;
  readonly nodes: number;
}

/** A key nobody writes. */
const endKey = 'portcullis: end of part';

/** `keyText` gives a key as it is written. Null when the part cannot be read by itself, or has any fault. */
export function readPart(
  text: string,
  source: string,
  part: Part,
  keyText: (boundary: Boundary) => string,
): ReadPart | null {
  if (!part.isFlow && part.to !== null && !text.endsWith('\n')) return null;
  const head = headOf(part, keyText);
  const whole = `${head}${text}${tailOf(part)}`;
  const read = readYaml(whole, source);
  const { tree } = read.parsed;
  if (tree?.kind !== 'map' || read.document === null || read.hasAliases) return null;
  const found = boundariesOf(whole, read.document, read.lines);
  if (found === null || found.isFlow !== part.isFlow || !isInPlace(found.list, part)) return null;
  const root = tree.entries.get(part.above[0].key)?.node;
  const section = root?.kind === 'map' ? root.entries.get(part.above[1].key)?.node : undefined;
  if (section?.kind !== 'map') return null;
  const boundaries = found.list.slice(2, part.to === null ? undefined : -1);
  const objects = new Map([...section.entries].filter(([key]) => key !== endKey));
  return {
    objects,
    boundaries,
    linesBefore: part.isFlow ? 1 : 2,
    charsBefore: head.length,
    nodes: read.nodes,
  };
}

function headOf({ above, isFlow }: Part, keyText: (boundary: Boundary) => string): string {
  if (isFlow) return `${above.map((key) => `{${keyText(key)}: `).join('')}{\n`;
  return above.map((key) => `${' '.repeat(key.column - 1)}${keyText(key)}:\n`).join('');
}

function tailOf({ to, isFlow }: Part): string {
  if (to === null) return '';
  if (isFlow) return `"${endKey}":0${'}'.repeat(to.level + 1)}`;
  return `${' '.repeat(to.column - 1)}"${endKey}": 0\n`;
}

/** The keys above, objects that begin with the one that began the part before, and the last key where it belongs. */
function isInPlace(list: readonly Boundary[], part: Part): boolean {
  const inside = list.slice(2, part.to === null ? undefined : -1);
  const end = list.at(-1);
  return (
    list[0]?.key === part.above[0].key &&
    list[1]?.level === 1 &&
    list[1].key === part.above[1].key &&
    inside[0]?.key === part.from.key &&
    inside.every(({ level, key }) => level === objectLevel && key !== endKey) &&
    (part.to === null || (end?.key === endKey && end.level === part.to.level))
  );
}
