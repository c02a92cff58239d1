// The primary's life: static configuration, workers, signals, and the way out.

import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatLine, hasErrors, renderTty } from '../config/diagnostics.ts';
import { sourceText } from '../config/source-text.ts';
import { loadStatic } from '../config/static/load.ts';
import { placed } from '../config/static/problem.ts';
import { type ResolvedStatic, resolveStatic } from '../config/static/resolve.ts';
import type { StaticConfig } from '../config/static/schema.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import { createLog, type Log } from '../observability/log.ts';
import { reopenOrTell } from '../observability/reopen.ts';
import { messageOf } from '../util/message-of.ts';
import { announce, HandoverRefused } from './announce.ts';
import { ListenFailed } from './bring-up.ts';
import type { WorkerUser } from './fork.ts';
import { findPredecessor, type Predecessor } from './handover.ts';
import { logDiagnostics } from './log-diagnostics.ts';
import { createNotifier, type Notifier } from './notify.ts';
import { portInTheWay, withPorts } from './port-check.ts';
import { createPrimary, type Primary } from './primary.ts';
import { createShutdown, type Shutdown } from './shutdown.ts';
import { onSignals } from './signals.ts';
import { makeAccessLog, takeWorkerUser, workerUserProblem } from './worker-user.ts';

export interface StartOptions {
  /** Flags only: no program name, no command. */
  readonly argv: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** The gateway to replace; its listeners stay beside this one's until all workers serve. */
  readonly replaces?: Replaced;
  /** Called once it serves and, in a handover, once the other gateway was asked to leave. */
  readonly onServing?: () => void;
}

export interface Replaced {
  readonly pid: number;
  /** Also with errors in the dynamic configuration. */
  readonly despiteErrors: boolean;
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
  const found = resolved.workerUser === null ? null : takeWorkerUser(resolved.workerUser);
  if (found?.ok === false) {
    process.stderr.write(`${found.problem}\n`);
    return 1;
  }
  const workerUser = found?.user ?? null;
  const log = openLog(resolved);
  if (log === null) return 1;
  logDiagnostics(log, diagnostics);
  mentionWarnings(log, resolved, diagnostics);
  const place = await takePlace(resolved, options.replaces);
  if (!place.ok) return failToStart(log, resolved, place.problem);
  const obstacle =
    accessLogObstacle(resolved) ??
    (workerUser === null ? null : workerUserProblem(workerUser, loaded.config, resolved));
  if (obstacle !== null) return failToStart(log, resolved, obstacle);
  const entryPoints = await withPorts(resolved.entryPoints);
  const settled = { ...resolved, entryPoints, worker: { ...resolved.worker, entryPoints } };
  const { config } = loaded;
  const { predecessor } = place;
  const notifier = createNotifier(options.env, log, predecessor !== null);
  return run({ config, resolved: settled, log, diagnostics, options, notifier, predecessor, workerUser });
}

/** At the start somebody looks; later workers come up without their access log, and say so. */
function accessLogObstacle(resolved: ResolvedStatic): string | null {
  try {
    makeAccessLog(resolved);
    return null;
  } catch (error) {
    return `the access log cannot be opened: ${messageOf(error)}`;
  }
}

type Place =
  | { readonly ok: true; readonly predecessor: Predecessor | null }
  | { readonly ok: false; readonly problem: string };

/** The ports are free, or the gateway to replace has them. */
async function takePlace({ entryPoints }: ResolvedStatic, replaces: Replaced | undefined): Promise<Place> {
  const found = replaces === undefined ? null : findPredecessor(replaces.pid, entryPoints);
  if (found?.ok === false) return found;
  const predecessor = found?.predecessor ?? null;
  const problem = await (predecessor?.obstacle(entryPoints) ?? portInTheWay(entryPoints));
  return problem === null ? { ok: true, predecessor } : { ok: false, problem };
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
  /** Null: workers are the user this process is. */
  readonly workerUser: WorkerUser | null;
  readonly resolved: ResolvedStatic;
  readonly log: Log;
  readonly diagnostics: readonly Diagnostic[];
  readonly options: StartOptions;
  readonly notifier: Notifier;
  readonly predecessor: Predecessor | null;
}

async function run(start: Run): Promise<number> {
  const { resolved, log, notifier } = start;
  const primary = createPrimary({ ...start, env: start.options.env });
  const times = { accept: resolved.requestAcceptGraceTimeout, finish: resolved.graceTimeOut };
  const shutdown = createShutdown(primary.supervisor, times, log);
  let code = 0;
  const stopSignals = onSignals({
    shutDown(signal) {
      notifier.stopping('finishing what runs');
      shutdown.begin(signal);
      primary.leave();
    },
    atOnce: () => shutdown.atOnce(),
    retire() {
      // The unit goes on, with the successor.
      notifier.silence();
      shutdown.retire();
      primary.leave();
    },
    reload: () => void reload(primary, start),
    reopenLogs: () => reopenLogs(primary, start),
    roll: () => void primary.roll(),
  });
  const crashed = (error: Error): void => {
    code = 1;
    // The workers finish what they run; what is broken here cannot supervise them any longer.
    log.fatal({ stack: error.stack ?? error.message }, 'primary ends on an exception nobody caught');
    notifier.stopping('ends on an exception');
    shutdown.crash();
    primary.leave();
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
    if (!shutdown.begun()) await announce(primary, { ...start, ...start.options, leaves: shutdown.begun });
    return true;
  } catch (error) {
    if (shutdown.begun()) return true;
    primary.supervisor.kill();
    failToStart(start.log, start.resolved, startProblem(error));
    return false;
  }
}

/** Workers of another user may have no right to make the file that logrotate has moved away. */
function reopenLogs(primary: Primary, { resolved, workerUser, log }: Run): void {
  if (workerUser !== null) reopenOrTell({ reopen: () => makeAccessLog(resolved) }, 'access log', log);
  primary.reopenLogs();
}

async function reload(primary: Primary, { resolved, notifier }: Run): Promise<void> {
  void notifier.reloading();
  primary.reload();
  if (!notifier.isOn) return;
  // What was read is given to the workers one throttle later, and in force when the last of them runs it.
  await sleep(resolved.providersThrottleDuration);
  await primary.settled();
  await notifier.ready(`serving with ${resolved.workers} workers`);
}

function startProblem(error: unknown): string {
  // The listener's message names entry point and address.
  if (error instanceof ListenFailed || error instanceof HandoverRefused) return error.message;
  return `no worker could be started: ${messageOf(error)}`;
}

function openLog(resolved: ResolvedStatic): Log | null {
  try {
    return createLog(resolved.worker.log);
  } catch (error) {
    const reason = messageOf(error);
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
