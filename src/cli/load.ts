// Static and dynamic configuration for the commands that only look at it.

import { hasErrors, renderAnnotations, renderJson, renderTty } from '../config/diagnostics.ts';
import { sourceText } from '../config/source-text.ts';
import { loadStatic } from '../config/static/load.ts';
import type { LoadedStatic } from '../config/static/load.ts';
import { placed } from '../config/static/problem.ts';
import { resolveStatic } from '../config/static/resolve.ts';
import type { ResolvedStatic } from '../config/static/resolve.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { FileTarget } from '../providers/file/store.ts';
import { loadDynamicOnce } from '../providers/load-once.ts';
import type { CommandContext } from './command.ts';

export interface LoadedConfiguration {
  /** Null when the static part has errors. */
  readonly resolved: ResolvedStatic | null;
  readonly snapshot: Snapshot | null;
  readonly diagnostics: readonly Diagnostic[];
  /** Where the static part comes from. */
  readonly usedSource: LoadedStatic['usedSource'];
}

export type DiagnosticFormat = 'tty' | 'json' | 'annotations';

/** `targets` stand in for the configured file provider. */
export function loadConfiguration(
  context: CommandContext,
  targets?: readonly FileTarget[],
): LoadedConfiguration {
  const { config, draft, diagnostics: written, tree, usedSource } = loadStatic(context);
  if (draft === null) return { resolved: null, snapshot: null, diagnostics: written, usedSource };
  const resolved = resolveStatic(draft, '');
  const dynamic = loadDynamicOnce(draft, {
    env: context.env,
    ...(targets === undefined ? {} : { targets }),
  });
  const found = placed([...resolved.diagnostics, ...dynamic.diagnostics], tree);
  const isBroken = config === null || hasErrors(resolved.diagnostics);
  return {
    resolved: isBroken ? null : resolved,
    snapshot: isBroken ? null : dynamic.snapshot,
    diagnostics: [...written, ...found],
    usedSource,
  };
}

export function render(
  diagnostics: readonly Diagnostic[],
  format: DiagnosticFormat,
  context: CommandContext,
): string {
  if (format === 'json') return renderJson(diagnostics);
  if (format === 'annotations') return renderAnnotations(diagnostics);
  return renderTty(diagnostics, { color: context.color, textOf: sourceText(context.cwd) });
}
