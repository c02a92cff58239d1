// `portcullis routes`: every router, in the order rules are tried.

import { hasErrors } from '../config/diagnostics.ts';
import type { RouterSpec } from '../model/snapshot.ts';
import { takeOption } from './command.ts';
import type { Command } from './command.ts';
import { loadInputs } from './inputs.ts';
import { render } from './load.ts';

export const routes: Command = {
  name: 'routes',
  aliases: ['show-routing'],
  summary: 'List the routers of a configuration, highest priority first',
  usage: ['routes [--format text|json] [flags]', 'routes FILE… [--format text|json] [flags]'],
  options: [
    ['FILE', 'A static file, dynamic files, directories or a compose file'],
    ['--format text|json', 'A table, or everything for programs'],
  ],
  run: async (context) => {
    const { values, rest } = takeOption(context.argv, ['--format']);
    const [format = 'text'] = values;
    if (format !== 'text' && format !== 'json') {
      context.err('portcullis routes: --format must be one of text, json\n');
      return 2;
    }
    const { snapshot, diagnostics } = await loadInputs({ ...context, argv: rest });
    if (snapshot === null) {
      context.err(render(diagnostics, 'tty', context));
      return 1;
    }
    const routers = snapshot.routers.toSorted(byPriority);
    if (format === 'json') context.out(`${JSON.stringify(routers, bigintsAsText, 2)}\n`);
    else context.out(routesTable(routers));
    return hasErrors(diagnostics) ? 1 : 0;
  },
};

/** Highest priority first. */
export function routesTable(routers: readonly RouterSpec[]): string {
  return table(routers.toSorted(byPriority));
}

function byPriority(a: RouterSpec, b: RouterSpec): number {
  if (a.priority !== b.priority) return a.priority > b.priority ? -1 : 1;
  return a.name < b.name ? -1 : 1;
}

function bigintsAsText(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}

function table(routers: readonly RouterSpec[]): string {
  if (routers.length === 0) return 'no routers\n';
  const head = ['PRIORITY', 'ROUTER', 'ENTRY POINTS', 'TLS', 'RULE', 'MIDDLEWARES', 'SERVICE'];
  const rows = routers.map((router) => [
    String(router.priority),
    router.name,
    router.entryPoints.join(','),
    router.tls === null ? '' : 'yes',
    router.rule,
    router.middlewares.join(','),
    router.service,
  ]);
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)),
  );
  const line = (cells: readonly string[]): string =>
    `${cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()}\n`;
  const withErrors = (router: RouterSpec): string => router.errors.map((error) => `  ! ${error}\n`).join('');
  return line(head) + rows.map((row, index) => line(row) + withErrors(routers[index] as RouterSpec)).join('');
}
