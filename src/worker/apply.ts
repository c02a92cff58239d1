// Snapshots in, acks and nacks out.

import type { Diagnostic } from '../model/diagnostic.ts';
import type { ToWorker } from '../model/ipc.ts';
import type { Gateway } from '../proxy/gateway.ts';
import { bounded, type Report } from './report.ts';

/** Whatever is thrown in building becomes a nack: the Runtime that runs is never lost to it. */
export function applySnapshot(
  gateway: Gateway,
  message: Extract<ToWorker, { type: 'snapshot' }>,
  report: Report,
): void {
  const { version, hash } = message.snapshot;
  try {
    const diagnostics = bounded(gateway.apply(message.snapshot, message.down));
    report({ type: 'ack', version, hash, diagnostics });
  } catch (error) {
    report({ type: 'nack', version, hash, diagnostics: bounded([crash(error)]) });
  }
}

export function rollBack(gateway: Gateway, version: number, report: Report): void {
  report({ type: 'ack', version: gateway.rollback(version), hash: '', diagnostics: [] });
}

function crash(error: unknown): Diagnostic {
  const message = `building the configuration failed: ${error instanceof Error ? error.message : String(error)}`;
  return { severity: 'error', code: 'reload.build_failed', message, where: { source: 'worker' } };
}
