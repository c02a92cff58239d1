// The primary's parts put together: configuration, workers, health, API.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ResolvedStatic } from '../config/static/resolve.ts';
import type { StaticConfig } from '../config/static/schema.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import type { ApiAnswer } from '../model/ipc.ts';
import type { Log } from '../observability/log.ts';
import { failure } from './api/answers.ts';
import { createApi } from './api/api.ts';
import { apiFacts } from './api/facts.ts';
import { createCertificates } from './certificates.ts';
import { createDrains } from './drains.ts';
import { createDynamic } from './dynamic.ts';
import { createFork } from './fork.ts';
import { createHealthMonitor } from './health/monitor.ts';
import { createObtain } from './obtain.ts';
import { createPurge } from './purge.ts';
import { createNodePurges } from './purge-nodes.ts';
import { type Content, createReload } from './reload.ts';
import { createHeldSessions, relayMovedSessions } from './sessions.ts';
import { createSupervisor, type Supervisor } from './supervisor.ts';
import type { WorkerHandle } from './worker-handle.ts';

export interface PrimaryOptions {
  readonly config: StaticConfig;
  readonly resolved: ResolvedStatic;
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
  /** Of the static configuration. */
  readonly diagnostics: readonly Diagnostic[];
}

export interface Primary {
  readonly supervisor: Supervisor;
  /** Settles when every provider has had its first try, after 3 s at the latest. */
  ready(): Promise<void>;
  /** Settles when every worker serves. */
  start(): Promise<void>;
  /** Of the dynamic configuration as it is now. */
  diagnostics(): readonly Diagnostic[];
  /** Providers look again. */
  reload(): void;
  reopenLogs(): void;
  /** Replaces the workers one by one. */
  roll(): Promise<void>;
  /** After the workers have ended. */
  close(): Promise<void>;
}

/** Milliseconds the listeners wait for the routes of a container engine. */
const firstLook = 3000;

/** Providers begin to watch here; workers are forked by `start`. */
export function createPrimary(options: PrimaryOptions): Primary {
  const { config, resolved, log } = options;
  const certificates = createCertificates((message) => supervisor.broadcast(message));
  /** Contents keep their order, also where one waits for the first certificate. */
  let submitting: Promise<void> = Promise.resolve();
  const submit = (content: Content): void => {
    submitting = submitting
      .then(() => certificates.prepare(content.tls))
      .then(() => {
        // What is wanted may change where the Snapshot does not.
        void reload.submit(content).then(() => wantNow());
      });
  };
  const wantNow = (): void => obtain.want(dynamic.certificateRequests(), reload.current().snapshot.tls);
  const { resolvers, redis } = resolved;
  const obtain = createObtain({ resolvers, redis, certificates, log });
  const dynamic = createDynamic({
    config,
    resolved,
    env: options.env,
    log,
    onContent: submit,
  });
  const health = createHealthMonitor(log, (state) => supervisor.broadcast({ type: 'server', state }));
  const reload = createReload(
    {
      log,
      running: () => supervisor.running(),
      replace: (handle, reason) => supervisor.replace(handle, reason),
      committed(snapshot) {
        health.follow(snapshot);
        supervisor.catchUpAll();
      },
      downFor: (snapshot) => health.downFor(snapshot),
    },
    dynamic.start(),
  );
  const sessions = createHeldSessions(() => supervisor.workers());
  const drains = createDrains({
    workers: () => supervisor.workers(),
    snapshot: () => reload.current().snapshot,
  });
  const purges = createNodePurges({
    redis: resolved.redis,
    secret: resolved.worker.stateSecret ?? null,
    local: createPurge(() => supervisor.workers()),
    onConnection: (connection) =>
      relayMovedSessions(connection, (message) => supervisor.broadcast(message)),
    log,
  });
  const supervisor: Supervisor = createSupervisor({
    workers: resolved.workers,
    settings: resolved.worker,
    fork: createFork(fileURLToPath(new URL('../main.ts', import.meta.url)), resolved.entryPoints),
    snapshots: reload,
    greeting: () => [...certificates.greeting(), ...drains.greeting()],
    drainDeadline: resolved.graceTimeOut,
    log,
    onSessionCalls: (from, calls) => sessions.answer(from, calls),
    onServerFails: (service, url) => health.fails(service, url),
    onApiRequest: (from, id, request) => {
      const ask = request.service === 'acme-http' ? obtain.answer(request.target) : api(request);
      void answerApi(ask, log, from, id);
    },
  });
  const api = createApi(
    apiFacts({ config, resolved, version: packageVersion(), providers: dynamic.providers }),
    {
      snapshot: () => reload.current().snapshot,
      serverStates: (service) => health.serverStates(service),
      workers: () => supervisor.workers().map(({ pid, state, version }) => ({ pid, state, version })),
      diagnostics: () => [...options.diagnostics, ...dynamic.diagnostics(), ...reload.diagnostics()],
      obtained: () => certificates.obtained(),
      acme: () => obtain.status(),
      purge: purges.purge,
      drains,
    },
  );
  return {
    supervisor,
    ready: () => dynamic.ready(firstLook),
    async start() {
      const { tls } = reload.current().snapshot;
      await certificates.prepare(tls);
      obtain.want([], tls);
      // Before the first worker, so that it begins with what is stored.
      await obtain.start();
      const addresses = await supervisor.start();
      // Now somebody can answer what authorities ask.
      wantNow();
      health.follow(reload.current().snapshot);
      for (const [entryPoint, port] of Object.entries(addresses)) log.info({ entryPoint, port }, 'listening');
    },
    diagnostics: () => [...dynamic.diagnostics(), ...reload.diagnostics()],
    reload: () => dynamic.reload(),
    reopenLogs() {
      log.reopen();
      supervisor.broadcast({ type: 'reopen-logs' });
      log.info('logs are opened anew');
    },
    roll() {
      if (resetsOnClose()) {
        log.info('net.ipv4.tcp_migrate_req is 0: a connection just arriving at an old worker may be reset');
      }
      return supervisor.roll();
    },
    async close() {
      dynamic.close();
      sessions.close();
      purges.close();
      await Promise.all([health.close(), obtain.close()]);
    },
  };
}

async function answerApi(
  answer: Promise<ApiAnswer>,
  log: Log,
  from: WorkerHandle,
  id: number,
): Promise<void> {
  try {
    from.send({ type: 'api-answer', id, answer: await answer });
  } catch (error) {
    log.error({ stack: error instanceof Error ? error.stack : String(error) }, 'the API failed');
    from.send({ type: 'api-answer', id, answer: failure(500, 'Internal Server Error') });
  }
}

/** The kernel resets what waits in the queue of a listener that closes, unless it may give it to another one. */
function resetsOnClose(): boolean {
  try {
    return readFileSync('/proc/sys/net/ipv4/tcp_migrate_req', 'utf8').trim() === '0';
  } catch {
    return false;
  }
}

function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { readonly version: string }).version;
}
