// The primary's parts put together: configuration, workers, health, API.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ResolvedStatic } from '../config/static/resolve.ts';
import type { StaticConfig } from '../config/static/schema.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import type { ApiAnswer, ApiRequest, ToWorker } from '../model/ipc.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { CertificateSpec, TlsSpec } from '../model/tls.ts';
import type { Log } from '../observability/log.ts';
import { reopenProblem } from '../observability/reopen.ts';
import { type Api, createApi } from './api/api.ts';
import { isDashboardBuilt } from './api/dashboard-files.ts';
import { deliver } from './api/deliver.ts';
import { apiFacts } from './api/facts.ts';
import { type Certificates, createCertificates } from './certificates.ts';
import { createDrains, type Drains } from './drains.ts';
import { createDynamic, type Dynamic } from './dynamic.ts';
import { createFork, type WorkerUser } from './fork.ts';
import { createHealthMonitor, type HealthMonitor } from './health/monitor.ts';
import { createLive, type LiveNumbers } from './live.ts';
import { createMetrics, type PrimaryMetrics } from './metrics.ts';
import { createObtain, type Obtain } from './obtain.ts';
import { packageVersion } from './package-version.ts';
import { createPurge } from './purge.ts';
import { createNodePurges, type NodePurges } from './purge-nodes.ts';
import { createRedisLink, type RedisLink } from './redis-link.ts';
import { type Content, createReload, type Reload } from './reload.ts';
import { createHeldSessions, type HeldSessions, relayMovedSessions } from './sessions.ts';
import { createSupervisor, type Supervisor } from './supervisor.ts';
import type { WorkerHandle } from './worker-handle.ts';

export interface PrimaryOptions {
  readonly config: StaticConfig;
  readonly resolved: ResolvedStatic;
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
  /** Of the static configuration. */
  readonly diagnostics: readonly Diagnostic[];
  readonly workerUser: WorkerUser | null;
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
  /** Settles when all that providers have given so far is in force, or refused. */
  settled(): Promise<void>;
  reopenLogs(): void;
  /** Replaces the workers one by one. */
  roll(): Promise<void>;
  /**
   * Once its end has begun: what an authority asks for reaches others from then on, so no certificate is ordered any
   * more, and orders that run are given up without a failure being noted. What is there is served on.
   */
  leave(): void;
  /** After the workers have ended. */
  close(): Promise<void>;
}

/** Milliseconds the listeners wait for the routes of a container engine. */
const firstLook = 3000;

/** Providers begin to watch here; workers are forked by `start`. */
export function createPrimary(options: PrimaryOptions): Primary {
  return new Parts(options);
}

class Parts implements Primary {
  readonly supervisor: Supervisor;
  readonly #options: PrimaryOptions;
  /** Null without Redis. */
  readonly #redis: RedisLink | null;
  readonly #certificates: Certificates;
  readonly #obtain: Obtain;
  readonly #dynamic: Dynamic;
  /** Null without a dashboard. */
  readonly #live: LiveNumbers | null;
  readonly #health: HealthMonitor;
  readonly #reload: Reload;
  readonly #sessions: HeldSessions;
  readonly #drains: Drains;
  readonly #purges: NodePurges;
  /** Null unless they are configured. */
  readonly #metrics: PrimaryMetrics | null;
  readonly #api: Api;
  /** Contents keep their order, also where one waits for the first certificate. */
  #submitting: Promise<void> = Promise.resolve();

