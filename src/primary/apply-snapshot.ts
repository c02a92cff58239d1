// One snapshot to one worker, and the way back.

import type { Diagnostic } from '../model/diagnostic.ts';
import type { ServerState } from '../model/ipc.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { SnapshotDelta } from '../model/snapshot-delta.ts';
import { ackTimeout } from './limits.ts';
import { type WorkerHandle, WorkerLost } from './worker-handle.ts';

export interface Offer {
  readonly snapshot: Snapshot;
  /** Servers that are down as the snapshot begins to count. */
  readonly down: readonly ServerState[];
  /** For workers that run its base. */
  readonly delta?: SnapshotDelta | null;
}

export type Applied =
  /** The diagnostics say why single routers are off. */
  | { readonly kind: 'ack'; readonly diagnostics: readonly Diagnostic[] }
  | { readonly kind: 'nack'; readonly diagnostics: readonly Diagnostic[] };

/** Rejects with `WorkerLost` when the worker ends or says nothing for 10 s. */
export function applySnapshot(handle: WorkerHandle, offer: Offer): Promise<Applied> {
  const { version, hash } = offer.snapshot;
  const sendFull = (): void =>
    void handle.send({ type: 'snapshot', snapshot: offer.snapshot, down: offer.down });
  const applied = handle.wait<Applied>((message) => {
    if (message.type === 'want-full' && message.version === version && message.hash === hash) sendFull();
    if (message.type === 'ack' && message.version === version && message.hash === hash) {
      return { kind: 'ack', diagnostics: message.diagnostics };
    }
    if (message.type === 'nack' && message.version === version) {
      return { kind: 'nack', diagnostics: message.diagnostics };
    }
    return null;
  }, ackTimeout);
  const { delta } = offer;
  if (delta && delta.base.version === handle.version) handle.send({ type: 'delta', delta, down: offer.down });
  else sendFull();
  return applied;
}

/** Takes `version` back from a worker; false when it did not confirm an older one in time. */
export async function rollBack(handle: WorkerHandle, version: number): Promise<boolean> {
  const confirmed = handle.wait(
    (message) => (message.type === 'ack' && message.version < version ? true : null),
    ackTimeout,
  );
  handle.send({ type: 'rollback', version });
  try {
    return await confirmed;
  } catch (error) {
    if (error instanceof WorkerLost) return false;
    throw error;
  }
}
