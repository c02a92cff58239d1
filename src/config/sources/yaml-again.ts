// A changed YAML text, of which only the objects between its first and last change are parsed again: when one
// of 10,000 routers changes, parsing all takes longer than the rest of the reload.

import type { Place } from '../../model/diagnostic.ts';
import type { MapNode, Tree } from '../tree.ts';
import { movedPlace, movedTree, type Shift } from './move-tree.ts';
import { boundariesOf, type Boundaries, type Boundary } from './yaml-boundaries.ts';
import { changeBetween, type Part, partAround, readPart, type ReadPart } from './yaml-part.ts';
import { maxYamlNodes, type ParsedSource, type ReadYaml, readYaml } from './yaml.ts';

/** Characters of a text that is worth remembering: shorter ones are parsed in a few milliseconds. */
export const minRemembered: number = 64 * 1024;

/** The last text of one source in which nothing was wrong, as it was read. */
export interface YamlMemory {
  readonly text: string;
  readonly tree: MapNode;
  readonly boundaries: Boundaries;
  /** At least as many as the tree has. */
  readonly nodes: number;
}

export interface ParsedAgain {
  readonly parsed: ParsedSource;
  /** For the next text; null when this one cannot be read in part. */
  readonly memory: YamlMemory | null;
  /** Maps of the tree that only stand elsewhere by now → what they were in the tree before. */
  readonly moved: ReadonlyMap<Tree, Tree>;
}

/**
 * What `parseYaml` says of `text`, by way of the text before where that is safe. Objects that nothing happened
 * to are the very nodes of the tree before.
 */
export function parseYamlAgain(text: string, source: string, before: YamlMemory | null): ParsedAgain {
  const again = before === null ? null : readInPart(text, source, before);
  if (again !== null) return again;
  const read = readYaml(text, source);
  return { parsed: read.parsed, memory: remember(text, read), moved: new Map() };
}

function remember(text: string, read: ReadYaml): YamlMemory | null {
  const { tree } = read.parsed;
  if (text.length < minRemembered || tree?.kind !== 'map') return null;
  if (read.document === null || read.hasAliases || hasMarkers(text)) return null;
  const boundaries = boundariesOf(text, read.document, read.lines);
  return boundaries === null ? null : { text, tree, boundaries, nodes: read.nodes };
}

/** Document markers, directives and a byte order mark: what follows them is read by other rules. */
function hasMarkers(text: string): boolean {
  return /^(?:---|\.\.\.|%|\uFEFF)/m.test(text);
}

/** Null when the change cannot be told apart from what stands around it, or anything is wrong with it. */
function readInPart(text: string, source: string, before: YamlMemory): ParsedAgain | null {
  const change = changeBetween(before.text, text);
  if (change === null)
    return { parsed: { tree: before.tree, diagnostics: [] }, memory: before, moved: new Map() };
  const part = partAround(before.boundaries, change);
  if (part === null) return null;
  const end = (part.to?.offset ?? before.text.length) + change.grown;
  const changed = text.slice(part.from.offset, end);
  if (hasMarkers(changed)) return null;
  const read = readPart(changed, source, part, ({ keyStart, keyEnd }) => before.text.slice(keyStart, keyEnd));
  if (read === null || before.nodes + read.nodes > maxYamlNodes) return null;
  const work: Splice = {
    part,
    read,
    inside: {
      chars: part.from.offset - read.charsBefore,
      lines: part.from.line - 1 - read.linesBefore,
      line: read.linesBefore + 1,
      columns: part.isFlow ? part.from.column - 1 : 0,
    },
    behind:
      part.to === null
        ? noShift
        : shiftBehind(text, part.to, change.grown, part.from.line + newlines(changed)),
    moved: new Map(),
  };
  const tree = splicedTree(before.tree, work);
  if (tree === null) return null;
  const boundaries = splicedBoundaries(before.boundaries, work);
  const memory = { text, tree, boundaries, nodes: before.nodes + read.nodes };
  return { parsed: { tree, diagnostics: [] }, memory, moved: work.moved };
}

