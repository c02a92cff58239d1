// A Tree against a zod schema: keys in any case, sections, texts where flags and labels give only texts;
// whatever does not fit becomes a Diagnostic at the place where it was written.

import type { z } from 'zod';
import type { Diagnostic, Place } from '../model/diagnostic.ts';
import { canonicalKey, childOf, layoutOf } from './decode/layout.ts';
import type { Layout } from './decode/layout.ts';
import { describeIssue, reach, shorten } from './decode/messages.ts';
import {
  listHint,
  nameOf,
  report,
  reportDuplicate,
  reportEmpty,
  reportUnknown,
  valueHint,
} from './decode/report.ts';
import type { Pass } from './decode/report.ts';
import { salvage } from './decode/salvage.ts';
import { indexed, isNothing, isOff, isOn, ownValueKey, plain, splitList } from './decode/values.ts';
import type { MapNode, Scalar, Tree } from './tree.ts';

export interface DecodeOptions {
  /** What an unknown key at the root means; `error` unless said. */
  readonly unknownTopLevel?: 'error' | 'ignore' | 'warn';
  /** Whether what is broken is still to be looked at: then `draft` holds what is left of it. */
  readonly drafts?: boolean;
}

export interface Decoded<T> {
  /** Null as soon as one diagnostic is an error. */
  readonly value: T | null;
  /** Where it was asked for: the value without what is wrong; null: nothing is left. */
  readonly draft?: T | null;
  readonly diagnostics: Diagnostic[];
}

/** The written node behind each decoded value, so that a zod issue's path finds its place. */
export interface Origin {
  readonly node: Tree;
  readonly key: Place;
  readonly children: Map<string, Origin>;
}

/** Decodes and checks. Never throws. */
export function decode<S extends z.ZodType>(
  schema: S,
  tree: Tree,
  options: DecodeOptions = {},
): Decoded<z.output<S>> {
  const pass: Pass = { diagnostics: [], unknownTopLevel: options.unknownTopLevel ?? 'error' };
  const root: Origin = { node: tree, key: tree.where, children: new Map() };
  const raw = read(pass, schema, root, '') ?? {};
  const result = parse(schema, raw);
  if (result === null)
    report(pass, root, 'config.invalid_value', { message: 'the schema of a plugin in it throws' });
  else if (!result.success) {
    const told = new Set(
      pass.diagnostics.filter(({ severity }) => severity === 'error').map(({ where }) => where),
    );
    for (const issue of result.error.issues) {
      if (isConsequence(issue, root, told)) continue;
      const found = describeIssue(issue, root);
      // What could not be read at all is not also missing.
      if (found.code !== 'config.missing' || !told.has(reach(issue.path, root).found.key))
        pass.diagnostics.push(found);
    }
  }
  const isBroken = pass.diagnostics.some((diagnostic) => diagnostic.severity === 'error');
  const value = isBroken ? null : (result?.data as z.output<S>);
  const { diagnostics } = pass;
  if (options.drafts !== true) return { value, diagnostics };
  return { value, draft: isBroken ? salvage(schema, raw) : value, diagnostics };
}

/** Null when the schema throws, as a plugin's may: it must not take the primary along. What it says may hold a secret. */
function parse<S extends z.ZodType>(schema: S, raw: unknown): z.ZodSafeParseResult<z.output<S>> | null {
  try {
    return schema.safeParse(raw);
  } catch {
    return null;
  }
}

/** Whether a map as a whole is found wrong only because one of its keys could not be read, which is told already. */
function isConsequence(issue: z.core.$ZodIssue, root: Origin, told: ReadonlySet<Place>): boolean {
  if (issue.code !== 'custom' || issue.path.length === 0) return false;
  const { found, isWhole } = reach(issue.path, root);
  if (!isWhole || found.node.kind !== 'map') return false;
  return [...found.node.entries.values()].some(({ key }) => told.has(key));
}

