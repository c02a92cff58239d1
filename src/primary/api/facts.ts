// What the API knows: the part that never changes, and where the rest is asked for.

import { staticMarks } from '../../config/secrets.ts';
import type { ResolvedStatic } from '../../config/static/resolve.ts';
import type { StaticConfig } from '../../config/static/schema.ts';
import type { CertificateStatus } from '../../model/acme.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { EntryPointSpec } from '../../model/entry-point.ts';
import type { PurgeSelector } from '../../model/ipc.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import type { CertificateSpec } from '../../model/tls.ts';
import type { LiveNumbers } from '../live.ts';
import type { DrainSource } from './drain-servers.ts';
import { redact } from './redact.ts';
import type { ServerStates } from './service-view.ts';

/** What never changes while the primary runs. */
export interface ApiFacts {
  readonly version: string;
  /** ISO 8601. */
  readonly startDate: string;
  /** Without a slash at its end; empty for none. */
  readonly basePath: string;
  readonly entryPoints: readonly EntryPointSpec[];
  /** As Traefik names them: `File`. */
  readonly providers: readonly string[];
  readonly accessLog: boolean;
  /** Absent: requests are not counted. */
  readonly metrics?: boolean;
  /** Whether there is a page for browsers beside the JSON. */
  readonly dashboard: boolean;
  readonly dashboardName: string;
  readonly disableDashboardAd: boolean;
  /** Whether `/debug` answers. */
  readonly debug: boolean;
  /** The static configuration without its secrets. */
  readonly staticConfig: unknown;
}

export interface WorkerFacts {
  readonly pid: number;
  readonly state: string;
  readonly version: number;
}

export interface ApiSources {
  readonly snapshot: () => Snapshot;
  readonly serverStates: ServerStates;
  readonly workers: () => readonly WorkerFacts[];
  readonly diagnostics: () => readonly Diagnostic[];
  /** Certificates by ACME; absent: there are none. */
  readonly obtained?: () => readonly CertificateSpec[];
  /** Of certificates by ACME: state, last error, next try; absent: no resolver is configured. */
  readonly acme?: () => readonly CertificateStatus[];
  /** Servers that get no new sessions; absent where no worker can be told. */
  readonly drains?: DrainSource;
  /** Traffic as it happens; absent: nobody counts. */
  readonly live?: LiveNumbers;
  /** Forgets auth decisions in every worker; how many there were. */
  readonly purge: (selector: PurgeSelector) => Promise<number>;
}

interface Start {
  readonly config: StaticConfig;
  readonly resolved: ResolvedStatic;
  readonly version: string;
  readonly providers: readonly string[];
}

/** The facts of a gateway that starts now. */
export function apiFacts({ config, resolved, version, providers }: Start): ApiFacts {
  return {
    version,
    startDate: new Date().toISOString(),
    basePath: (resolved.api?.basePath ?? '').replace(/\/+$/, ''),
    entryPoints: resolved.entryPoints,
    providers,
    accessLog: resolved.worker.accessLog !== null,
    metrics: (resolved.prometheus ?? null) !== null,
    dashboard: resolved.api?.dashboard ?? false,
    dashboardName: config.api?.dashboardName ?? '',
    disableDashboardAd: config.api?.disableDashboardAd ?? false,
    debug: resolved.api?.debug ?? false,
    staticConfig: redact(config, staticMarks()),
  };
}
