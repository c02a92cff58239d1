// Snapshots in, acks and nacks out.

import type { Diagnostic } from '../model/diagnostic.ts';
import type { ServerState, ToWorker } from '../model/ipc.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { applyDelta, type SnapshotDelta } from '../model/snapshot-delta.ts';
import type { Gateway } from '../proxy/gateway.ts';
import { contentHash } from '../util/content-hash.ts';
import { messageOf } from '../util/message-of.ts';
import { bounded, type Report } from './report.ts';

/** Whatever is thrown in building becomes a nack: the Runtime that runs is never lost to it. */
export function applySnapshot(
  gateway: Gateway,
  message: Extract<ToWorker, { type: 'snapshot' }>,
  report: Report,
): void {
  apply(gateway, message.snapshot, message.down, report);
  const running = gateway.snapshot();
  // Now, before it serves, and not with the first delta, under load.
  if (running !== null) hashOf(running);
}

/** Asks for the whole Snapshot when the delta is for another one, or does not give what it should. */
export function applyChange(
  gateway: Gateway,
  message: Extract<ToWorker, { type: 'delta' }>,
  report: Report,
): void {
  const { delta } = message;
  const next = resultOf(delta, gateway.snapshot());
  if (next === null) report({ type: 'want-full', version: delta.version, hash: delta.hash });
  else apply(gateway, next, message.down, report);
}

export function rollBack(gateway: Gateway, version: number, report: Report): void {
  report({ type: 'ack', version: gateway.rollback(version), hash: '', diagnostics: [] });
}

function apply(gateway: Gateway, snapshot: Snapshot, down: readonly ServerState[], report: Report): void {
  const { version, hash } = snapshot;
  try {
    const diagnostics = bounded(gateway.apply(snapshot, down));
    report({ type: 'ack', version, hash, diagnostics });
  } catch (error) {
    report({ type: 'nack', version, hash, diagnostics: bounded([crash(error)]) });
  }
}

function resultOf(delta: SnapshotDelta, base: Snapshot | null): Snapshot | null {
  if (base === null || base.version !== delta.base.version || base.hash !== delta.base.hash) return null;
  const next = applyDelta(base, delta);
  return hashOf(next) === delta.hash ? next : null;
}

function hashOf({ routers, middlewares, services, transports, tls }: Snapshot): string {
  return contentHash([routers, middlewares, services, transports, [tls]]);
}

function crash(error: unknown): Diagnostic {
  const message = `building the configuration failed: ${messageOf(error)}`;
  return { severity: 'error', code: 'reload.build_failed', message, where: { source: 'worker' } };
}
