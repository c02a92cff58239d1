// Puts the request path together: entry points in front, a Runtime behind, one reference between them.

import type { Diagnostic } from '../model/diagnostic.ts';
import type { PurgeSelector, ServerName, ServerState } from '../model/ipc.ts';
import type { LiveCounts } from '../model/live.ts';
import type { WorkerChallenge } from '../model/acme.ts';
import type { WorkerSettings } from '../model/settings.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { CertificateChange } from '../model/tls.ts';
import { type AccessLog, createAccessLog } from '../observability/access-log.ts';
import type { Log } from '../observability/log.ts';
import { reopenOrTell } from '../observability/reopen.ts';
import { tellUnopened } from '../observability/unopened.ts';
import { createTracing, type Tracing } from '../observability/tracing.ts';
import { createEntryPoints, type Endings } from './endings.ts';
import type { EntryPoint } from './entrypoints/entry-point.ts';
import type { ManagedNames } from './entrypoints/intake-headers.ts';
import type { ListenerHost } from './entrypoints/listener.ts';
import { Drain } from './drain.ts';
import type { Exchange } from './exchange.ts';
import type { Gateway, GatewayDeps } from './gateway.ts';
import { type AuthCacheRegistry, createAuthCacheRegistry } from './middlewares/forward-auth/cache.ts';
import { meteredCaches } from './middlewares/forward-auth/metered-caches.ts';
import { loadPlugins } from './middlewares/plugin/registry.ts';
import { Listeners } from './listeners.ts';
import { LiveCounters } from './live-counters.ts';
import { serve } from './pipeline.ts';
import { Recorder } from './recorder.ts';
import { assemble } from './runtime/assemble.ts';
import { KeepStore } from './runtime/keep.ts';
import { newerService } from './runtime/newer-service.ts';
import type { Runtime } from './runtime/runtime.ts';
import type { Service } from './services/service.ts';
import type { SessionRoom } from './services/sticky-header.ts';
import { createAuthClients } from './upstream/auth-client.ts';

/** Milliseconds the last spans may take to their collector. */
const lastSpans = 800;

/** Throws `Error` for settings that cannot work. */
export function createGateway(settings: WorkerSettings, deps: GatewayDeps): Gateway {
  // What is wrong with one is the primary's to tell; here its routers answer 503.
  loadPlugins(settings.plugins);
  return new WorkerGateway(settings, deps);
}

class WorkerGateway implements Gateway, ListenerHost {
  readonly #settings: WorkerSettings;
  readonly #deps: GatewayDeps;
  readonly #log: Log;
  readonly #accessLog: AccessLog | null;
  readonly #recorder: Recorder;
  readonly #tracing: Tracing | null;
  readonly #kept = new KeepStore();
  readonly #authCaches = createAuthCacheRegistry();
  /** The same, seen by the metrics. */
  readonly #shownCaches: AuthCacheRegistry;
  readonly #authClients = createAuthClients();
  readonly #entryPoints: readonly EntryPoint[];
  readonly #listeners: Listeners;
  readonly #sessions: SessionRoom | null;
  readonly #drain = new Drain();
  readonly #endings: Endings;
  #runtime: Runtime | null = null;
  #previous: Runtime | null = null;
  #terminating = false;
  #authHits = 0;
  #authMisses = 0;
  /** At most 1,000, as the primary says them. */
  #drains: readonly ServerName[] = [];
  /** Key authorisations by token. */
  #challengeAnswers: ReadonlyMap<string, string> = new Map();

