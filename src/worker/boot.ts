// A worker's life: it says that it is there, then does what the primary tells it.

import cluster from 'node:cluster';
import { open } from '../model/envelope.ts';
import { connectRedis } from '../state/redis/connect.ts';
import type { ToWorker } from '../model/ipc.ts';
import type { WorkerSettings } from '../model/settings.ts';
import { createLog, type Log } from '../observability/log.ts';
import { reopenOrTell } from '../observability/reopen.ts';
import { createGateway } from '../proxy/create-gateway.ts';
import type { Gateway } from '../proxy/gateway.ts';
import { messageOf } from '../util/message-of.ts';
import { applyChange, applySnapshot, rollBack } from './apply.ts';
import { type Ask, createAsk } from './ask.ts';
import { createDrain } from './drain.ts';
import { type MetricsReport, startMetrics } from './metrics.ts';
import { tellLive } from './live.ts';
import { report } from './report.ts';
import { createShared, type Shared } from './sessions.ts';
import { type ForState, isForState, WorkerState } from './state.ts';

/** A terminal sends these to the whole process group; the primary is the one that acts on them. */
const leftToPrimary = ['SIGINT', 'SIGTERM', 'SIGQUIT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const;
/** Milliseconds for what runs when the primary is gone and no deadline came with it. */
const orphanDeadline = 10_000;

/** What a worker is made of once it has its settings. */
interface Parts {
  readonly gateway: Gateway;
  readonly shared: Shared;
  readonly metrics: MetricsReport | null;
}

/** To be called once, in a process forked by the primary. */
export function startWorker(): void {
  for (const signal of leftToPrimary) process.on(signal, () => {});
  // A worker's standard output goes nowhere, and a plugin may have something to say.
  console.log = console.info = console.debug = console.error;
  const ask = createAsk(report);
  const state = new WorkerState(report);
  let log: Log | null = null;
  let parts: Parts | null = null;
  const gateway = (): Gateway | null => parts?.gateway ?? null;
  const drain = createDrain(gateway, report, () => parts?.metrics?.flush());

  tellLive(gateway, report);
  process.on('uncaughtException', (error) => die(log, error));
  cluster.worker?.on('disconnect', () => {
    // Node ends an unexpectedly disconnected worker on the spot, and its requests with it, unless this is set.
    if (cluster.worker !== undefined) cluster.worker.exitedAfterDisconnect = true;
    drain.begin(orphanDeadline);
  });
  process.on('message', (value: unknown) => {
    const opened = open<ToWorker>(value);
    if (!opened.ok) {
      if (opened.reason === 'version') throw new Error('the primary speaks the protocol of another release');
      return;
    }
    const { message } = opened;
    if (message.type === 'boot') {
      log = createLog(message.settings.log, { elseStandardOutput: true });
      parts = build(message.settings, { log, ask, state });
    } else if (message.type === 'api-answer') ask.answered(message.id, message.answer);
    else if (isForState(message)) state.obey(message);
    else if (parts?.shared.obey(message) === true) return;
    else if (message.type === 'ping') report({ type: 'pong' });
    else if (message.type === 'drain') drain.begin(message.deadline);
    else if (message.type === 'reopen-logs') reopen(log, gateway());
    else if (parts !== null) obey(parts.gateway, message, state.arrived);
    else if (message.type === 'drains') report({ type: 'drains-set', id: message.id });
    else if (message.type === 'purge') report({ type: 'purged', id: message.id, entries: 0 });
  });
  report({ type: 'ready' });
}

interface Surroundings {
  readonly log: Log;
  readonly ask: Ask;
  readonly state: WorkerState;
}

/** Throws `Error` for settings that cannot work. */
function build(settings: WorkerSettings, { log, ask, state }: Surroundings): Parts {
  const metrics = startMetrics(settings.metrics ?? null, report, () => state.mode);
  const connection = settings.redis === null ? null : connectRedis(settings.redis, log.child('redis'));
  const redis = connection === null ? null : (metrics?.timed(connection) ?? connection);
  state.begin({ redis, onError: settings.stateOnError, log: log.child('state') });
  const shared = createShared(settings, redis, report);
  const gateway = createGateway(settings, {
    askPrimary: (request) => ask.ask(request),
    log,
    state,
    meters: metrics?.meters ?? null,
    sessions: shared.sessions,
    decisions: shared.decisions,
    serverFails: (service, url) => report({ type: 'server-fails', service, url }),
  });
  return { gateway, shared, metrics };
}

type ForGateway = Exclude<
  ToWorker,
  ForState | { type: 'boot' | 'api-answer' | 'drain' | 'reopen-logs' | 'ping' }
>;

/** `arrived`: what has to settle before it listens. */
function obey(gateway: Gateway, message: ForGateway, arrived: Promise<void> | undefined): void {
  switch (message.type) {
    case 'snapshot':
      applySnapshot(gateway, message, report);
      break;
    case 'delta':
      applyChange(gateway, message, report);
      break;
    case 'rollback':
      rollBack(gateway, message.version, report);
      break;
    case 'listen':
      void listen(gateway, arrived);
      break;
    case 'server':
      gateway.setServerState(message.state);
      break;
    case 'count-live':
      gateway.countLive();
      break;
    case 'certificates':
      gateway.setCertificates(message.change);
      break;
    case 'challenges':
      gateway.setChallenges(message.challenges);
      break;
    case 'drains':
      gateway.setDrains(message.drains);
      if (message.id !== 0) report({ type: 'drains-set', id: message.id });
      break;
    case 'purge':
      report({ type: 'purged', id: message.id, entries: gateway.purgeAuth(message.selector) });
      break;
    case 'terminating':
      gateway.setTerminating(message.leaves);
      break;
  }
}

async function listen(gateway: Gateway, arrived: Promise<void> | undefined): Promise<void> {
  try {
    if (arrived !== undefined) await arrived;
    report({ type: 'listening', addresses: await gateway.listen() });
  } catch (error) {
    const named = error instanceof Error && 'entryPoint' in error ? String(error.entryPoint) : '';
    const message = messageOf(error);
    report({ type: 'listen-failed', entryPoint: named, message });
  }
}

function reopen(log: Log | null, gateway: Gateway | null): void {
  if (log !== null) reopenOrTell(log, 'log', log);
  gateway?.reopenLogs();
}

/** What is broken in ways nobody foresaw must not go on serving: the primary starts another one. */
function die(log: Log | null, error: unknown): void {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  if (log === null) process.stderr.write(`worker ${process.pid}: ${stack}\n`);
  else {
    log.fatal({ pid: process.pid, stack }, 'worker ends on an exception nobody caught');
    log.flushSync();
  }
  process.exit(1);
}
