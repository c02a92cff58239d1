// `--help`, generated from the commands and the static schema.

import type { KeyNote } from '../config/static/define.ts';
import { staticKeys } from '../config/static/keys.ts';
import type { Command } from './command.ts';

export function generalHelp(commands: readonly Command[]): string {
  const width = Math.max(...commands.map((command) => command.name.length));
  const list = commands
    .map((command) => `  ${command.name.padEnd(width)}  ${command.summary}${aliasesOf(command)}\n`)
    .join('');
  return [
    'portcullis, a gateway that reads Traefik v3’s configuration\n\n',
    'Usage:\n  portcullis [flags]\n  portcullis COMMAND [arguments] [flags]\n  portcullis help COMMAND\n\n',
    `Commands:\n${list}\n`,
    `Examples:\n${examples}\n`,
    'Configuration is read from one source: a file (--configFile, or traefik.yml in /etc/traefik,\n',
    '$XDG_CONFIG_HOME, $HOME/.config or here), else flags, else TRAEFIK_… variables.\n\n',
    'Signals: SIGTERM and SIGINT finish what runs and stop, a second one stops at once; SIGHUP reads the files\n',
    'again, SIGUSR1 opens the logs anew, SIGUSR2 replaces the workers one by one.\n',
    'Exit codes: 0 well, 1 something is wrong, 2 called wrongly.\n\n',
    `Flags (any case; durations are seconds, or 500ms, 30s, 1h30m):\n  --configFile  (text)\n      Configuration file; no other source is read then\n${flags()}`,
  ].join('');
}

const examples = [
  '  portcullis --configFile=/etc/traefik/traefik.yml\n',
  '  portcullis --entryPoints.web.address=:8080 --providers.file.directory=/etc/traefik/dynamic\n',
  '  portcullis check traefik.yml dynamic/routes.yml\n',
  "  portcullis explain GET http://example.com/api -H 'X-Team: a' --configFile=traefik.yml\n",
].join('');

export function commandHelp(command: Command): string {
  const usage = command.usage.map((line) => `  portcullis ${line}\n`).join('');
  const options = (command.options ?? []).map(([name, summary]) => `  ${name}\n      ${summary}\n`).join('');
  const takesFlags = command.usage.some((line) => line.includes('[flags]'));
  return [
    `${command.summary}${aliasesOf(command)}\n\nUsage:\n${usage}`,
    options === '' ? '' : `\nOptions:\n${options}`,
    takesFlags
      ? '\nFlags are those of the gateway, --configFile first of all: `portcullis --help` lists them.\n'
      : '',
  ].join('');
}

function aliasesOf(command: Command): string {
  return command.aliases === undefined ? '' : ` (also: ${command.aliases.join(', ')})`;
}

function flags(): string {
  return staticKeys()
    .filter(({ note }) => note.status !== 'refused' && note.status !== 'removed')
    .map(
      ({ path, note }) =>
        `  --${path}  ${describe(note)}\n${note.summary === undefined ? '' : `      ${note.summary}\n`}`,
    )
    .join('');
}

function describe(note: KeyNote): string {
  const type = note.section === true ? 'section' : (note.type ?? 'map');
  const fallback = note.shown === undefined || note.shown === '' ? '' : `, default ${note.shown}`;
  return `(${type}${fallback})${note.status === 'later' ? ' no effect yet' : ''}`;
}
