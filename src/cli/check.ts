// `portcullis check`: everything a start or reload would find wrong, before it happens.

import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { parseToml } from '../config/sources/toml.ts';
import { parseYaml } from '../config/sources/yaml.ts';
import { staticRoots } from '../config/static/keys.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import type { FileTarget } from '../providers/file/store.ts';
import { takeOption, takeSwitch } from './command.ts';
import type { Command, CommandContext } from './command.ts';
import { loadConfiguration, render } from './load.ts';
import type { DiagnosticFormat } from './load.ts';

const formats: readonly string[] = ['tty', 'json', 'annotations'] satisfies DiagnosticFormat[];

export const check: Command = {
  name: 'check',
  summary: 'Check static and dynamic configuration; exit code 1 when something is wrong',
  usage: ['check [flags]', 'check FILE… [flags]'],
  options: [
    ['FILE', 'A static file, dynamic files or directories; which one it is shows in its keys'],
    ['--format tty|json|annotations', 'For people, programs or workflow logs'],
    ['--strict', 'Warnings fail, too'],
  ],
  run: async (context) => {
    const format = takeOption(context.argv, ['--format']);
    const strict = takeSwitch(format.rest, '--strict');
    const [wanted = 'tty'] = format.values;
    if (!formats.includes(wanted)) {
      context.err(`portcullis check: --format must be one of ${formats.join(', ')}\n`);
      return 2;
    }
    const diagnostics = checkAll({ ...context, argv: strict.rest });
    context.out(render(diagnostics, wanted as DiagnosticFormat, context));
    const errors = count(diagnostics, 'error');
    const warnings = count(diagnostics, 'warning');
    if (wanted === 'tty') context.out(`${plural(errors, 'error')}, ${plural(warnings, 'warning')}\n`);
    return errors > 0 || (strict.isSet && warnings > 0) ? 1 : 0;
  },
};

function count(diagnostics: readonly Diagnostic[], wanted: Diagnostic['severity']): number {
  return diagnostics.filter(({ severity }) => severity === wanted).length;
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}

function checkAll(context: CommandContext): Diagnostic[] {
  const firstFlag = context.argv.findIndex((argument) => argument.startsWith('-'));
  const files = firstFlag === -1 ? context.argv : context.argv.slice(0, firstFlag);
  const flags = firstFlag === -1 ? [] : context.argv.slice(firstFlag);
  if (files.length === 0) return [...loadConfiguration({ ...context, argv: flags }).diagnostics];
  const staticFile = files.find((file) => isStatic(path.resolve(context.cwd, file)));
  const base = staticFile === undefined ? flags : [`--configFile=${staticFile}`, ...flags];
  const targets = files
    .filter((file) => file !== staticFile)
    .map((file) => targetOf(path.resolve(context.cwd, file)));
  const given = { ...context, argv: base };
  if (targets.length === 0) return [...loadConfiguration(given).diagnostics];
  const { diagnostics, usedSource } = loadConfiguration(given, targets);
  return usedSource === 'none' ? withoutStatic(diagnostics) : [...diagnostics];
}

function targetOf(file: string): FileTarget {
  return statSync(file, { throwIfNoEntry: false })?.isDirectory() === true
    ? { directory: file }
    : { filename: file };
}

/** Of dynamic files alone: whether their entry points exist, nobody can say. */
function withoutStatic(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const needsStatic = ({ code, message }: Diagnostic): boolean =>
    /^config\.(?:unknown|no)_entry_point$/.test(code) ||
    (code === 'config.unknown_service' && message.includes('@internal'));
  const kept = diagnostics.filter((diagnostic) => !needsStatic(diagnostic));
  if (kept.length === diagnostics.length) return kept;
  const message =
    'no static configuration is given: entry points and services of the gateway are not checked';
  const hint = 'name the static file as well, or give the flags';
  return [
    ...kept,
    { severity: 'info', code: 'config.no_static', message, hint, where: { source: 'static configuration' } },
  ];
}

/** Whether a file has a root key only static configuration has; a directory never does. */
function isStatic(file: string): boolean {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'EISDIR';
  }
  const { tree } =
    path.extname(file).toLowerCase() === '.toml' ? parseToml(text, file) : parseYaml(text, file);
  const roots = new Set(staticRoots().map((root) => root.toLowerCase()));
  return tree?.kind === 'map' && [...tree.entries.keys()].some((key) => roots.has(key.toLowerCase()));
}
