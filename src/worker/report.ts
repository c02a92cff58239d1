// The worker's mouth: messages to the primary.

import { seal } from '../model/envelope.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import type { ToPrimary } from '../model/ipc.ts';

export type Report = (message: ToPrimary) => void;

const maxDiagnostics = 100;
const maxMessage = 1000;

/** Does nothing once the channel is closed: the primary is gone, and so soon are we. */
export const report: Report = (message) => {
  if (process.connected) process.send?.(seal(message), undefined, undefined, () => {});
};

/** What a nack may carry: at most 100 diagnostics of at most 1,000 characters. */
export function bounded(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  return diagnostics
    .slice(0, maxDiagnostics)
    .map((diagnostic) => ({ ...diagnostic, message: diagnostic.message.slice(0, maxMessage) }));
}
