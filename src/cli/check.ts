// `portcullis check`: everything a start or reload would find wrong, before it happens.

import type { Diagnostic } from '../model/diagnostic.ts';
import { takeOption, takeSwitch } from './command.ts';
import type { Command } from './command.ts';
import { loadInputs, readInputs } from './inputs.ts';
import { render } from './load.ts';
import type { DiagnosticFormat } from './load.ts';
import { routesTable } from './routes.ts';

const formats: readonly string[] = ['tty', 'json', 'annotations'] satisfies DiagnosticFormat[];

export const check: Command = {
  name: 'check',
  summary: 'Check static and dynamic configuration; exit code 1 when something is wrong',
  usage: ['check [flags]', 'check FILE… [flags]'],
  options: [
    [
      'FILE',
      'A static file, dynamic files, directories or a compose file; which one it is shows in its keys',
    ],
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
    const asked = { ...context, argv: strict.rest };
    const { diagnostics, snapshot } = await loadInputs(asked);
    context.out(render(diagnostics, wanted as DiagnosticFormat, context));
    // What labels come to nobody sees in them.
    if (wanted === 'tty' && snapshot !== null && readInputs(asked).composeFile !== undefined)
      context.out(`${routesTable(snapshot.routers)}\n`);
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
