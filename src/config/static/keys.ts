// The static schema as a list of keys: what a flag takes, what `--help` prints, what has no effect.

import type { z } from 'zod';
import type { Diagnostic, Place } from '../../model/diagnostic.ts';
import { canonicalKey, childOf, layoutOf } from '../decode/layout.ts';
import { isOff, ownValueKey } from '../decode/values.ts';
import type { FlagKind } from '../sources/flags.ts';
import type { Tree } from '../tree.ts';
import { noteOf } from './define.ts';
import type { KeyNote } from './define.ts';
import { staticSchema } from './schema.ts';

export interface StaticKey {
  /** `entryPoints.<name>.address`. */
  readonly path: string;
  readonly note: KeyNote;
}

const nowhere: Place = { source: '' };
/** A node to ask layouts with: no static key is a union. */
const anyNode: Tree = { kind: 'map', entries: new Map(), where: nowhere };

/** All keys, in the schema's order; a status holds for everything below it. */
export function staticKeys(): StaticKey[] {
  const keys: StaticKey[] = [];
  collect(staticSchema, '', {}, keys);
  return keys;
}

/** Root keys as the schema spells them. */
export function staticRoots(): string[] {
  return Object.keys(staticSchema.shape);
}

/** What the flag of this name takes; levels in any case. */
export function flagKindOf(path: readonly string[]): FlagKind {
  let schema: z.ZodType = staticSchema;
  for (const name of path) {
    const layout = layoutOf(schema, anyNode);
    if (layout.kind === 'map') schema = layout.value;
    else if (layout.kind === 'array' && /^\d+$/.test(name)) schema = layout.element;
    else if (layout.kind !== 'object') return 'unknown';
    else {
      const key = canonicalKey(layout, name);
      if (key === null) return 'unknown';
      schema = childOf(layout, key);
    }
  }
  return kindOf(schema);
}

/** One diagnostic per written section without effect, and per refused or removed key. */
export function statusDiagnostics(tree: Tree): Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  judge(staticSchema, { node: tree, path: '', isQuiet: false }, diagnostics);
  return diagnostics;
}

function kindOf(schema: z.ZodType): FlagKind {
  const note = noteOf(schema);
  if (note.type === 'bool' || note.section === true) return 'switch';
  if (note.type === 'list') return 'list';
  if (note.status === 'refused' || note.status === 'removed') return 'unknown';
  return layoutOf(schema, anyNode).kind === 'leaf' ? 'value' : 'switch';
}

function collect(schema: z.ZodType, path: string, above: KeyNote, keys: StaticKey[]): void {
  const own = noteOf(schema);
  const status = own.status ?? above.status;
  const note: KeyNote = status === undefined ? own : { ...own, status };
  const layout = layoutOf(schema, anyNode);
  const isNamed = path !== '' && (layout.kind === 'leaf' || layout.section || note.type !== undefined);
  if (isNamed) keys.push({ path, note });
  if (layout.kind === 'object') {
    for (const [key, child] of Object.entries(layout.shape))
      collect(child, path === '' ? key : `${path}.${key}`, note, keys);
  }
  if (layout.kind === 'map') collect(layout.value, `${path}.<name>`, note, keys);
  if (layout.kind === 'array' && note.type === undefined) collect(layout.element, `${path}[n]`, note, keys);
}

/** `isQuiet`: above stands that all of it has no effect yet; only errors are still told. */
function judge(
  schema: z.ZodType,
  at: { node: Tree; path: string; isQuiet: boolean },
  diagnostics: Diagnostic[],
): void {
  const layout = layoutOf(schema, at.node);
  if (at.node.kind !== 'map' || layout.kind === 'leaf') return;
  for (const [written, entry] of at.node.entries) {
    const key = layout.kind === 'object' ? canonicalKey(layout, written) : written;
    if (key === null || written === ownValueKey) continue;
    const child =
      layout.kind === 'object' ? childOf(layout, key) : layout.kind === 'map' ? layout.value : layout.element;
    const path = at.path === '' ? key : `${at.path}.${key}`;
    const found = verdict(child, entry, path);
    if (found !== null && (found.severity === 'error' || !at.isQuiet)) diagnostics.push(found);
    if (found?.severity !== 'error')
      judge(child, { node: entry.node, path, isQuiet: at.isQuiet || found !== null }, diagnostics);
  }
}

function verdict(
  schema: z.ZodType,
  entry: { readonly key: Place; readonly node: Tree },
  path: string,
): Diagnostic | null {
  const { status, instead, section } = noteOf(schema);
  const { node, key: where } = entry;
  if (status === undefined || status === 'effective') return null;
  const hint = instead === undefined ? {} : { hint: instead };
  if (status === 'removed') {
    return {
      severity: 'error',
      code: 'config.removed',
      message: `\`${path}\` no longer exists`,
      where,
      ...hint,
    };
  }
  if (isSwitchedOff(node, section === true || status === 'refused')) return null;
  if (status === 'refused') {
    return {
      severity: 'error',
      code: 'config.unsupported',
      message: `\`${path}\` is not supported`,
      where,
      ...hint,
    };
  }
  return {
    severity: 'warning',
    code: 'config.no_effect',
    message: `\`${path}\` is accepted and has no effect yet`,
    where,
  };
}

function isSwitchedOff(node: Tree, isSection: boolean): boolean {
  if (node.kind === 'scalar') return node.value === null || (isSection && isOff(node.value));
  const own = node.kind === 'map' ? node.entries.get(ownValueKey)?.node : undefined;
  return isSection && own?.kind === 'scalar' && isOff(own.value);
}
