// What each part of the configuration has to say at present, and the log, which is told only what is new of it.

import type { Diagnostic } from '../model/diagnostic.ts';
import type { Log } from '../observability/log.ts';
import { logDiagnostics } from './log-diagnostics.ts';

export interface Reported {
  /** In place of what `source` has said before; as many sources as there are providers, and a few. */
  set(source: string, diagnostics: readonly Diagnostic[]): void;
  all(): readonly Diagnostic[];
  /** Into the log, what was not there at the last call. */
  writeNew(): void;
}

export function createReported(log: Log): Reported {
  const bySource = new Map<string, readonly Diagnostic[]>();
  let written = new Set<string>();
  const all = (): readonly Diagnostic[] => [...bySource.values()].flat();
  return {
    set: (source, diagnostics) => void bySource.set(source, diagnostics),
    all,
    writeNew() {
      const now = new Map(all().map((diagnostic) => [JSON.stringify(diagnostic), diagnostic]));
      const fresh = [...now].filter(([key]) => !written.has(key)).map(([, diagnostic]) => diagnostic);
      written = new Set(now.keys());
      logDiagnostics(log, fresh);
    },
  };
}
