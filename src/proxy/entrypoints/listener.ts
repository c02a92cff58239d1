// What every listener engine is to the request path, and what it asks of it.

import type { WorkerChallenge } from '../../model/acme.ts';
import type { ListenerSpec, TlsOptionsSpec } from '../../model/tls.ts';
import type { CertificateStore } from '../../tls/store.ts';
import type { Exchange } from '../exchange.ts';
import type { ClientDemands } from './client-demands.ts';
import type { EntryPoint } from './entry-point.ts';
import type { ManagedNames } from './intake-headers.ts';

export interface DrainState {
  /** Asked when an answer's head leaves: its connection must not be kept alive then. */
  isDraining(): boolean;
}

/** What the listener asks of the request path. */
export interface ListenerHost extends DrainState {
  /** Runs an Exchange to its end. */
  readonly serve: (x: Exchange) => void;
  /** A request that never became an Exchange. */
  readonly refused: (entryPoint: EntryPoint, status: number) => void;
  managedNames(): ManagedNames;
  /** 32 bytes, hex; the same in all workers: what they seal for clients, each can open. */
  readonly bootSecret: string;
  /** Connections were opened or closed: 1 or -1. Absent: nobody counts them. */
  readonly connected?: (change: number) => void;
  /** Of the Snapshot that runs now, also for a listener that was replaced. Absent: nobody is asked for anything. */
  demands?(): ClientDemands;
  /** Something an operator should know; bounded by the caller. */
  warn?(message: string): void;
}

/** What a listener is told of TLS; a new one with every change, whose `certificates` is always the same store. */
export interface ListenerPlan {
  readonly spec: ListenerSpec;
  readonly certificates: CertificateStore;
  /** By name; `default` is always there. */
  readonly options: ReadonlyMap<string, TlsOptionsSpec>;
  /** Certificates to answer `acme-tls/1` with, by domain. */
  readonly alpnChallenges: ReadonlyMap<string, Extract<WorkerChallenge, { kind: 'tls-alpn-01' }>>;
}

export interface Listener {
  readonly port: number;
  /** Certificates, options or challenges have changed; engine and side are the same. Connections go on. */
  update(plan: ListenerPlan): void;
  /** No connection is accepted any more; those there go on. */
  stopAccepting(): void;
  /** Cuts every connection. */
  close(): void;
}
