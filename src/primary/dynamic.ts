// The dynamic configuration as it changes: providers in, resolved content out, diagnostics kept.

import { setTimeout as sleep } from 'node:timers/promises';
import type { ProviderConfig } from '../config/dynamic/provider-config.ts';
import { resolve } from '../config/dynamic/resolve.ts';
import type { ResolvedStatic } from '../config/static/resolve.ts';
import type { StaticConfig } from '../config/static/schema.ts';
import type { CertificateRequest } from '../model/acme.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import type { Log } from '../observability/log.ts';
import { createAggregate } from '../providers/aggregate.ts';
import { createDockerProvider } from '../providers/docker/docker.ts';
import { createFileProvider } from '../providers/file/file.ts';
import { type DynamicSide, dynamicSide } from '../providers/from-static.ts';
import { createNamedFiles } from '../providers/named-files.ts';
import type { Provider } from '../providers/provider.ts';
import type { Content } from './reload.ts';
import { createReported } from './reported.ts';

export interface DynamicOptions {
  readonly config: StaticConfig;
  readonly resolved: ResolvedStatic;
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
  /** Called for every change, after `start` has returned. */
  readonly onContent: (content: Content) => void;
}

export interface Dynamic {
  /** What the providers give at once; they go on watching. */
  start(): Content;
  /** Settles when every provider has had its first try, or after `ms` milliseconds. */
  ready(ms: number): Promise<void>;
  reload(): void;
  /** All that is wrong at present. */
  diagnostics(): readonly Diagnostic[];
  /** Certificates that the newest configuration wants to have ordered. */
  certificateRequests(): readonly CertificateRequest[];
  /** As Traefik names them. */
  readonly providers: readonly string[];
  close(): void;
}

export function createDynamic(options: DynamicOptions): Dynamic {
  const side = dynamicSide(options.config, options.resolved, options.env);
  const providers = providersOf(side, options.log);
  const reported = createReported(options.log);
  reported.set('static', side.diagnostics);
  let first: Content | null = null;
  /** What was resolved last, in force or not. */
  let known: Content | null = null;
  let requests: readonly CertificateRequest[] = [];
  let started = false;
  let given: readonly ProviderConfig[] = [];
  const files = createNamedFiles(() => changed(given));
  const changed = (latest: readonly ProviderConfig[]): void => {
    given = latest;
    const filled = files.fill(latest);
    const result = resolve({ ...side.base, sources: filled.sources, known });
    known = result.snapshot;
    requests = result.certificateRequests;
    reported.set('files', filled.diagnostics);
    reported.set('resolve', result.diagnostics);
    reported.writeNew();
    if (started) options.onContent(result.snapshot);
    else first = result.snapshot;
  };
  const aggregate = createAggregate({
    providers,
    fixed: side.fixed,
    throttle: options.resolved.providersThrottleDuration,
    onDiagnostics(provider, list) {
      reported.set(provider, list);
      // An engine that is lost changes nothing else, and is to be told all the same.
      if (started) reported.writeNew();
    },
    onChange: changed,
  });
  return {
    start() {
      aggregate.start();
      started = true;
      if (first === null) throw new Error('providers gave nothing at their start');
      return first;
    },
    ready: (ms) => firstTries(providers, ms),
    reload: () => aggregate.reload(),
    diagnostics: reported.all,
    certificateRequests: () => requests,
    providers: providers.map(({ name }) => name.charAt(0).toUpperCase() + name.slice(1)),
    close() {
      files.close();
      aggregate.close();
    },
  };
}

function providersOf({ docker, file }: DynamicSide, log: Log): readonly Provider[] {
  return [
    ...(docker === null ? [] : [createDockerProvider(docker, log.child('docker'))]),
    ...(file === null ? [] : [createFileProvider(file)]),
  ];
}

async function firstTries(providers: readonly Provider[], ms: number): Promise<void> {
  const tries = providers.flatMap((provider) => provider.ready?.() ?? []);
  if (tries.length === 0) return;
  const deadline = new AbortController();
  const late = sleep(ms, undefined, { signal: deadline.signal }).catch(() => {});
  await Promise.race([Promise.all(tries), late]);
  deadline.abort();
}
