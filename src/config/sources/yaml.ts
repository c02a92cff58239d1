// YAML 1.2 text into a Tree: anchors, aliases and `<<` merges resolved, every value with its place.

import { isAlias, isMap, isScalar, isSeq, LineCounter, parseAllDocuments } from 'yaml';
import type { Alias, Document, Node, Pair, YAMLMap } from 'yaml';
import type { Diagnostic, Place } from '../../model/diagnostic.ts';
import type { MapNode, Scalar, ScalarNode, Tree } from '../tree.ts';
import { manifestProblem } from './manifest.ts';
import { aliasTargets } from './yaml-aliases.ts';

/** Values one text may unfold to through aliases: "billion laughs" stops here. */
export const maxYamlNodes = 1_000_000;
/** Levels of nesting; deeper is no configuration but an attack on the stack. */
export const maxYamlDepth = 64;

export interface ParsedSource {
  /** Null when the text is empty or cannot be read. */
  readonly tree: Tree | null;
  readonly diagnostics: Diagnostic[];
}

/** A parsed text with what it takes to read a changed one of it in part. */
export interface ReadYaml {
  readonly parsed: ParsedSource;
  /** Null when there is none, or something is wrong with it. */
  readonly document: Document | null;
  readonly lines: LineCounter;
  readonly nodes: number;
  /** Some value refers to another one: no part stands for itself. */
  readonly hasAliases: boolean;
}

interface Walk {
  readonly source: string;
  readonly document: Document;
  readonly lines: LineCounter;
  readonly diagnostics: Diagnostic[];
  nodes: number;
  hasAliases: boolean;
  /** What each alias stands for; null until there is one. */
  targets: ReadonlyMap<Alias, Node> | null;
  /** A bound was hit: stop, and say so once. */
  stopped: boolean;
}

/** Reads one YAML document. `source` is the name diagnostics give. Never throws. */
export function parseYaml(text: string, source: string): ParsedSource {
  return readYaml(text, source).parsed;
}

/** Reads one YAML document, and keeps what `parseYamlAgain` needs. Never throws. */
export function readYaml(text: string, source: string): ReadYaml {
  const lines = new LineCounter();
  const options = { lineCounter: lines, prettyErrors: false, uniqueKeys: false, intAsBigInt: true } as const;
  const documents = parseAllDocuments(text, { ...options, version: '1.2', schema: 'core' });
  const [document, second] = 'empty' in documents ? [] : documents;
  const nothingRead = { document: null, lines, nodes: 0, hasAliases: false };
  if (document === undefined) return { ...nothingRead, parsed: { tree: null, diagnostics: [] } };
  const walk: Walk = {
    source,
    document,
    lines,
    diagnostics: syntaxProblems(document, source, text),
    nodes: 0,
    hasAliases: false,
    targets: null,
    stopped: false,
  };
  const manifest = second === undefined ? null : manifestKind(document);
  if (manifest !== null) {
    const where = placeAt(walk, document.contents?.range?.[0] ?? 0, '');
    walk.diagnostics.push(manifestProblem(manifest, where));
  } else if (second !== undefined) {
    walk.diagnostics.push({
      severity: 'error',
      code: 'config.several_documents',
      message: 'the file holds several YAML documents, and only one is read',
      where: placeAt(walk, second.range[0], ''),
      hint: 'remove the `---` line or split the file',
    });
  }
  if (walk.diagnostics.some((diagnostic) => diagnostic.severity === 'error'))
    return { ...nothingRead, parsed: { tree: null, diagnostics: walk.diagnostics } };
  const tree = document.contents === null ? null : toTree(walk, document.contents, '', 0);
  const isEmpty = tree === null || (tree.kind === 'scalar' && tree.value === null);
  return {
    parsed: { tree: isEmpty || walk.stopped ? null : tree, diagnostics: walk.diagnostics },
    document: walk.diagnostics.length === 0 ? document : null,
    lines,
    nodes: walk.nodes,
    hasAliases: walk.hasAliases,
  };
}

/** Manifests mostly come several in a file. */
function manifestKind({ contents }: Document): string | null {
  if (!isMap(contents) || !contents.has('apiVersion')) return null;
  const kind = contents.get('kind');
  return typeof kind === 'string' ? kind : null;
}

/** What people meant, by the parser's code and a part of its message; first match wins. */
const syntaxHints: readonly (readonly [code: string, part: string, hint: string])[] = [
  [
    'BAD_DQ_ESCAPE',
    '',
    "in double quotes a backslash stands twice, as in `\\\\.`; in single quotes ('…') it stands for itself",
  ],
  ['TAB_AS_INDENT', '', 'indent with spaces'],
  ['BAD_SCALAR_START', '', "put the value in quotes: '…'"],
  ['BLOCK_AS_IMPLICIT_KEY', 'Nested mappings', "put a value that holds a colon and a space in quotes: '…'"],
];

function syntaxProblems(document: Document, source: string, text: string): Diagnostic[] {
  if (document.errors.length === 0 && document.warnings.length === 0) return [];
  const lines = linesOf(text);
  const toDiagnostic =
    (severity: 'error' | 'warning') =>
    (problem: { pos: [number, number]; code: string; message: string }): Diagnostic => {
      const at = lines.linePos(problem.pos[0]);
      const hint = syntaxHints.find(
        ([code, part]) => problem.code === code && problem.message.includes(part),
      );
      return {
        severity,
        code: 'config.syntax',
        message: firstLine(problem.message),
        where: { source, line: at.line, column: at.col },
        ...(hint === undefined ? {} : { hint: hint[2] }),
      };
    };
  return [...document.errors.map(toDiagnostic('error')), ...document.warnings.map(toDiagnostic('warning'))];
}

