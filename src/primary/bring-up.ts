// From a fresh fork to a worker that serves: ready, settings, snapshot, listeners.

import type { Diagnostic } from '../model/diagnostic.ts';
import type { ToWorker } from '../model/ipc.ts';
import type { WorkerSettings } from '../model/settings.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { applySnapshot, type Offer } from './apply-snapshot.ts';
import { ackTimeout, readyTimeout } from './limits.ts';
import type { WorkerHandle } from './worker-handle.ts';

/** Where a worker's first snapshot comes from. */
export interface SnapshotSource {
  current(): Offer;
  /** A worker has built it; the diagnostics say why single routers are off. */
  accepted(snapshot: Snapshot, diagnostics: readonly Diagnostic[]): void;
  /** A worker could not build it; `current()` must give another one next. */
  rejected(snapshot: Snapshot, diagnostics: readonly Diagnostic[]): void;
}

/** How a worker begins. */
export interface Beginning {
  readonly settings: WorkerSettings;
  /** What it must know before its first snapshot, as it is when it asks. */
  readonly greeting: () => readonly ToWorker[];
}

/** Port of each entry point, by its name. */
export type Addresses = Readonly<Record<string, number>>;

export class ListenFailed extends Error {
  readonly entryPoint: string;

  constructor(entryPoint: string, message: string) {
    super(message);
    this.entryPoint = entryPoint;
  }
}

/** Rejects with `WorkerLost`, or with `ListenFailed` when a port cannot be had. */
export async function bringUp(
  handle: WorkerHandle,
  { settings, greeting }: Beginning,
  source: SnapshotSource,
): Promise<Addresses> {
  await handle.wait((message) => (message.type === 'ready' ? true : null), readyTimeout);
  handle.send({ type: 'boot', settings });
  for (const message of greeting()) handle.send(message);
  await catchUp(handle, source);
  const addresses = await listen(handle);
  // The configuration may have moved on while the listeners opened.
  await catchUp(handle, source);
  handle.state = 'running';
  return addresses;
}

/** Brings a worker to the current version, however often that changes meanwhile. */
export async function catchUp(handle: WorkerHandle, source: SnapshotSource): Promise<void> {
  while (handle.version !== source.current().snapshot.version) {
    const offer = source.current();
    const applied = await applySnapshot(handle, offer);
    if (applied.kind === 'ack') source.accepted(offer.snapshot, applied.diagnostics);
    else if (source.current().snapshot === offer.snapshot) {
      source.rejected(offer.snapshot, applied.diagnostics);
      if (source.current().snapshot === offer.snapshot)
        throw new Error('no snapshot that a worker can build');
    }
  }
}

async function listen(handle: WorkerHandle): Promise<Addresses> {
  const answer = handle.wait((message) => {
    if (message.type === 'listening') return { ok: true as const, addresses: message.addresses };
    if (message.type === 'listen-failed') {
      return { ok: false as const, entryPoint: message.entryPoint, message: message.message };
    }
    return null;
  }, ackTimeout);
  handle.send({ type: 'listen' });
  const result = await answer;
  if (!result.ok) throw new ListenFailed(result.entryPoint, result.message);
  return result.addresses;
}
