// Diagnostics as log lines, each with its place.

import { formatLine } from '../config/diagnostics.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import type { Log } from '../observability/log.ts';
import { maxDiagnostics } from './limits.ts';

/** At most 200 lines; what is left out is counted. */
export function logDiagnostics(log: Log, diagnostics: readonly Diagnostic[]): void {
  for (const diagnostic of diagnostics.slice(0, maxDiagnostics)) {
    const { severity, code } = diagnostic;
    const line = formatLine(diagnostic);
    if (severity === 'error') log.error({ code }, line);
    else if (severity === 'warning') log.warn({ code }, line);
    else log.info({ code }, line);
  }
  const left = diagnostics.length - maxDiagnostics;
  if (left > 0) log.warn({ left }, 'more diagnostics than are written');
}
