// Texts of a compose file, interpolated, each with its place.

import type { Diagnostic, Place } from '../../../model/diagnostic.ts';
import { isSecretPath } from '../../decode/messages.ts';
import type { Tree } from '../../tree.ts';
import { interpolate } from './interpolate.ts';

/** A text after interpolation, and where it was written. */
export interface PlacedText {
  readonly text: string;
  readonly where: Place;
}

export interface ServiceReading {
  readonly project: string;
  /** Files of the top level's `configs`, by name. */
  readonly configs: ReadonlyMap<string, string>;
  readonly lookUp: (name: string) => string | undefined;
  readonly diagnostics: Diagnostic[];
}

/** The entry of a map; null for anything else. Compose's keys have one spelling. */
export function entryOf(
  tree: Tree | null,
  name: string,
): { readonly key: Place; readonly node: Tree } | null {
  return tree?.kind === 'map' ? (tree.entries.get(name) ?? null) : null;
}

/** A scalar as text after interpolation; null for what is no scalar. */
export function textOf(reading: ServiceReading, node: Tree | null): PlacedText | null {
  if (node?.kind !== 'scalar') return null;
  const written = node.value === null ? '' : String(node.value);
  const { text, problems } = interpolate(written, reading.lookUp);
  for (const { code, message, hint, isFatal } of problems) {
    // A hash with single dollar signs reads as variables, and their names are parts of it.
    const isHidden = code === 'config.unset_variable' && holdsSecret(written, node);
    const help = isHidden ? 'write $$ where a dollar sign is meant, as in hashes' : hint;
    reading.diagnostics.push({
      severity: isFatal ? 'error' : 'warning',
      code,
      message: isHidden ? 'a variable in this value is not set: nothing stands in its place' : message,
      where: node.where,
      ...(help === undefined ? {} : { hint: help }),
    });
  }
  return { text, where: node.where };
}

/** By the name it is written under: in a map the key, in a list what stands before the equals sign. */
function holdsSecret(written: string, node: Tree): boolean {
  const equals = written.indexOf('=');
  return isSecretPath(node.where.path) || (equals > 0 && isSecretPath(written.slice(0, equals)));
}