/** `path` is canonical (as the schema spells it); undefined means absent. */
function read(pass: Pass, schema: z.ZodType, origin: Origin, path: string): unknown {
  const { node } = origin;
  const layout = layoutOf(schema, node);
  if (isNothing(node)) {
    // Skeletons have empty roots (`http:`, `metrics:`); below them nobody leaves a key empty on purpose.
    const isSkeleton = layout.kind !== 'leaf' && !layout.section && !path.includes('.');
    if (!isSkeleton) reportEmpty(pass, origin, path, layout.section);
    return undefined;
  }
  if (layout.kind === 'leaf') return plain(node);
  if (layout.kind === 'array') return readArray(pass, layout.element, origin, path);
  if (node.kind === 'scalar') return readSwitch(pass, layout, origin, path);
  if (node.kind === 'list') {
    report(pass, origin, 'config.invalid_value', {
      message: `\`${nameOf(path)}\` is a list, expected options by name`,
      ...listHint(layout),
    });
    return undefined;
  }
  const own = node.entries.get(ownValueKey);
  if (own?.node.kind === 'scalar' && !isOn(own.node.value)) {
    if (layout.section && isOff(own.node.value)) return undefined;
    return readSwitch(pass, layout, { node: own.node, key: own.key, children: new Map() }, path);
  }
  if (node.entries.size === 0 && path !== '' && !layout.section) {
    report(pass, origin, 'config.standalone', {
      message: `\`${path}\` cannot be a standalone element`,
      hint: 'give it at least one option, or remove it',
    });
    return undefined;
  }
  return layout.kind === 'map'
    ? readMap(pass, layout.value, origin, path)
    : readObject(pass, layout, origin, path);
}

/** A section written as one value: `true` switches it on with its defaults, `false` off. */
function readSwitch(pass: Pass, layout: Layout, origin: Origin, path: string): unknown {
  const value = (origin.node as { value: Scalar }).value;
  if (layout.section) {
    if (isOn(value)) return {};
    if (isOff(value)) return undefined;
    report(pass, origin, 'config.invalid_value', {
      message: `\`${nameOf(path)}\` is ${shorten(value, path)}, expected true, false or options by name`,
    });
    return undefined;
  }
  if (isOn(value)) {
    report(pass, origin, 'config.standalone', {
      message: `\`${path}\` cannot be a standalone element`,
      hint: 'give it at least one option',
    });
    return undefined;
  }
  report(pass, origin, 'config.invalid_value', {
    message: `\`${nameOf(path)}\` is ${shorten(value, path)}, expected options by name`,
    ...(isOff(value) ? { hint: 'it has no switch: leave all of it out' } : valueHint(layout, value)),
  });
  return undefined;
}

function readArray(pass: Pass, element: z.ZodType, origin: Origin, path: string): unknown {
  const { node } = origin;
  const isText = node.kind === 'scalar' && layoutOf(element, node).kind === 'leaf';
  if (isText) return typeof node.value === 'string' ? splitList(node.value) : [node.value];
  const items = node.kind === 'list' ? node.items : indexed(node);
  if (items === null) {
    report(pass, origin, 'config.invalid_value', {
      message: `\`${nameOf(path)}\` is not a list`,
      hint: 'each of its items begins with a dash; in TOML a table of it is written [[…]]',
    });
    return undefined;
  }
  return items.map((item, index) => {
    const child: Origin = { node: item, key: item.where, children: new Map() };
    origin.children.set(String(index), child);
    return read(pass, element, child, `${path}[${index}]`) ?? {};
  });
}

function readMap(pass: Pass, valueSchema: z.ZodType, origin: Origin, path: string): unknown {
  const result: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const [name, entry] of (origin.node as MapNode).entries) {
    if (name === ownValueKey) continue;
    const child: Origin = { node: entry.node, key: entry.key, children: new Map() };
    origin.children.set(name, child);
    const childPath = path === '' ? name : `${path}.${name}`;
    const value = read(pass, valueSchema, child, childPath);
    if (value !== undefined) result[name] = value;
  }
  return result;
}

function readObject(pass: Pass, layout: Layout & { kind: 'object' }, origin: Origin, path: string): unknown {
  const result: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const [written, entry] of (origin.node as MapNode).entries) {
    if (written === ownValueKey) continue;
    const key = canonicalKey(layout, written);
    if (key === null) {
      reportUnknown(pass, layout, { ...entry, written }, path);
      continue;
    }
    const before = origin.children.get(key);
    if (before !== undefined) {
      reportDuplicate(pass, { ...entry, written }, before);
      continue;
    }
    const child: Origin = { node: entry.node, key: entry.key, children: new Map() };
    origin.children.set(key, child);
    const value = read(pass, childOf(layout, key), child, path === '' ? key : `${path}.${key}`);
    if (value !== undefined) result[key] = value;
  }
  return result;
}
