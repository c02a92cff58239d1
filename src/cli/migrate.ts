// `portcullis migrate`: what of a Traefik set-up carries over, what changes on the way, and what cannot come along.

import type { Snapshot } from '../model/snapshot.ts';
import { takeSwitch } from './command.ts';
import type { Command } from './command.ts';
import { loadInputs } from './inputs.ts';
import type { LoadedConfiguration } from './load.ts';
import { migrationOf } from './migrate/sort.ts';
import type { Change, Migration } from './migrate/sort.ts';

export const migrate: Command = {
  name: 'migrate',
  summary: 'Say what of a Traefik v2 or v3 set-up carries over, what changes and what cannot come along',
  usage: ['migrate FILE… [flags]', 'migrate [flags]'],
  options: [
    ['FILE', 'A static file, dynamic files, directories or a compose file, in any mix'],
    ['--json', 'For programs'],
  ],
  run: async (context) => {
    const json = takeSwitch(context.argv, '--json');
    const loaded = await loadInputs({ ...context, argv: json.rest });
    const migration = migrationOf(loaded.diagnostics, loaded.snapshot);
    context.out(json.isSet ? `${JSON.stringify(migration, null, 2)}\n` : words(migration, loaded));
    return obstacles(migration) === 0 ? 0 : 1;
  },
};

function obstacles({ changes, cannot }: Migration): number {
  return cannot.length + changes.filter(({ isRequired }) => isRequired).length;
}

function words(migration: Migration, { snapshot }: LoadedConfiguration): string {
  const { carries, changes, cannot, notes } = migration;
  const count = obstacles(migration);
  return [
    section('Carries over', carriesLines(carries, snapshot)),
    section('Has to change first', changes.filter(({ isRequired }) => isRequired).map(line)),
    section(
      'Works differently, or not as it seems',
      changes.filter(({ isRequired }) => !isRequired).map(line),
    ),
    section('Cannot come along', cannot.map(line)),
    section('Good to know', notes.map(line)),
    count > 0
      ? `${count} thing${count === 1 ? '' : 's'} to settle first.\n`
      : 'Nothing stands in the way: swap the image.\n',
  ].join('');
}

function section(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : `${title}\n${lines.map((text) => `  ${text}\n`).join('')}\n`;
}

function carriesLines(carries: Migration['carries'], snapshot: Snapshot | null): string[] {
  if (snapshot === null) return [];
  const { routers, services, middlewares } = carries;
  const counts = [
    [routers, 'router'],
    [services, 'service'],
    [middlewares, 'middleware'],
  ] as const;
  return counts
    .filter(([names]) => names.length > 0)
    .map(([names, word]) => `${names.length} ${word}${names.length === 1 ? '' : 's'}: ${names.join(', ')}`);
}

function line({ place, message, instead }: Change): string {
  return `${place}: ${message}${instead === '' ? '' : ` → ${instead}`}`.replace(
    /[\u0000-\u001f\u007f-\u009f]/g,
    ' ',
  );
}
