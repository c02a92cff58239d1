// The primary's life: static configuration, workers, signals, and the way out.

import { randomBytes } from 'node:crypto';
import { formatLine, hasErrors, renderTty } from '../config/diagnostics.ts';
import { sourceText } from '../config/source-text.ts';
import { loadStatic } from '../config/static/load.ts';
import { placed } from '../config/static/problem.ts';
import { type ResolvedStatic, resolveStatic } from '../config/static/resolve.ts';
import type { StaticConfig } from '../config/static/schema.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import { createLog, type Log } from '../observability/log.ts';
import { ListenFailed } from './bring-up.ts';
import { logDiagnostics } from './log-diagnostics.ts';
import { portInTheWay, withPorts } from './port-check.ts';
import { createPrimary, type Primary } from './primary.ts';
import { createShutdown, type Shutdown } from './shutdown.ts';
import { onSignals } from './signals.ts';

export interface StartOptions {
  /** Flags only: no program name, no command. */
  readonly argv: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
}

/** Runs the gateway; the exit code once it has stopped. Never rejects. */
export async function startPrimary(options: StartOptions): Promise<number> {
  const loaded = loadStatic(options);
  const resolved =
    loaded.config === null ? null : resolveStatic(loaded.config, randomBytes(32).toString('hex'));
  const diagnostics = [...loaded.diagnostics, ...placed(resolved?.diagnostics ?? [], loaded.tree)];
  if (loaded.config === null || resolved === null || hasErrors(diagnostics)) {
    const textOf = sourceText(options.cwd);
    const color = process.stderr.isTTY && (options.env['NO_COLOR'] ?? '') === '';
    process.stderr.write(renderTty(diagnostics, { color, textOf }));
    return 1;
  }
  const log = openLog(resolved);
  if (log === null) return 1;
  logDiagnostics(log, diagnostics);
  mentionWarnings(log, resolved, diagnostics);
  const taken = await portInTheWay(resolved.entryPoints);
  if (taken !== null) return failToStart(log, resolved, taken);
  const entryPoints = await withPorts(resolved.entryPoints);
  const settled = { ...resolved, entryPoints, worker: { ...resolved.worker, entryPoints } };
  return run({ config: loaded.config, resolved: settled, env: options.env, log, diagnostics });
}

/** The default level hides warnings, and with them that half of what was written is not read. */
function mentionWarnings(log: Log, { worker }: ResolvedStatic, diagnostics: readonly Diagnostic[]): void {
  const [first, ...others] = diagnostics.filter(({ severity }) => severity === 'warning');
  if (first === undefined || worker.log.level !== 'error') return;
  const rest = others.length === 0 ? '' : `; and ${others.length} more, \`portcullis check\` lists them`;
  log.error({ code: first.code }, `warning: ${formatLine(first)}${rest}`);
}

interface Run {
  readonly config: StaticConfig;
  readonly resolved: ResolvedStatic;
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
  readonly diagnostics: readonly Diagnostic[];
}

async function run(start: Run): Promise<number> {
  const { resolved, log } = start;
  const primary = createPrimary(start);
  const times = { accept: resolved.requestAcceptGraceTimeout, finish: resolved.graceTimeOut };
  const shutdown = createShutdown(primary.supervisor, times, log);
  let code = 0;
  const stopSignals = onSignals({
    shutDown: (signal) => shutdown.begin(signal),
    atOnce: () => shutdown.atOnce(),
    reload: () => primary.reload(),
    reopenLogs: () => primary.reopenLogs(),
    roll: () => void primary.roll(),
  });
  const crashed = (error: Error): void => {
    code = 1;
    // The workers finish what they run; what is broken here cannot supervise them any longer.
    log.fatal({ stack: error.stack ?? error.message }, 'primary ends on an exception nobody caught');
    shutdown.crash();
  };
  process.on('uncaughtException', crashed);
  if (!(await serve(primary, shutdown, start))) code = 1;
  else await shutdown.done;
  stopSignals();
  process.off('uncaughtException', crashed);
  await primary.close();
  log.info('stopped');
  log.flushSync();
  return code;
}

/** True once it serves, or once it was asked to stop before it did. */
async function serve(primary: Primary, shutdown: Shutdown, start: Run): Promise<boolean> {
  try {
    await primary.ready();
    if (shutdown.begun()) return true;
    await primary.start();
    return true;
  } catch (error) {
    if (shutdown.begun()) return true;
    primary.supervisor.kill();
    failToStart(start.log, start.resolved, startProblem(error));
    return false;
  }
}

function startProblem(error: unknown): string {
  // The listener's message names entry point and address.
  if (error instanceof ListenFailed) return error.message;
  return `no worker could be started: ${error instanceof Error ? error.message : String(error)}`;
}

function openLog(resolved: ResolvedStatic): Log | null {
  try {
    return createLog(resolved.worker.log);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    process.stderr.write(`the log cannot be opened: ${reason}\n`);
    return null;
  }
}

function failToStart(log: Log, resolved: ResolvedStatic, line: string): number {
  log.fatal(line);
  // Whoever starts it in a terminal does not look into the log file.
  if (resolved.worker.log.filePath !== null) process.stderr.write(`${line}\n`);
  return 1;
}
