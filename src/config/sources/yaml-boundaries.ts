// Where the objects of a YAML text begin: the keys of the first three levels (`http`, `routers`, `app`), at
// each of which a parser has read all before it and stands in a map that it knows.

import { isMap, isScalar, type Document, type LineCounter, type YAMLMap } from 'yaml';

/** Level of the objects; their sections have 1, the roots 0. */
export const objectLevel = 2;

export interface Boundary {
  readonly level: number;
  readonly key: string;
  /** Of the line in block style, of the key in flow style. */
  readonly offset: number;
  readonly keyStart: number;
  /** Behind the key, where its colon stands. */
  readonly keyEnd: number;
  /** Of the key, from 1. */
  readonly line: number;
  readonly column: number;
}

export interface Boundaries {
  /** JSON, mostly: braces instead of indentation. */
  readonly isFlow: boolean;
  /** In the order of the text; at most one for each key of three levels. */
  readonly list: readonly Boundary[];
}

/** Null for a text whose keys are written in ways that say less about where things begin. */
export function boundariesOf(text: string, document: Document, lines: LineCounter): Boundaries | null {
  const root = document.contents;
  if (!isMap(root)) return null;
  const walk: Walk = { text, lines, isFlow: root.flow === true, list: [] };
  return collect(walk, root, 0) ? { isFlow: walk.isFlow, list: walk.list } : null;
}

interface Walk {
  readonly text: string;
  readonly lines: LineCounter;
  readonly isFlow: boolean;
  readonly list: Boundary[];
}

function collect(walk: Walk, map: YAMLMap, level: number): boolean {
  for (const { key, value } of map.items) {
    const boundary = isScalar(key) ? boundaryAt(walk, key.range ?? null, String(key.value), level) : null;
    if (boundary === null) return false;
    walk.list.push(boundary);
    if (level === objectLevel || !isMap(value)) continue;
    // In a section of the other style nothing begins that counts.
    if ((value.flow === true) === walk.isFlow && !collect(walk, value, level + 1)) return false;
  }
  return true;
}

function boundaryAt(
  { text, lines, isFlow }: Walk,
  range: readonly number[] | null,
  key: string,
  level: number,
): Boundary | null {
  const [keyStart = 0, keyEnd = 0] = range ?? [];
  if (range === null || text[keyEnd] !== ':') return null;
  const { line, col: column } = lines.linePos(keyStart);
  const offset = isFlow ? keyStart : keyStart - column + 1;
  // Anything else before the key (`?`, a tag, an anchor) is part of how it is read.
  const isBare = isFlow
    ? /[{,]\s*$/.test(text.slice(Math.max(0, keyStart - 64), keyStart))
    : isBlank(text, offset, keyStart);
  return isBare ? { level, key, offset, keyStart, keyEnd, line, column } : null;
}

function isBlank(text: string, from: number, to: number): boolean {
  for (let i = from; i < to; i += 1) if (text[i] !== ' ') return false;
  return true;
}
