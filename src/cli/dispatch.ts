// Finds the command an argument list names and runs it; flags alone run the gateway.

import { nearest } from '../config/decode/unknown-keys.ts';
import { check } from './check.ts';
import type { Command, CommandContext } from './command.ts';
import { doctor } from './doctor.ts';
import { drain } from './drain.ts';
import { explain } from './explain.ts';
import { handover } from './handover.ts';
import { healthcheck } from './healthcheck.ts';
import { commandHelp, generalHelp } from './help.ts';
import { migrate } from './migrate.ts';
import { purge } from './purge.ts';
import { routes } from './routes.ts';
import { run } from './run.ts';
import { schema } from './schema.ts';
import { top } from './top.ts';
import { version } from './version.ts';

const commands: readonly Command[] = [
  run,
  check,
  doctor,
  drain,
  explain,
  routes,
  handover,
  healthcheck,
  migrate,
  purge,
  schema,
  top,
  version,
];

/** Runs the process's command line and sets its exit code. */
export async function runCommandLine(argv: readonly string[]): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      // `portcullis check | head` closes the pipe early: no reason for words or another exit code.
      if (error.code === 'EPIPE') return;
      if (stream === process.stdout) process.stderr.write(`portcullis: cannot write: ${error.message}\n`);
      process.exit(1);
    });
  }
  const context: CommandContext = {
    argv,
    env: process.env,
    cwd: process.cwd(),
    color: process.stdout.isTTY && process.stderr.isTTY && (process.env['NO_COLOR'] ?? '') === '',
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
  };
  process.exitCode = await dispatch(context);
}

/** Exported for tests: the exit code for `context.argv`, program name already gone. */
export async function dispatch(context: CommandContext): Promise<number> {
  // Traefik's image runs `traefik …` as well as flags alone, and compose files are written both ways.
  const words = context.argv[0] === 'traefik' ? context.argv.slice(1) : context.argv;
  const [first, ...others] = words;
  if (first === 'help') return help(context, others[0]);
  const isFlags = first === undefined || first.startsWith('-');
  const command = isFlags ? run : find(first);
  if (command === undefined) return unknown(context, first ?? '');
  const argv = isFlags ? words : others;
  if (asksForHelp(argv)) {
    context.out(isFlags ? generalHelp(commands) : commandHelp(command));
    return 0;
  }
  return command.run({ ...context, argv });
}

function help(context: CommandContext, name: string | undefined): number {
  const command = name === undefined ? undefined : find(name);
  if (name !== undefined && command === undefined) return unknown(context, name);
  context.out(command === undefined ? generalHelp(commands) : commandHelp(command));
  return 0;
}

function find(name: string): Command | undefined {
  return commands.find((command) => command.name === name || command.aliases?.includes(name));
}

function asksForHelp(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return (end === -1 ? argv : argv.slice(0, end)).some(
    (argument) => argument === '--help' || argument === '-h' || argument === '-help',
  );
}

function unknown(context: CommandContext, name: string): number {
  const names = [...commands.flatMap((command) => [command.name, ...(command.aliases ?? [])]), 'help'];
  const near = nearest(name, names);
  const hint = near === null ? `commands: ${names.join(', ')}` : `did you mean \`${near}\`?`;
  context.err(`portcullis: unknown command ${JSON.stringify(name.slice(0, 80))}; ${hint}\n`);
  return 2;
}
