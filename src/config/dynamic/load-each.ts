// The objects of one section, each decoded by itself, and only when its tree is not the one of the last time.

import type { Diagnostic, Place } from '../../model/diagnostic.ts';
import { emptyKey } from '../decode/report.ts';
import { isNothing } from '../decode/values.ts';
import type { MapNode, Tree } from '../tree.ts';
import type { Written } from './provider-config.ts';
import { child } from './tree-access.ts';

/** Objects as they were loaded, by their trees: as many as one source has. */
export type LoadedObjects = ReadonlyMap<Tree, LoadedObject>;

export interface LoadedObject {
  /** How: merged keys may put one tree into two sections. */
  readonly load: Load<unknown>;
  readonly name: string;
  readonly written: Written<unknown>;
  readonly diagnostics: readonly Diagnostic[];
}

export interface LoadMemory {
  /** Of the last time. */
  readonly known: LoadedObjects;
  /** Of this time, to be filled. */
  readonly loaded: Map<Tree, LoadedObject>;
  /** Trees that only stand elsewhere by now → what they were before. */
  readonly moved: ReadonlyMap<Tree, Tree> | undefined;
}

export interface LoadContext {
  readonly diagnostics: Diagnostic[];
  readonly memory: LoadMemory | null;
}

export type Load<T> = (name: string, node: Tree, diagnostics: Diagnostic[]) => T;

/** `section` null is one that is not written. What `memory` knows is not decoded again. */
export function loadEach<T>(
  section: Tree | null,
  load: Load<T>,
  { diagnostics, memory }: LoadContext,
): Map<string, Written<T>> {
  const objects = new Map<string, Written<T>>();
  if (section === null) return objects;
  if (section.kind !== 'map') {
    diagnostics.push(mustBeMap(section, section.where.path ?? 'the section', 'a map of names'));
    return objects;
  }
  if (section.entries.size === 0) diagnostics.push(standalone(section));
  for (const [name, { key, node }] of section.entries) {
    if (isNothing(node)) {
      diagnostics.push(emptyKey(key, key.path ?? name, false));
      continue;
    }
    const known = memory === null ? null : recall(memory, { load, name, key, node });
    const object = known ?? loadOne({ load, name, key, node });
    memory?.loaded.set(node, object);
    for (const diagnostic of object.diagnostics) diagnostics.push(diagnostic);
    objects.set(name, object.written as Written<T>);
  }
  return objects;
}

/** What was loaded from the very same tree, or from one that said nothing worth a place and stood elsewhere. */
function recall({ known, moved }: LoadMemory, asked: Asked): LoadedObject | null {
  const { node, key } = asked;
  const same = known.get(node);
  if (same !== undefined) return isFor(same, asked) ? same : null;
  const before = moved?.get(node);
  const object = before === undefined ? undefined : known.get(before);
  if (object === undefined || !isFor(object, asked) || object.diagnostics.length > 0) return null;
  return { ...object, written: { ...object.written, where: key, keys: keysOf(node) } };
}

interface Asked {
  readonly load: Load<unknown>;
  readonly name: string;
  readonly key: Place;
  readonly node: Tree;
}

function isFor(object: LoadedObject, { load, name }: Asked): boolean {
  return object.name === name && object.load === load;
}

function loadOne({ load, name, key, node }: Asked): LoadedObject {
  const found: Diagnostic[] = [];
  const value = load(name, node, found);
  const errors = found.filter(({ severity }) => severity === 'error').map(describe);
  return { load, name, written: { value, where: key, keys: keysOf(node), errors }, diagnostics: found };
}

function keysOf(node: Tree): Map<string, Place> {
  if (node.kind !== 'map') return new Map();
  const keys = new Map([...node.entries].map(([key, entry]) => [key.toLowerCase(), entry.node.where]));
  // The one reference to another object that lies deeper than its object's own keys.
  const balancer = keys.has('loadbalancer') ? child(node, 'loadBalancer') : null;
  const transport = balancer === null ? null : child(balancer, 'serversTransport');
  if (transport !== null) keys.set('loadbalancer.serverstransport', transport.where);
  return keys;
}

function describe(diagnostic: Diagnostic): string {
  return diagnostic.message;
}

function standalone(section: MapNode): Diagnostic {
  const message = `${section.where.path ?? 'the section'} cannot be a standalone element: name something in it or leave it out`;
  return { severity: 'error', code: 'config.standalone', message, where: section.where };
}

export function mustBeMap(node: Tree, what: string, expected: string): Diagnostic {
  return {
    severity: 'error',
    code: 'config.type',
    message: `${what} must be ${expected}`,
    where: node.where,
  };
}
