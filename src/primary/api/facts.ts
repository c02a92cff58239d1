// What the API knows: the part that never changes, and where the rest is asked for.

import type { Diagnostic } from '../../model/diagnostic.ts';
import type { EntryPointSpec } from '../../model/entry-point.ts';
import type { PurgeSelector } from '../../model/ipc.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import type { ServerStates } from './views.ts';

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
  /** Forgets auth decisions in every worker; how many there were. */
  readonly purge: (selector: PurgeSelector) => Promise<number>;
}
