// What of a broken static configuration can still be said, and what would only repeat what is said already.

import { nearest } from '../decode/unknown-keys.ts';
import type { Diagnostic, Place } from '../../model/diagnostic.ts';
import type { Tree } from '../tree.ts';
import { certificatesResolvers } from './acme.ts';
import { entryPoints } from './entry-points.ts';
import type { StaticConfig } from './schema.ts';

type Told = ReadonlySet<Place>;

/** Where errors and unknown keys were told: places as they stand in the tree. */
export function toldIn(diagnostics: readonly Diagnostic[]): Told {
  const isTold = ({ severity, code }: Diagnostic): boolean =>
    severity === 'error' || code === 'config.unknown_key';
  return new Set(diagnostics.filter(isTold).map(({ where }) => where));
}

/** Lower-case dotted paths of the keys whose values, as a whole or in a list, were found wrong. */
export function brokenPaths(tree: Tree, told: Told): string[] {
  if (tree.kind !== 'map') return [];
  return [...tree.entries].flatMap(([name, { key, node }]) => {
    const own = name.toLowerCase();
    if (told.has(key) || (node.kind === 'list' && isWithin(node, told))) return [own];
    return brokenPaths(node, told).map((path) => `${own}.${path}`);
  });
}

/** Gives back the names of entry points and resolvers of which nothing could be read: others refer to them. */
export function withNames(draft: StaticConfig, tree: Tree, told: Told): StaticConfig {
  const points = missing('entryPoints', draft.entryPoints ?? {}, { tree, told });
  const resolvers = missing('certificatesResolvers', draft.certificatesResolvers ?? {}, { tree, told });
  return {
    ...draft,
    ...(points === null ? {} : { entryPoints: { ...draft.entryPoints, ...entryPoints.parse(points) } }),
    ...(resolvers === null
      ? {}
      : {
          certificatesResolvers: {
            ...draft.certificatesResolvers,
            ...certificatesResolvers.parse(resolvers),
          },
        }),
  };
}

/** Of what `resolveStatic` finds in a draft, not placed yet, that which no error told before explains. */
export function withoutFollowUps(found: readonly Diagnostic[], tree: Tree, told: Told): Diagnostic[] {
  return found.filter((diagnostic) => !isFollowUp(diagnostic, tree, told));
}

function missing(
  section: string,
  there: Readonly<Record<string, unknown>>,
  { tree, told }: { readonly tree: Tree; readonly told: Told },
): Record<string, object> | null {
  const written = entryOf(tree, section.toLowerCase())?.node;
  if (written?.kind !== 'map') return null;
  const lost = [...written.entries].filter(
    ([name, { key, node }]) => !Object.hasOwn(there, name) && (told.has(key) || isWithin(node, told)),
  );
  return lost.length === 0 ? null : Object.fromEntries(lost.map(([name]) => [name, {}]));
}

function isFollowUp({ where, message, hint = '' }: Diagnostic, tree: Tree, told: Told): boolean {
  let at = tree;
  let last = '';
  for (const name of (where.path ?? '').toLowerCase().split('.')) {
    last = name;
    const entry = entryOf(at, name);
    if (entry === undefined) break;
    if (told.has(entry.key)) return true;
    at = entry.node;
  }
  if (at.kind !== 'map') return at.kind === 'list' && isWithin(at, told);
  // What is missing here may be what was misspelt, or could not be read.
  const words = [...`${message} ${hint}`.matchAll(/`(\w+)/g)].map(([, word = '']) => word);
  return [...at.entries].some(
    ([name, { key, node }]) =>
      (told.has(key) || isWithin(node, told)) && nearest(name, [last, ...words]) !== null,
  );
}

function isWithin(node: Tree, told: Told): boolean {
  if (told.has(node.where)) return true;
  if (node.kind === 'list') return node.items.some((item) => isWithin(item, told));
  if (node.kind === 'scalar') return false;
  return [...node.entries.values()].some(({ key, node: child }) => told.has(key) || isWithin(child, told));
}

function entryOf(tree: Tree, name: string) {
  if (tree.kind !== 'map') return undefined;
  return [...tree.entries].find(([key]) => key.toLowerCase() === name)?.[1];
}
