// Static configuration to what processes need: entry points with numbers in them, worker settings, API.

import { availableParallelism } from 'node:os';
import type { ResolverSettings } from '../../model/acme.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { EntryPointSpec } from '../../model/entry-point.ts';
import type { RedisSettings } from '../../model/redis.ts';
import type { WorkerSettings } from '../../model/settings.ts';
import type { RuleSyntax } from '../../model/snapshot.ts';
import { pluginSettings } from './plugins.ts';
import { staticError, staticWarning } from './problem.ts';
import { implicitEntryPoints, resolveEntryPoint } from './resolve-entry-point.ts';
import { isRedirectionPort } from './redirection.ts';
import { resolveAcme } from './resolve-acme.ts';
import { resolveRedis, resolveStateSecret } from './resolve-state.ts';
import { resolveAccessLog, resolveLog } from './resolve-logs.ts';
import { type PrometheusSettings, resolveMetrics } from './resolve-metrics.ts';
import { resolveTracing } from './resolve-tracing.ts';
import { resolveWorkerEnv, resolveWorkerUser, type WorkerIdentity } from './resolve-worker-user.ts';
import { maxWorkers } from './schema.ts';
import type { StaticConfig } from './schema.ts';

export interface ApiSettings {
  readonly insecure: boolean;
  readonly dashboard: boolean;
  readonly debug: boolean;
  readonly basePath: string;
}

export interface PingSettings {
  readonly entryPoint: string;
  readonly manualRouting: boolean;
  readonly terminatingStatusCode: number;
}