interface TextShift extends Shift {
  readonly chars: number;
}

interface Splice {
  readonly part: Part;
  readonly read: ReadPart;
  /** From the part's own text to its place in the whole one. */
  readonly inside: TextShift;
  /** From the text before to this one, for what stands behind the part. */
  readonly behind: TextShift;
  readonly moved: Map<Tree, Tree>;
}

const noShift: TextShift = { chars: 0, lines: 0, line: 0, columns: 0 };

function shiftBehind(text: string, to: Boundary, grown: number, line: number): TextShift {
  const keyStart = to.keyStart + grown;
  const column = keyStart - text.lastIndexOf('\n', keyStart - 1);
  return { chars: grown, lines: line - to.line, line: to.line, columns: column - to.column };
}

function newlines(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count += 1;
  return count;
}

/** Null when a name in the part is also one outside of it. */
function splicedTree(root: MapNode, work: Splice): MapNode | null {
  const [rootKey, sectionKey] = work.part.above;
  return within(root, rootKey.key, work, (http) =>
    within(http, sectionKey.key, work, (section) => splicedSection(section, work)),
  );
}

/** `map` with the value under `name` replaced, and what stands behind it moved. */
function within(
  map: Tree,
  name: string,
  work: Splice,
  replace: (node: Tree) => MapNode | null,
): MapNode | null {
  if (map.kind !== 'map') return null;
  const entries = new Map<string, TreeEntry>();
  let isBehind = false;
  for (const [key, entry] of map.entries) {
    if (key === name) {
      const node = replace(entry.node);
      if (node === null) return null;
      entries.set(key, { key: entry.key, node });
      isBehind = true;
    } else entries.set(key, isBehind ? movedEntry(entry, work) : entry);
  }
  return { kind: 'map', entries, where: map.where };
}

type TreeEntry = { readonly key: Place; readonly node: Tree };

function splicedSection(section: Tree, work: Splice): MapNode | null {
  if (section.kind !== 'map') return null;
  const { part, read, inside } = work;
  const entries = new Map<string, TreeEntry>();
  let index = part.first - part.firstOfSection;
  const size = part.last - part.first;
  for (const [key, entry] of section.entries) {
    if (index > 0) entries.set(key, entry);
    else if (index > -size) {
      // One of those that the part replaces.
      if (index === 0) addPart(entries, read, inside);
    } else if (entries.has(key)) return null;
    else entries.set(key, movedEntry(entry, work));
    index -= 1;
  }
  return entries.size === section.entries.size - size + read.objects.size
    ? { kind: 'map', entries, where: section.where }
    : null;
}

function addPart(entries: Map<string, TreeEntry>, { objects }: ReadPart, inside: Shift): void {
  for (const [name, { key, node }] of objects) {
    entries.set(name, { key: movedPlace(key, inside), node: movedTree(node, inside, () => {}) });
  }
}

function movedEntry(entry: TreeEntry, { behind, moved }: Splice): TreeEntry {
  const key = movedPlace(entry.key, behind);
  const node = movedTree(entry.node, behind, (now, before) => void moved.set(now, before));
  return key === entry.key && node === entry.node ? entry : { key, node };
}

function splicedBoundaries({ list, isFlow }: Boundaries, { part, read, inside, behind }: Splice): Boundaries {
  return {
    isFlow,
    list: [
      ...list.slice(0, part.first),
      ...read.boundaries.map((boundary) => movedBoundary(boundary, inside)),
      ...list.slice(part.last).map((boundary) => movedBoundary(boundary, behind)),
    ],
  };
}

function movedBoundary(boundary: Boundary, shift: TextShift): Boundary {
  if (shift.chars === 0 && shift.lines === 0) return boundary;
  return {
    level: boundary.level,
    key: boundary.key,
    offset: boundary.offset + shift.chars,
    keyStart: boundary.keyStart + shift.chars,
    keyEnd: boundary.keyEnd + shift.chars,
    line: boundary.line + shift.lines,
    column: boundary.column + (boundary.line === shift.line ? shift.columns : 0),
  };
}
