// The worker's handle on the request path: everything else of `proxy` is reached through it.

import type { Diagnostic } from '../model/diagnostic.ts';
import type { ApiAnswer, ApiRequest, PurgeSelector, ServerName, ServerState } from '../model/ipc.ts';
import type { LiveCounts } from '../model/live.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { WorkerChallenge } from '../model/acme.ts';
import type { CertificateChange } from '../model/tls.ts';
import type { Log } from '../observability/log.ts';
import type { WorkerMeters } from '../observability/worker-metrics.ts';
import type { SharedDecisions } from '../state/decisions.ts';
import type { State } from '../state/state.ts';
import type { SessionRoom } from './services/sticky-header.ts';

export interface Gateway {
  /**
   * Builds a whole new Runtime beside the running one and swaps one reference. Throws when it cannot be
   * built: the running one stays. The diagnostics say which single routers are off, and why.
   */
  apply(snapshot: Snapshot, down: readonly ServerState[]): readonly Diagnostic[];
  /** What the running Runtime was made of; null before the first. */
  snapshot(): Snapshot | null;
  /** Back to the Runtime before `version`; the version that now runs. */
  rollback(version: number): number;
  /** Opens every entry point; the port each one got. Rejects with the entry point's name in the message. */
  listen(): Promise<Readonly<Record<string, number>>>;
  setServerState(state: ServerState): void;
  /** Certificates that no Snapshot brings; connections go on. */
  setCertificates(change: CertificateChange): void;
  /** What certificate authorities may ask to see: all of it. */
  setChallenges(challenges: readonly WorkerChallenge[]): void;
  /** Exactly these servers get no new sessions, beside those the configuration drains. */
  setDrains(drains: readonly ServerName[]): void;
  /** Forgets cached auth decisions, also those whose answer is still on its way; how many there were. */
  purgeAuth(selector: PurgeSelector): number;
  /**
   * `/ping` answers the terminating status from now on. `leaves`: others are about to send clients elsewhere, so
   * answers say `Connection: close` and WebSockets are closed with 1001 already.
   */
  setTerminating(leaves: boolean): void;
  /** Counts for the dashboard from now on. */
  countLive(): void;
  /** What was counted since the last call; null for nothing. */
  takeLive(): LiveCounts | null;
  /** Never throws: a log that cannot be opened anew goes on into its old file, and says so. */
  reopenLogs(): void;
  /**
   * Closes the listeners, says `Connection: close` on what is answered from now on, waits for running
   * exchanges up to `deadline` milliseconds, closes WebSockets with 1001 at the end.
   */
  drain(deadline: number): Promise<void>;
  close(): Promise<void>;
}

export interface GatewayDeps {
  /** How `api@internal` reaches the primary. */
  readonly askPrimary: (request: ApiRequest) => Promise<ApiAnswer>;
  readonly log: Log;
  /** Told of a server this worker has taken out for failing requests; who was told says when it is back. */
  readonly serverFails?: (service: string, url: string) => void;
  /** Buckets and counts that workers share; closed by whoever made it. */
  readonly state: State;
  /** Who is where, by header; absent: no header is sticky. Closed by whoever made it. */
  readonly sessions?: SessionRoom;
  /** Auth decisions that nodes share; absent: they share none. */
  readonly decisions?: SharedDecisions | null;
  /** Null or absent: nothing is counted. */
  readonly meters?: WorkerMeters | null;
}