  constructor(settings: WorkerSettings, deps: GatewayDeps) {
    this.#settings = settings;
    this.#deps = deps;
    this.#log = deps.log;
    this.#accessLog =
      settings.accessLog === null
        ? null
        : createAccessLog(settings.accessLog, {
            onDropped: (lines) =>
              this.#log.warn(
                { lines },
                'Access log lines were dropped: the log is written more slowly than it grows',
              ),
            unopened: tellUnopened('access log', () => this.#log),
          });
    this.#recorder = new Recorder(this.#accessLog, this.#log);
    this.#tracing = settings.tracing == null ? null : createTracing(settings.tracing, this.#log);
    const meters = deps.meters ?? null;
    this.#shownCaches =
      meters === null ? this.#authCaches : meteredCaches(this.#authCaches, meters.instruments);
    this.#endings = {
      drain: this.#drain,
      recorder: this.#recorder,
      accessLog: this.#accessLog,
      tracing: this.#tracing,
      meters,
      live: null,
    };
    this.#entryPoints = createEntryPoints(settings.entryPoints, this.#endings);
    this.#listeners = new Listeners(this.#entryPoints, this, this.#log);
    const newer = (owner: Service, x: Exchange): Service | null =>
      newerService(owner, x, { now: this.#runtime, before: this.#previous });
    this.#sessions = deps.sessions === undefined ? null : { ...deps.sessions, newer };
  }

  // --- for the listeners ---

  readonly serve = (x: Exchange): void => {
    this.#drain.entered(x);
    // Listeners open after the first snapshot.
    serve(x, this.#runtime as Runtime);
  };

  readonly refused = (entryPoint: EntryPoint, status: number): void => {
    this.#recorder.refused(entryPoint, status);
  };

  managedNames(): ManagedNames {
    return (this.#runtime as Runtime).managed;
  }

  get bootSecret(): string {
    return this.#settings.bootSecret;
  }

  isDraining(): boolean {
    return this.#drain.begun;
  }

  // --- for the worker ---

  apply(snapshot: Snapshot, down: readonly ServerState[]): readonly Diagnostic[] {
    const kept = this.#kept.open();
    try {
      const { runtime, diagnostics } = assemble(snapshot, {
        entryPoints: this.#entryPoints.map((entryPoint) => entryPoint.name),
        kept,
        previous: this.#runtime,
        meters: this.#deps.meters ?? null,
        ...(this.#sessions === null ? {} : { sessions: this.#sessions }),
        serverFails: (service, url) => {
          this.setServerState({ service, url, up: false });
          this.#deps.serverFails?.(service, url);
        },
        internal: {
          pingStatus: () => (this.#terminating ? this.#settings.pingTerminatingStatusCode : 200),
          askPrimary: this.#deps.askPrimary,
          challengeAnswer: (token) => this.#challengeAnswers.get(token) ?? null,
        },
        build: {
          bootSecret: this.#settings.bootSecret,
          authClients: this.#authClients,
          authCaches: this.#shownCaches,
          state: this.#deps.state,
          decisions: this.#deps.decisions ?? null,
          meters: this.#deps.meters ?? null,
          log: { warn: (message) => this.#log.warn(message), error: (message) => this.#log.error(message) },
        },
      });
      runtime.begin(down, this.#runtime);
      runtime.setDrains(this.#drains, []);
      this.#previous?.dispose();
      this.#previous = this.#runtime;
      this.#runtime = runtime;
      this.#listeners.configure(snapshot.tls);
      this.#retainMeters();
      return diagnostics;
    } catch (error) {
      kept.close();
      throw error;
    }
  }

  /** Also those to which a rollback would return. */
  #retainMeters(): void {
    this.#deps.meters?.retain([this.#runtime, this.#previous].flatMap((one) => one?.snapshot ?? []));
  }

  snapshot(): Snapshot | null {
    return this.#runtime?.snapshot ?? null;
  }

  rollback(version: number): number {
    const current = this.#runtime as Runtime;
    if (current.version === version && this.#previous !== null) {
      this.#runtime = this.#previous;
      this.#previous = null;
      current.dispose();
      this.#listeners.configure(this.#runtime.snapshot.tls);
    }
    return (this.#runtime as Runtime).version;
  }

  listen(): Promise<Readonly<Record<string, number>>> {
    return this.#listeners.open();
  }

  setCertificates(change: CertificateChange): void {
    this.#listeners.setCertificates(change);
  }

  setChallenges(challenges: readonly WorkerChallenge[]): void {
    this.#challengeAnswers = new Map(
      challenges.flatMap((one) =>
        one.kind === 'http-01' ? [[one.token, one.keyAuthorization] as const] : [],
      ),
    );
    this.#listeners.setChallenges(challenges);
  }

  setServerState(state: ServerState): void {
    this.#runtime?.setServerUp(state.service, state.url, state.up);
    this.#previous?.setServerUp(state.service, state.url, state.up);
  }

  setDrains(drains: readonly ServerName[]): void {
    const before = this.#drains;
    this.#drains = drains;
    this.#runtime?.setDrains(drains, before);
    this.#previous?.setDrains(drains, before);
  }

  purgeAuth(selector: PurgeSelector): number {
    return this.#authCaches.purge(selector);
  }

  setTerminating(leaves: boolean): void {
    this.#terminating = true;
    if (leaves) this.#drain.leave();
  }

  countLive(): void {
    this.#endings.live ??= new LiveCounters();
  }

  takeLive(): LiveCounts | null {
    const { live } = this.#endings;
    if (live === null) return null;
    let hits = 0;
    let misses = 0;
    for (const [, { stats }] of this.#authCaches.entries()) {
      hits += stats.hits;
      misses += stats.misses;
    }
    // Totals shrink when a cache goes away with its middleware.
    const newHits = Math.max(0, hits - this.#authHits);
    const newMisses = Math.max(0, misses - this.#authMisses);
    this.#authHits = hits;
    this.#authMisses = misses;
    return live.take(newHits, newMisses);
  }

  reopenLogs(): void {
    if (this.#accessLog !== null) reopenOrTell(this.#accessLog, 'access log', this.#log);
  }

  async drain(deadline: number): Promise<void> {
    this.setTerminating(false);
    this.#listeners.stopAccepting();
    await this.#drain.finish(deadline);
    await this.#accessLog?.flush();
    await this.#tracing?.flush(lastSpans);
  }

  async close(): Promise<void> {
    this.#listeners.close();
    this.#previous?.dispose();
    this.#runtime?.dispose();
    this.#authClients.close();
    await this.#accessLog?.flush();
    await this.#tracing?.close(lastSpans);
  }
}