export interface ResolvedStatic {
  readonly entryPoints: readonly EntryPointSpec[];
  readonly worker: WorkerSettings;
  /** Worker processes, 1 to 64. */
  readonly workers: number;
  /** Null: workers are the user the primary is. */
  readonly workerUser: WorkerIdentity | null;
  /** Variables that workers get, beyond those they need. */
  readonly workerEnv: readonly string[];
  readonly api: ApiSettings | null;
  readonly ping: PingSettings | null;
  /** Null or absent: nothing is counted. */
  readonly prometheus?: PrometheusSettings | null;
  readonly resolvers: readonly ResolverSettings[];
  /** Null: state lives in the primary, certificates in files. */
  readonly redis: RedisSettings | null;
  /** Milliseconds. */
  readonly providersThrottleDuration: number;
  readonly defaultRuleSyntax: RuleSyntax;
  /** Milliseconds: the longest of the entry points. */
  readonly requestAcceptGraceTimeout: number;
  readonly graceTimeOut: number;
  /** Errors here mean: do not start. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Pure: no file is read. `bootSecret` is 32 random bytes as hex. */
export function resolveStatic(config: StaticConfig, bootSecret: string): ResolvedStatic {
  const diagnostics: Diagnostic[] = [];
  const entryPoints = resolveEntryPoints(config, diagnostics);
  checkReferences(config, entryPoints, diagnostics);
  checkFileProvider(config, diagnostics);
  const redis = resolveRedis(config, diagnostics);
  const prometheus = resolveMetrics(config, entryPoints, diagnostics);
  return {
    entryPoints,
    worker: {
      entryPoints,
      accessLog: resolveAccessLog(config, diagnostics),
      log: resolveLog(config, diagnostics),
      pingTerminatingStatusCode: terminatingStatus(config, diagnostics),
      bootSecret,
      plugins: pluginSettings(config),
      redis,
      stateSecret: resolveStateSecret(config, diagnostics),
      stateOnError: config.state?.onError ?? 'local',
      metrics: prometheus?.metrics ?? null,
      tracing: resolveTracing(config, diagnostics),
    },
    workers: workerCount(config, diagnostics),
    workerUser: resolveWorkerUser(config, diagnostics),
    workerEnv: resolveWorkerEnv(config, diagnostics),
    api: resolveApi(config, diagnostics),
    ping: config.ping ?? null,
    prometheus,
    resolvers: resolveAcme(config, entryPoints, diagnostics),
    redis,
    providersThrottleDuration: config.providers.providersThrottleDuration,
    defaultRuleSyntax: config.core.defaultRuleSyntax,
    requestAcceptGraceTimeout: Math.max(
      0,
      ...entryPoints.map((entryPoint) => entryPoint.transport.requestAcceptGraceTimeout),
    ),
    graceTimeOut: Math.max(0, ...entryPoints.map((entryPoint) => entryPoint.transport.graceTimeOut)),
    diagnostics,
  };
}

function resolveEntryPoints(config: StaticConfig, diagnostics: Diagnostic[]): EntryPointSpec[] {
  const specs: EntryPointSpec[] = [];
  const written = { ...config.entryPoints, ...implicitEntryPoints(config) };
  for (const [name, entryPoint] of Object.entries(written)) {
    const spec = resolveEntryPoint(name, entryPoint, config.global.notAppendXForwardedFor, diagnostics);
    if (spec !== null) specs.push(spec);
  }
  for (const [index, spec] of specs.entries()) {
    // Port 0 is "any free port": two of them never meet.
    const twin = specs
      .slice(0, index)
      .find((other) => spec.port !== 0 && other.port === spec.port && overlaps(other.host, spec.host));
    if (twin === undefined) continue;
    const message = `entry points \`${twin.name}\` and \`${spec.name}\` listen on the same address \`${spec.host}:${spec.port}\``;
    diagnostics.push(
      staticError(`entryPoints.${spec.name}.address`, message, 'give one of them another port'),
    );
  }
  return specs;
}

function overlaps(a: string, b: string): boolean {
  const isWild = (host: string): boolean => host === '' || host === '0.0.0.0' || host === '::';
  return a === b || isWild(a) || isWild(b);
}

function checkReferences(
  config: StaticConfig,
  entryPoints: readonly EntryPointSpec[],
  diagnostics: Diagnostic[],
): void {
  const names = new Set(entryPoints.map((entryPoint) => entryPoint.name));
  for (const { name, http } of entryPoints) {
    const to = http.redirection?.to;
    if (to === undefined || (to.startsWith(':') && isRedirectionPort(to.slice(1)))) continue;
    const path = `entryPoints.${name}.http.redirections.entryPoint.to`;
    if (!names.has(to))
      diagnostics.push(
        staticError(
          path,
          `\`to\` is "${to}", expected the name of an entry point or \`:port\``,
          `there are: ${[...names].join(', ')}`,
        ),
      );
    if (to === name) diagnostics.push(staticError(path, `entry point \`${name}\` redirects to itself`));
  }
  if (config.ping !== undefined && !config.ping.manualRouting && !names.has(config.ping.entryPoint)) {
    diagnostics.push(
      staticError(
        'ping.entryPoint',
        `\`entryPoint\` is "${config.ping.entryPoint}", expected the name of an entry point`,
        `there are: ${[...names].join(', ')}`,
      ),
    );
  }
}

function checkFileProvider({ providers: { file } }: StaticConfig, diagnostics: Diagnostic[]): void {
  if (file === undefined) return;
  const hasDirectory = file.directory !== undefined && file.directory !== '';
  const hasFilename = file.filename !== undefined && file.filename !== '';
  if (!hasDirectory && !hasFilename) {
    const message = '`providers.file` names neither a `directory` nor a `filename`: it would read nothing';
    diagnostics.push(staticError('providers.file', message, 'give it one of them, or remove it'));
  }
  if (hasDirectory && hasFilename) {
    const message = '`filename` is not read: `directory` is given, too, and wins';
    diagnostics.push(staticWarning('providers.file.filename', message, 'put the file into the directory'));
  }
}

function terminatingStatus(config: StaticConfig, diagnostics: Diagnostic[]): number {
  const status = config.ping?.terminatingStatusCode ?? 503;
  if (status >= 200 && status <= 599) return status;
  diagnostics.push(
    staticError(
      'ping.terminatingStatusCode',
      `\`terminatingStatusCode\` is ${status}, expected a status from 200 to 599`,
    ),
  );
  return 503;
}

function workerCount(config: StaticConfig, diagnostics: Diagnostic[]): number {
  const { workers } = config;
  if (workers === undefined) return Math.min(maxWorkers, Math.max(1, availableParallelism()));
  if (workers >= 1 && workers <= maxWorkers) return workers;
  diagnostics.push(staticError('workers', `\`workers\` is ${workers}, expected 1 to ${maxWorkers}`));
  return 1;
}

function resolveApi({ api }: StaticConfig, diagnostics: Diagnostic[]): ApiSettings | null {
  if (api === undefined) return null;
  if (!/^\/[a-zA-Z0-9/_.:~-]*$/.test(api.basePath)) {
    diagnostics.push(
      staticError(
        'api.basePath',
        `\`basePath\` is ${JSON.stringify(api.basePath.slice(0, 80))}, expected a path that begins with \`/\``,
      ),
    );
  }
  return { insecure: api.insecure, dashboard: api.dashboard, debug: api.debug, basePath: api.basePath };
}
