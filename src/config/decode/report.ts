// What the decoder finds wrong by itself, before a schema judges the values.

import type { Diagnostic, Place } from '../../model/diagnostic.ts';
import type { Origin } from '../decode.ts';
import { suggestedKeys } from './layout.ts';
import type { Layout } from './layout.ts';
import { unknownKeyHint } from './unknown-keys.ts';

/** One decoding: what it has found so far, and how strict it is at the root. */
export interface Pass {
  readonly diagnostics: Diagnostic[];
  readonly unknownTopLevel: 'error' | 'ignore' | 'warn';
}

export function report(
  pass: Pass,
  origin: Origin,
  code: string,
  words: { message: string; hint?: string },
): void {
  pass.diagnostics.push({ severity: 'error', code, where: origin.key, ...words });
}

/** `ping:` with nothing after it: the most common way to believe that something is on. */
export function reportEmpty(pass: Pass, { key }: Origin, path: string, isSection: boolean): void {
  pass.diagnostics.push(emptyKey(key, path, isSection));
}

/** `isSection`: it could be switched on with its defaults. */
export function emptyKey(where: Place, path: string, isSection: boolean): Diagnostic {
  return {
    severity: 'warning',
    code: 'config.empty_key',
    message: `\`${path}\` has nothing after it, which means it is absent`,
    where,
    hint: isSection
      ? `write \`${nameOf(path)}: {}\` to switch it on with its defaults, or remove it`
      : 'write its value, or remove it',
  };
}

export function reportDuplicate(pass: Pass, entry: { key: Place; written: string }, before: Origin): void {
  pass.diagnostics.push({
    severity: 'error',
    code: 'config.duplicate_key',
    message: `\`${entry.written}\` and \`${nameOf(before.key.path ?? entry.written)}\` are the same key in two spellings`,
    where: entry.key,
    hint: 'keys are read in any case: keep one of them',
    related: [before.key],
  });
}

export function reportUnknown(
  pass: Pass,
  layout: Layout & { kind: 'object' },
  entry: { key: Place; written: string },
  path: string,
): void {
  const isTop = path === '';
  if (isTop && pass.unknownTopLevel === 'ignore') return;
  const hint = unknownKeyHint(path, entry.written, suggestedKeys(layout));
  pass.diagnostics.push({
    severity: isTop && pass.unknownTopLevel === 'warn' ? 'warning' : 'error',
    code: 'config.unknown_key',
    message: isTop ? `unknown key \`${entry.written}\`` : `unknown key \`${entry.written}\` in \`${path}\``,
    where: entry.key,
    ...(hint === null ? {} : { hint }),
  });
}

/** `stripPrefixRegex: [a]`: a list given to an object that has one list of its own. */
export function listHint(layout: Layout): { readonly hint?: string } {
  if (layout.kind !== 'object') return {};
  const [first] = Object.entries(layout.shape).filter(([, schema]) => schema.safeParse(['/a']).success);
  return first === undefined ? {} : { hint: `write the list under \`${first[0]}\`` };
}

/** `servers: [http://a]`: a value given to an object that needs one like it. */
export function valueHint(layout: Layout, value: unknown): { readonly hint?: string } {
  if (layout.kind !== 'object') return {};
  const fits = Object.entries(layout.shape).find(
    ([, schema]) => !schema.safeParse(undefined).success && schema.safeParse(value).success,
  );
  return fits === undefined ? {} : { hint: `write it under \`${fits[0]}\`` };
}

/** The last level of a dotted path. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1);
}
