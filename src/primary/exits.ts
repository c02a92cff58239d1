// Ends and errors in a few words, for the log.

import type { WorkerExit } from './worker-handle.ts';

export function describeExit(exit: WorkerExit): string {
  return exit.signal === null ? `exit code ${exit.code ?? 'unknown'}` : `signal ${exit.signal}`;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
