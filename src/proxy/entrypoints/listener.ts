// What every listener engine is to the request path, and what it asks of it.

import type { Exchange } from '../exchange.ts';
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
}

export interface Listener {
  readonly port: number;
  /** No connection is accepted any more; those there go on. */
  stopAccepting(): void;
  /** Cuts every connection. */
  close(): void;
}
