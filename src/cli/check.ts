// `portcullis check`: everything a start or reload would find wrong, before it happens.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseToml } from '../config/sources/toml.ts';
import { parseYaml } from '../config/sources/yaml.ts';
import { staticRoots } from '../config/static/keys.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
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
    ['FILE', 'A static or a dynamic file; which one it is shows in its keys'],
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
    const errors = diagnostics.filter(({ severity }) => severity === 'error').length;
    const warnings = diagnostics.filter(({ severity }) => severity === 'warning').length;
    if (wanted === 'tty') context.out(`${errors} errors, ${warnings} warnings\n`);
    return errors > 0 || (strict.isSet && warnings > 0) ? 1 : 0;
  },
};

function checkAll(context: CommandContext): Diagnostic[] {
  const firstFlag = context.argv.findIndex((argument) => argument.startsWith('-'));
  const files = firstFlag === -1 ? context.argv : context.argv.slice(0, firstFlag);
  const flags = firstFlag === -1 ? [] : context.argv.slice(firstFlag);
  if (files.length === 0) return [...loadConfiguration({ ...context, argv: flags }).diagnostics];
  const staticFile = files.find((file) => isStatic(path.resolve(context.cwd, file)));
  const base = staticFile === undefined ? flags : [`--configFile=${staticFile}`, ...flags];
  const dynamicFiles = files.filter((file) => file !== staticFile);
  if (dynamicFiles.length === 0) return [...loadConfiguration({ ...context, argv: base }).diagnostics];
  const found = dynamicFiles.flatMap(
    (file) => loadConfiguration({ ...context, argv: base }, path.resolve(context.cwd, file)).diagnostics,
  );
  // The static part is read again for every dynamic file, and says the same each time.
  return [...new Map(found.map((diagnostic) => [JSON.stringify(diagnostic), diagnostic])).values()];
}

/** Whether a file has a root key only static configuration has. */
function isStatic(file: string): boolean {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return true;
  }
  const { tree } =
    path.extname(file).toLowerCase() === '.toml' ? parseToml(text, file) : parseYaml(text, file);
  const roots = new Set(staticRoots().map((root) => root.toLowerCase()));
  return tree?.kind === 'map' && [...tree.entries.keys()].some((key) => roots.has(key.toLowerCase()));
}
