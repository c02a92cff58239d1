// What a resolver remembers, and who may order: one interface over `acme.json` and Redis.

import type { Challenge } from '../../model/acme.ts';

export interface StoredAccount {
  readonly email: string;
  /** Where the authority keeps it; its host tells which authority that is. */
  readonly uri: string;
  /** As the authority gave it. */
  readonly registration: unknown;
  /** PEM. */
  readonly key: string;
}

export interface StoredCertificate {
  readonly main: string;
  readonly sans: readonly string[];
  /** PEM, the leaf first. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
}

/** Failed tries for one set of names. */
export interface Attempt {
  /** The names, sorted, joined by a comma. */
  readonly names: string;
  /** In a row; 0: nothing stands against a try. */
  readonly failures: number;
  /** Milliseconds since 1970. */
  readonly nextTry: number;
  /** At most 1,000 characters. */
  readonly lastError: string;
}

export interface ResolverState {
  readonly account: StoredAccount | null;
  readonly certificates: readonly StoredCertificate[];
  readonly attempts: readonly Attempt[];
}

/** Who orders. Writes that carry an older fence than the newest one given out are refused with `FencedOff`. */
export interface Lease {
  readonly fence: number;
  /** Aborted when another node may have taken over. */
  readonly signal: AbortSignal;
}

export class FencedOff extends Error {}

/** Of one resolver. Every method rejects with `Error` when the storage cannot be reached or written. */
export interface AcmeStorage {
  load(): Promise<ResolverState>;
  saveAccount(account: StoredAccount, lease: Lease): Promise<void>;
  /** Replaces the certificate of the same main name and SANs. */
  saveCertificate(certificate: StoredCertificate, lease: Lease): Promise<void>;
  saveAttempt(attempt: Attempt, lease: Lease): Promise<void>;
  /** Runs `work` while nobody else, on any node, does so for `what`; null when somebody does. */
  withLease<T>(what: string, work: (lease: Lease) => Promise<T>): Promise<T | null>;
  /** Makes it known to all nodes; it is forgotten after ten minutes by itself. */
  offer(challenge: Challenge): Promise<void>;
  withdraw(challenge: Challenge): Promise<void>;
  /** Key authorisation of an http-01 token that some node has offered. */
  find(token: string): Promise<string | null>;
  /** All that is offered now, by any node. */
  offered(): Promise<readonly Challenge[]>;
  /** Called when another node has written, or offered: `load` and `offered` may say something new. */
  onChange(listener: () => void): void;
  close(): Promise<void>;
}
