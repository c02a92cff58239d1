// Every message between the primary and a worker. Plain data only; versions travel with it.

import type { Diagnostic } from './diagnostic.ts';
import type { LiveCounts } from './live.ts';
import type { WorkerMetrics } from './metrics.ts';
import type { WorkerSettings } from './settings.ts';
import type { Snapshot } from './snapshot.ts';
import type { SnapshotDelta } from './snapshot-delta.ts';
import type { WorkerChallenge } from './acme.ts';
import type { CertificateChange } from './tls.ts';

/** Which cached auth decisions to forget. */
export type PurgeSelector =
  | { readonly by: 'all' }
  /** A bearer token or any header value the auth call carried, as the client sends it. */
  | { readonly by: 'token'; readonly token: string }
  /** A value the auth server gave in one of its response headers: `X-User-Id: 17`. */
  | { readonly by: 'header'; readonly name: string; readonly value: string };

export type ToWorker =
  | { readonly type: 'boot'; readonly settings: WorkerSettings }
  | { readonly type: 'snapshot'; readonly snapshot: Snapshot; readonly down: readonly ServerState[] }
  /** Instead of `snapshot`, to a worker that runs the base; answered with `want-full` by one that does not. */
  | { readonly type: 'delta'; readonly delta: SnapshotDelta; readonly down: readonly ServerState[] }
  /** Go back to the Runtime before `version`; answered with an ack of the older version. */
  | { readonly type: 'rollback'; readonly version: number }
  | { readonly type: 'listen' }
  | { readonly type: 'server'; readonly state: ServerState }
  | { readonly type: 'certificates'; readonly change: CertificateChange }
  /** All that are to be answered now, at most 1,000. */
  | { readonly type: 'challenges'; readonly challenges: readonly WorkerChallenge[] }
  | { readonly type: 'purge'; readonly id: number; readonly selector: PurgeSelector }
  /** All servers that the API said to drain, at most 1,000; answered with `drains-set` when `id` is not 0. */
  | { readonly type: 'drains'; readonly id: number; readonly drains: readonly ServerName[] }
  /** Somebody may look at the dashboard: count for it, and tell once a second. */
  | { readonly type: 'count-live' }
  /** Answered with `pong` by a worker whose loop turns. */
  | { readonly type: 'ping' }
  | { readonly type: 'reopen-logs' }
  /** Shutdown has begun: `/ping` says so. `leaves`: it will be a while, and clients are to go elsewhere meanwhile. */
  | { readonly type: 'terminating'; readonly leaves: boolean }
  /** Stop accepting, finish what runs, then exit; `deadline` milliseconds from now at most. */
  | { readonly type: 'drain'; readonly deadline: number }
  | { readonly type: 'api-answer'; readonly id: number; readonly answer: ApiAnswer }
  | StateAnswer
  | SessionAnswer
  /** These are elsewhere now, or have ended: whoever remembers them asks again. At most 2,048. */
  | { readonly type: 'sessions-moved'; readonly sessions: readonly SessionName[] }
  /** To the only worker: it holds the state from now on, and asks no one. */
  | { readonly type: 'state-keep'; readonly dump: StateDump }
  /** The primary holds it again; answered with `state-given`. */
  | { readonly type: 'state-give' };

export interface ServerName {
  /** Qualified service name. */
  readonly service: string;
  readonly url: string;
}

export interface ServerState {
  /** Qualified service name. */
  readonly service: string;
  readonly url: string;
  readonly up: boolean;
}

export interface ApiRequest {
  readonly method: string;
  /** Path and query as the client sent them. */
  readonly target: string;
  /** As the client sent it; empty when there was none. */
  readonly contentType: string;
  /** As the client sent it; absent when there was none. At most 200 characters. */
  readonly acceptEncoding?: string;
  /** At most 64 KiB. */
  readonly body: string;
  /** Which internal service was asked; `api` unless said. */
  readonly service?: 'api' | 'dashboard' | 'acme-http' | 'prometheus';
}

export interface ApiAnswer {
  readonly status: number;
  /** Flat name, value. */
  readonly headers: readonly string[];
  readonly body: string;
  /** How bytes that are no text stand in `body`. */
  readonly encoding?: 'base64';
}

export type ToPrimary =
  | { readonly type: 'ready' }
  | { readonly type: 'listening'; readonly addresses: Readonly<Record<string, number>> }
  | { readonly type: 'listen-failed'; readonly entryPoint: string; readonly message: string }
  | {
      readonly type: 'ack';
      readonly version: number;
      readonly hash: string;
      /** Why single routers are off although the version runs. */
      readonly diagnostics: readonly Diagnostic[];
    }
  | {
      readonly type: 'nack';
      readonly version: number;
      readonly hash: string;
      readonly diagnostics: readonly Diagnostic[];
    }
  /** The delta to this version cannot be applied: the whole Snapshot, please. */
  | { readonly type: 'want-full'; readonly version: number; readonly hash: string }
  | { readonly type: 'purged'; readonly id: number; readonly entries: number }
  | { readonly type: 'drains-set'; readonly id: number }
  | { readonly type: 'api-request'; readonly id: number; readonly request: ApiRequest }
  | StateCalls
  | SessionCalls
  | WorkerMetrics
  | { readonly type: 'state-given'; readonly dump: StateDump }
  /** A server failed requests as often as its service's passive health check allows: this worker asks it no more. */
  | { readonly type: 'server-fails'; readonly service: string; readonly url: string }
  | { readonly type: 'live'; readonly counts: LiveCounts }
  | { readonly type: 'pong' }
  | { readonly type: 'drained' };

/** Token buckets of one space, as `state/` describes them. */
export interface StateBucket {
  readonly space: string;
  /** Tokens per millisecond. */
  readonly rate: number;
  readonly burst: number;
  /** Milliseconds. */
  readonly maxDelay: number;
}

/** What one worker asks of the shared state in one tick, at most 1,024 calls. */
export interface StateCalls {
  readonly type: 'state-calls';
  readonly id: number;
  readonly takes: readonly { readonly bucket: StateBucket; readonly keys: readonly string[] }[];
  readonly enters: readonly {
    readonly space: string;
    readonly limit: number;
    readonly keys: readonly string[];
  }[];
  readonly leaves: readonly { readonly space: string; readonly keys: readonly string[] }[];
}

export interface StateAnswer {
  readonly type: 'state-answer';
  readonly id: number;
  /** Wait and remaining of each take, then 1 or 0 for each enter; null: the worker itself holds the state. */
  readonly values: readonly number[] | null;
}

/** All of a state, from one process to another. Entries alternate key and tokens, key and number of requests. */
export interface StateDump {
  readonly buckets: readonly {
    readonly bucket: StateBucket;
    readonly entries: readonly (string | number)[];
  }[];
  readonly counts: readonly { readonly space: string; readonly entries: readonly (string | number)[] }[];
}

/** Which session is where, as `state/` names them. */
export interface SessionName {
  /** Names the service. */
  readonly space: string;
  /** Digest of the session's id. */
  readonly key: string;
}

/** What one worker asks and tells of sessions in one tick, at most 1,024 of each. */
export interface SessionCalls {
  readonly type: 'session-calls';
  /** 0: nobody waits for an answer. */
  readonly id: number;
  readonly finds: readonly (SessionName & { readonly ttl: number })[];
  readonly learns: readonly (SessionName & { readonly ttl: number; readonly target: string })[];
  readonly forgets: readonly SessionName[];
}

export interface SessionAnswer {
  readonly type: 'session-answer';
  readonly id: number;
  /** One for each of the finds. */
  readonly targets: readonly (string | null)[];
}
