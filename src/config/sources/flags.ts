// Command line flags into a Tree: `-x`, `--a.b=c`, `--a.b c`, bare switches, repeated lists.

import type { Diagnostic, Place } from '../../model/diagnostic.ts';
import type { Tree } from '../tree.ts';
import { dottedTree, maxDottedDepth, splitDotted } from './dotted.ts';
import type { DottedValue } from './dotted.ts';

/** What a flag takes: a switch stands alone, a list joins its repetitions. */
export type FlagKind = 'switch' | 'list' | 'value' | 'unknown';

/** Reads flags; `kindOf` answers for a dotted name in any case. Never throws. */
export function parseFlags(
  argv: readonly string[],
  kindOf: (path: readonly string[]) => FlagKind,
): { tree: Tree | null; diagnostics: Diagnostic[] } {
  const diagnostics: Diagnostic[] = [];
  const values = new Map<string, DottedValue>();
  for (let index = 0; index < argv.length; index += 1) {
    const argument = argv[index] as string;
    if (argument === '--') {
      diagnostics.push(...argv.slice(index + 1).map((left) => stray(left, undefined)));
      break;
    }
    const match = /^--?([^-=][^=]*)(?:=([\s\S]*))?$/.exec(argument);
    if (match === null) {
      diagnostics.push(stray(argument, argv[index - 1]));
      continue;
    }
    const name = match[1] as string;
    const path = splitDotted(name);
    const where: Place = { source: 'flag', path: name };
    if (path.length > maxDottedDepth || path.includes('')) {
      diagnostics.push({
        severity: 'error',
        code: 'config.syntax',
        message: `flag \`--${cut(name)}\` is no dotted name`,
        where,
      });
      continue;
    }
    if (secondFlag.test(argument)) diagnostics.push(twoFlags(name, where));
    const kind = kindOf(path);
    let value = match[2];
    if (value === undefined && kind === 'switch') value = 'true';
    if (value === undefined && takesNext(argv[index + 1], kind)) value = argv[(index += 1)];
    if (value === undefined && kind === 'unknown') value = 'true';
    if (value === undefined) {
      diagnostics.push({
        severity: 'error',
        code: 'config.syntax',
        message: `flag \`--${cut(name)}\` needs a value`,
        where,
        hint: `write --${cut(name)}=VALUE`,
      });
      continue;
    }
    add(values, { path, value, where }, kind, diagnostics);
  }
  return { tree: values.size === 0 ? null : dottedTree([...values.values()], 'flag'), diagnostics };
}

/** A whole command line in one argument, as an item of a YAML list easily becomes one. */
const secondFlag = /\s--[A-Za-z][\w.[\]-]*(?:=|\s|$)/;

function twoFlags(name: string, where: Place): Diagnostic {
  return {
    severity: 'warning',
    code: 'config.two_flags',
    message: `the argument that begins with \`--${cut(name)}\` holds more than one flag, and only the first is read`,
    where,
    hint: 'make every flag an argument of its own: `- --a=b` and `- --c=d` on two lines',
  };
}

function takesNext(next: string | undefined, kind: FlagKind): boolean {
  return next !== undefined && (kind === 'unknown' ? !next.startsWith('-') : !next.startsWith('--'));
}

function add(
  values: Map<string, DottedValue>,
  next: DottedValue,
  kind: FlagKind,
  diagnostics: Diagnostic[],
): void {
  const key = next.path.join('.').toLowerCase();
  const before = values.get(key);
  if (before !== undefined && kind === 'list') {
    values.set(key, { ...before, value: `${before.value},${next.value}` });
    return;
  }
  if (before !== undefined && before.value !== next.value) {
    diagnostics.push({
      severity: 'warning',
      code: 'config.repeated_flag',
      message: `flag \`--${cut(before.path.join('.'))}\` is given more than once: the last one holds`,
      where: next.where,
    });
  }
  values.set(key, next);
}

function stray(argument: string, before: string | undefined): Diagnostic {
  const isBoolean = /^(?:true|false)$/i.test(argument) && before !== undefined && /^-[^=]*$/.test(before);
  return {
    severity: 'error',
    code: 'config.syntax',
    message: `\`${cut(argument)}\` is no flag`,
    where: { source: 'flag' },
    ...(isBoolean
      ? { hint: `a switch takes its value after an equals sign: ${cut(before)}=${argument}` }
      : {}),
  };
}

function cut(text: string): string {
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
