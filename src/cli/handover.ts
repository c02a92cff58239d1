// `portcullis handover`: a new gateway beside a running one, which leaves once the new one serves.

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Command, CommandContext } from './command.ts';
import { takeOption, takeSwitch } from './command.ts';

export const handover: Command = {
  name: 'handover',
  summary: 'Run the gateway in the place of a running one, which leaves once this one serves',
  usage: ['handover --pid <pid> [--background] [--despite-errors] [flags]'],
  options: [
    ['--pid <pid>', 'Process id of the primary to replace; it must belong to the same user'],
    ['--background', 'Return as soon as the new gateway has taken over, and leave it running'],
    ['--despite-errors', 'Also with a configuration that has errors, which the old one may not have'],
  ],
  run: async (context) => {
    const { values, rest } = takeOption(context.argv, ['--pid']);
    const background = takeSwitch(rest, '--background');
    const despite = takeSwitch(background.rest, '--despite-errors');
    const pid = /^[1-9]\d{0,9}$/.test(values[0] ?? '') ? Number(values[0]) : null;
    if (pid === null || values.length > 1) {
      context.err('handover: --pid wants the process id of the running primary\n');
      return 2;
    }
    if (background.isSet) return inBackground(context, background.rest, pid);
    const { addonProblem } = await import('../proxy/entrypoints/uws/verify.ts');
    const problem = addonProblem();
    if (problem !== null) {
      context.err(`handover: ${problem}\n`);
      return 1;
    }
    const { startPrimary } = await import('../primary/boot.ts');
    const { cwd, env } = context;
    if (env['NOTIFY_SOCKET'] !== undefined) takeWatchdog(env, pid);
    const code = await startPrimary({
      argv: despite.rest,
      env,
      cwd,
      replaces: { pid, despiteErrors: despite.isSet },
      onServing: () => {
        if (!process.connected) return;
        process.send?.('serves');
        process.disconnect();
      },
    });
    process.exit(code);
  },
};

/** The same again as a process of its own: 0 once it serves, else its exit code. */
function inBackground(context: CommandContext, flags: readonly string[], pid: number): Promise<number> {
  const main = process.argv[1] ?? '';
  const child = spawn(
    process.execPath,
    [...process.execArgv, main, 'handover', '--pid', String(pid), ...flags],
    {
      cwd: context.cwd,
      env: context.env,
      detached: true,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    },
  );
  return new Promise((resolve) => {
    child.on('error', (error) => {
      context.err(`handover: ${error.message}\n`);
      resolve(1);
    });
    child.on('exit', (code) => resolve(code ?? 1));
    child.on('message', (message) => {
      if (message !== 'serves') return;
      child.unref();
      resolve(0);
    });
  });
}

/** systemd tells the watchdog's time to the main process only, when it starts it. */
function takeWatchdog(env: NodeJS.ProcessEnv, pid: number): void {
  try {
    const old = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
    const usec = old.find((line) => line.startsWith('WATCHDOG_USEC='));
    if (usec !== undefined) env['WATCHDOG_USEC'] ??= usec.slice('WATCHDOG_USEC='.length);
  } catch {
    // Then this one goes unwatched, which only a watchdog that is there would mind.
  }
}