  constructor(options: PrimaryOptions) {
    const { config, resolved, env, log } = options;
    const { resolvers } = resolved;
    const redis = resolved.redis === null ? null : createRedisLink(resolved.redis, log);
    const broadcast = (message: ToWorker): void => this.supervisor.broadcast(message);
    const workers = (): readonly WorkerHandle[] => this.supervisor.workers();
    this.#options = options;
    this.#redis = redis;
    this.#certificates = createCertificates(broadcast);
    this.#obtain = createObtain({ resolvers, redis, certificates: this.#certificates, log });
    const onContent = (content: Content): void => this.#submit(content);
    this.#dynamic = createDynamic({ config, resolved, env, log, onContent });
    this.#live = resolved.api?.dashboard === true ? createLive() : null;
    this.#health = createHealthMonitor(log, (state) => {
      broadcast({ type: 'server', state });
      this.#live?.serverChanged(state);
    });
    this.#reload = this.#createReload();
    this.#sessions = createHeldSessions(workers);
    this.#drains = createDrains({ workers, snapshot: () => this.#snapshot() });
    this.#purges = createNodePurges({
      redis,
      secret: resolved.worker.stateSecret ?? null,
      local: createPurge(workers),
      log,
    });
    redis?.open().then(
      (connection) => relayMovedSessions(connection, this.#sessions, broadcast),
      () => {},
    );
    this.#metrics = this.#createMetrics();
    this.#api = this.#createApi();
    this.supervisor = this.#createSupervisor();
  }

  ready(): Promise<void> {
    return this.#dynamic.ready(firstLook);
  }

  async start(): Promise<void> {
    const { log } = this.#options;
    const { tls } = this.#snapshot();
    await this.#certificates.prepare(tls);
    this.#obtain.want([], tls);
    // Before the first worker, so that it begins with what is stored.
    await this.#obtain.start();
    const addresses = await this.supervisor.start();
    // Now somebody can answer what authorities ask.
    this.#want();
    this.#health.follow(this.#snapshot());
    this.#metrics?.committed(this.#snapshot());
    for (const [entryPoint, port] of Object.entries(addresses)) log.info({ entryPoint, port }, 'listening');
    if (this.#live !== null && !isDashboardBuilt())
      log.error('the dashboard has not been built: run `npm run build:dashboard`');
  }

  diagnostics(): readonly Diagnostic[] {
    return [...this.#dynamic.diagnostics(), ...this.#reload.diagnostics()];
  }

  reload(): void {
    this.#dynamic.reload();
  }

  async settled(): Promise<void> {
    await this.#submitting;
    await this.#reload.settled();
  }

  reopenLogs(): void {
    const { log } = this.#options;
    const problem = reopenProblem(log, 'log');
    this.supervisor.broadcast({ type: 'reopen-logs' });
    if (problem === null) {
      log.info('logs are opened anew');
      return;
    }
    log.error({ pid: process.pid }, problem);
    // The old file may have been moved or removed: nobody looks into it for this.
    process.stderr.write(`${problem}\n`);
  }

  roll(): Promise<void> {
    if (resetsOnClose()) {
      this.#options.log.info(
        'net.ipv4.tcp_migrate_req is 0: a connection just arriving at an old worker may be reset',
      );
    }
    return this.supervisor.roll();
  }

  leave(): void {
    void this.#obtain.close();
  }

  async close(): Promise<void> {
    this.#dynamic.close();
    this.#metrics?.close();
    this.#sessions.close();
    this.#purges.close();
    this.#live?.close();
    await Promise.all([this.#health.close(), this.#obtain.close()]);
    // Leases and challenges were given back over it.
    this.#redis?.close();
  }

  #snapshot(): Snapshot {
    return this.#reload.current().snapshot;
  }

  #submit(content: Content): void {
    // A bug, or a file of the installation that is gone: what runs goes on, and the next change has its chance.
    const failed = (error: unknown): void => {
      const stack = error instanceof Error ? error.stack : String(error);
      this.#options.log.error({ stack }, 'a change of the configuration could not be looked at');
    };
    this.#submitting = this.#submitting
      .then(() => this.#certificates.prepare(content.tls))
      .then(() => {
        // What is wanted may change where the Snapshot does not.
        void this.#reload
          .submit(content)
          .then(() => this.#want())
          .catch(failed);
      })
      .catch(failed);
  }

  #want(): void {
    this.#obtain.want(this.#dynamic.certificateRequests(), this.#snapshot().tls);
  }

  #createReload(): Reload {
    return createReload(
      {
        log: this.#options.log,
        running: () => this.supervisor.running(),
        replace: (handle, reason) => this.supervisor.replace(handle, reason),
        committed: (snapshot) => {
          this.#health.follow(snapshot);
          this.#drains.follow(snapshot);
          this.#live?.snapshotChanged(snapshot.version);
          this.supervisor.catchUpAll();
          this.#metrics?.committed(snapshot);
        },
        rejected: () => this.#metrics?.rejected(),
        downFor: (snapshot) => this.#health.downFor(snapshot),
      },
      this.#dynamic.start(),
    );
  }

  #createMetrics(): PrimaryMetrics | null {
    const { prometheus = null } = this.#options.resolved;
    if (prometheus === null) return null;
    return createMetrics(prometheus.metrics, {
      version: packageVersion(),
      snapshot: () => this.#snapshot(),
      workers: () => this.supervisor.running().length,
      certificates: () => allCertificates(this.#snapshot().tls, this.#certificates.obtained()),
      acme: () => this.#obtain.status(),
      diagnostics: () => [...this.#options.diagnostics, ...this.diagnostics()],
      serverStates: (service) => this.#health.serverStates(service),
      sessions: () => this.#sessions.size,
    });
  }

  #createApi(): Api {
    const { config, resolved, diagnostics } = this.#options;
    const { providers } = this.#dynamic;
    return createApi(apiFacts({ config, resolved, version: packageVersion(), providers }), {
      snapshot: () => this.#snapshot(),
      serverStates: (service) => this.#health.serverStates(service),
      workers: () => this.supervisor.workers().map(({ pid, state, version }) => ({ pid, state, version })),
      diagnostics: () => [...diagnostics, ...this.diagnostics()],
      obtained: () => this.#certificates.obtained(),
      acme: () => this.#obtain.status(),
      ...(this.#live === null ? {} : { live: this.#live }),
      purge: this.#purges.purge,
      drains: this.#drains,
    });
  }

  #createSupervisor(): Supervisor {
    const { resolved, log, workerUser } = this.#options;
    const env = { names: resolved.workerEnv, traces: (resolved.worker.tracing ?? null) !== null };
    const exec = fileURLToPath(new URL('../main.ts', import.meta.url));
    return createSupervisor({
      workers: resolved.workers,
      settings: resolved.worker,
      fork: createFork(exec, resolved.entryPoints, { env, user: workerUser }),
      snapshots: this.#reload,
      greeting: () => [
        ...this.#certificates.greeting(),
        ...this.#drains.greeting(),
        ...(this.#live === null ? [] : [{ type: 'count-live' } as const]),
      ],
      drainDeadline: resolved.graceTimeOut,
      log,
      onLive: (counts) => this.#live?.add(counts),
      onSessionCalls: (from, calls) => this.#sessions.answer(from, calls),
      onServerFails: (service, url) => this.#health.fails(service, url),
      onMetrics: (from, message) => this.#metrics?.received(from, message),
      onWorkerEnded: (handle, unasked) => this.#metrics?.workerEnded(handle, unasked),
      onApiRequest: (from, id, request) => void deliver(this.#answer(request), from, id, log),
    });
  }

  #answer(request: ApiRequest): Promise<ApiAnswer> {
    if (request.service === 'acme-http') return this.#obtain.answer(request.target);
    if (request.service === 'prometheus' && this.#metrics !== null) return this.#metrics.scrape();
    return this.#api(request);
  }
}

function allCertificates(tls: TlsSpec, obtained: readonly CertificateSpec[]): readonly CertificateSpec[] {
  return [tls.certificates, tls.defaultCertificate ?? [], obtained].flat();
}

/** The kernel resets what waits in the queue of a listener that closes, unless it may give it to another one. */
function resetsOnClose(): boolean {
  try {
    return readFileSync('/proc/sys/net/ipv4/tcp_migrate_req', 'utf8').trim() === '0';
  } catch {
    return false;
  }
}