/** The parser's own counter misses lines of a text that it cannot read. */
function linesOf(text: string): LineCounter {
  const lines = new LineCounter();
  lines.addNewLine(0);
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) lines.addNewLine(at + 1);
  return lines;
}

function firstLine(message: string): string {
  return message.split('\n', 1)[0] ?? message;
}

function placeAt(walk: Walk, offset: number, path: string): Place {
  const at = walk.lines.linePos(offset);
  const place = { source: walk.source, line: at.line, column: at.col };
  return path === '' ? place : { ...place, path };
}

function toTree(walk: Walk, node: Node, path: string, depth: number): Tree {
  const where = placeAt(walk, node.range?.[0] ?? 0, path);
  walk.nodes += 1;
  if (walk.nodes > maxYamlNodes || depth > maxYamlDepth) return stop(walk, where);
  if (isAlias(node)) {
    walk.hasAliases = true;
    const target = targetOf(walk, node);
    if (target === undefined) return withoutAnchor(walk, node, where);
    return toTree(walk, target, path, depth + 1);
  }
  if (isScalar(node)) return { kind: 'scalar', value: scalarOf(node.value), where };
  if (isSeq(node)) {
    const items: Tree[] = [];
    for (const [index, item] of node.items.entries()) {
      if (walk.stopped) break;
      items.push(item === null ? nothing(where) : toTree(walk, item as Node, `${path}[${index}]`, depth + 1));
    }
    return { kind: 'list', items, where };
  }
  if (isMap(node)) return toMap(walk, node, path, depth);
  return nothing(where);
}

function targetOf(walk: Walk, alias: Alias): Node | undefined {
  walk.targets ??= aliasTargets(walk.document);
  return walk.targets.get(alias);
}

function withoutAnchor(walk: Walk, alias: Alias, where: Place): ScalarNode {
  walk.diagnostics.push({
    severity: 'error',
    code: 'config.syntax',
    message: `there is no anchor &${alias.source.slice(0, 80)} before this alias`,
    where,
    hint: 'a text that begins with * must be quoted',
  });
  walk.stopped = true;
  return nothing(where);
}

function stop(walk: Walk, where: Place): ScalarNode {
  if (!walk.stopped) {
    walk.diagnostics.push({
      severity: 'error',
      code: 'config.too_large',
      message: `the document unfolds to more than ${maxYamlNodes} values or ${maxYamlDepth} levels`,
      where,
    });
  }
  walk.stopped = true;
  return nothing(where);
}

function nothing(where: Place): ScalarNode {
  return { kind: 'scalar', value: null, where };
}

/** Whole numbers arrive as bigint, so that 2^63 - 2 keeps its last digit. */
function scalarOf(value: unknown): Scalar {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  return null;
}

function toMap(walk: Walk, node: YAMLMap, path: string, depth: number): MapNode {
  const entries = new Map<string, { readonly key: Place; readonly node: Tree }>();
  const merged: Tree[] = [];
  for (const pair of node.items as Pair<Node, Node | null>[]) {
    if (walk.stopped) break;
    const key = keyOf(walk, pair.key);
    if (key === null) continue;
    const keyPath = path === '' ? key : `${path}.${key}`;
    const keyPlace = placeAt(walk, pair.key.range?.[0] ?? 0, keyPath);
    const child = pair.value === null ? nothing(keyPlace) : toTree(walk, pair.value, keyPath, depth + 1);
    if (key === '<<' && isScalar(pair.key) && pair.key.type === 'PLAIN') {
      walk.hasAliases = true;
      const sources = child.kind === 'list' ? child.items : [child];
      // An alias of a map that is merged keeps the path of where it is used, not of `<<`.
      merged.push(...(isAlias(pair.value) ? [toTree(walk, pair.value, path, depth + 1)] : sources));
      continue;
    }
    const before = entries.get(key);
    if (before !== undefined) {
      walk.diagnostics.push({
        severity: 'error',
        code: 'config.duplicate_key',
        message: `\`${key}\` is written twice in the same place`,
        where: keyPlace,
        hint: 'keep one of them',
        related: [before.key],
      });
      continue;
    }
    entries.set(key, { key: keyPlace, node: child });
  }
  for (const source of merged) mergeInto(walk, entries, source);
  return { kind: 'map', entries, where: placeAt(walk, node.range?.[0] ?? 0, path) };
}

function keyOf(walk: Walk, key: Node): string | null {
  const target = isAlias(key) ? targetOf(walk, key) : key;
  if (target !== key) walk.hasAliases = true;
  if (isScalar(target) && target.value !== null) return String(target.value);
  walk.diagnostics.push({
    severity: 'error',
    code: 'config.syntax',
    message: 'a key must be text',
    where: placeAt(walk, key?.range?.[0] ?? 0, ''),
  });
  return null;
}

/** What stands in the map itself wins over what is merged, and an earlier merge over a later one. */
function mergeInto(
  walk: Walk,
  entries: Map<string, { readonly key: Place; readonly node: Tree }>,
  source: Tree,
): void {
  if (source.kind !== 'map') {
    walk.diagnostics.push({
      severity: 'error',
      code: 'config.syntax',
      message: '`<<` takes a map or a list of maps',
      where: source.where,
    });
    return;
  }
  // Merges of merges are work as well, if the same keys come again and again.
  walk.nodes += source.entries.size;
  for (const [key, entry] of source.entries) if (!entries.has(key)) entries.set(key, entry);
}
