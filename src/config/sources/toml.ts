// TOML text into a Tree: smol-toml judges the text, the syntax tree of toml-eslint-parser gives the places.

import { parse, TomlError } from 'smol-toml';
import { ParseError, parseTOML } from 'toml-eslint-parser';
import type { AST } from 'toml-eslint-parser';
import type { Place } from '../../model/diagnostic.ts';
import type { Scalar, Tree } from '../tree.ts';
import type { ParsedSource } from './yaml.ts';

/** Levels of inline nesting. */
const maxTomlDepth = 64;

interface OpenMap {
  readonly kind: 'map';
  readonly entries: Map<string, { readonly key: Place; node: Open }>;
  readonly where: Place;
}
interface OpenList {
  readonly kind: 'list';
  readonly items: Open[];
  readonly where: Place;
}
type Open = OpenMap | OpenList | { readonly kind: 'scalar'; readonly value: Scalar; readonly where: Place };

/** Reads TOML 1.0. `source` is the name diagnostics give. Never throws. */
export function parseToml(text: string, source: string): ParsedSource {
  try {
    parse(text, { integersAsBigInt: 'asNeeded', maxDepth: maxTomlDepth, unsafeKeyBehaviour: 'keep' });
    const program = parseTOML(text, { tomlVersion: '1.0' });
    const root: OpenMap = { kind: 'map', entries: new Map(), where: { source, line: 1, column: 1 } };
    for (const node of program.body[0].body) addTopLevel(root, node, source);
    return { tree: root.entries.size === 0 ? null : (root as Tree), diagnostics: [] };
  } catch (error) {
    return {
      tree: null,
      diagnostics: [{ severity: 'error', code: 'config.syntax', ...explain(error, source) }],
    };
  }
}

function explain(error: unknown, source: string): { message: string; where: Place } {
  if (error instanceof TomlError) {
    const message = error.message.split('\n', 1)[0] ?? '';
    return {
      message: message.replace(/^Invalid TOML document: /, ''),
      where: { source, line: error.line, column: error.column },
    };
  }
  if (error instanceof ParseError) {
    return { message: error.message, where: { source, line: error.lineNumber, column: error.column + 1 } };
  }
  return {
    message:
      error instanceof RangeError ? 'the document is nested too deeply' : 'the document cannot be read',
    where: { source },
  };
}

function addTopLevel(root: OpenMap, node: AST.TOMLKeyValue | AST.TOMLTable, source: string): void {
  if (node.type === 'TOMLKeyValue') {
    addKeyValue(root, node, '', source);
    return;
  }
  const path = node.resolvedKey
    .map((key, index) => (typeof key === 'number' ? `[${key}]` : `${index === 0 ? '' : '.'}${key}`))
    .join('');
  const target = openTable(root, node, source);
  for (const pair of node.body) addKeyValue(target, pair, path, source);
}

/** Walks `[a.b]` or `[[a.b]]` down from the root and makes what is not there yet. */
function openTable(root: OpenMap, table: AST.TOMLTable, source: string): OpenMap {
  let at = root;
  let path = '';
  const keys = table.key.keys;
  for (const [index, key] of keys.entries()) {
    const name = nameOf(key);
    path = path === '' ? name : `${path}.${name}`;
    const isLast = index === keys.length - 1;
    const where = placeOf(key, path, source);
    const fresh: Open =
      isLast && table.kind === 'array' ? { kind: 'list', items: [], where } : emptyMap(where);
    let entry = at.entries.get(name);
    if (entry === undefined) at.entries.set(name, (entry = { key: where, node: fresh }));
    const found = entry.node;
    if (found.kind === 'list') {
      if (isLast && table.kind === 'array')
        found.items.push(emptyMap({ ...where, path: `${path}[${found.items.length}]` }));
      path = `${path}[${found.items.length - 1}]`;
      at = found.items.at(-1) as OpenMap;
    } else at = found as OpenMap;
  }
  return at;
}

function addKeyValue(target: OpenMap, pair: AST.TOMLKeyValue, base: string, source: string): void {
  let at = target;
  let path = base;
  for (const [index, key] of pair.key.keys.entries()) {
    const name = nameOf(key);
    path = path === '' ? name : `${path}.${name}`;
    const where = placeOf(key, path, source);
    if (index === pair.key.keys.length - 1) {
      at.entries.set(name, { key: where, node: valueOf(pair.value, path, source) });
      return;
    }
    let entry = at.entries.get(name);
    if (entry === undefined) at.entries.set(name, (entry = { key: where, node: emptyMap(where) }));
    at = entry.node as OpenMap;
  }
}

function valueOf(node: AST.TOMLContentNode, path: string, source: string): Open {
  const where = placeOf(node, path, source);
  if (node.type === 'TOMLArray') {
    return {
      kind: 'list',
      items: node.elements.map((item, index) => valueOf(item, `${path}[${index}]`, source)),
      where,
    };
  }
  if (node.type === 'TOMLInlineTable') {
    const map = emptyMap(where);
    for (const pair of node.body) addKeyValue(map, pair, path, source);
    return map;
  }
  return { kind: 'scalar', value: scalarOf(node), where };
}

function scalarOf(node: AST.TOMLValue): Scalar {
  if (node.kind === 'integer')
    return Number.isSafeInteger(Number(node.bigint)) ? Number(node.bigint) : node.bigint;
  if (node.kind === 'string' || node.kind === 'float' || node.kind === 'boolean') return node.value;
  return node.datetime;
}

function emptyMap(where: Place): OpenMap {
  return { kind: 'map', entries: new Map(), where };
}

function nameOf(key: AST.TOMLBare | AST.TOMLQuoted): string {
  return key.type === 'TOMLBare' ? key.name : key.value;
}

function placeOf(node: { readonly loc: AST.SourceLocation }, path: string, source: string): Place {
  return { source, line: node.loc.start.line, column: node.loc.start.column + 1, path };
}
