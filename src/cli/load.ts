// Static and dynamic configuration for the commands that only look at it.

import { hasErrors, renderAnnotations, renderJson, renderTty } from '../config/diagnostics.ts';
import { sourceText } from '../config/source-text.ts';
import { loadStatic } from '../config/static/load.ts';
import { placed } from '../config/static/problem.ts';
import { resolveStatic } from '../config/static/resolve.ts';
import type { ResolvedStatic } from '../config/static/resolve.ts';
import type { StaticConfig } from '../config/static/schema.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { loadDynamicOnce } from '../providers/load-once.ts';
import type { CommandContext } from './command.ts';

export interface LoadedConfiguration {
  /** Null when the static part has errors. */
  readonly resolved: ResolvedStatic | null;
  readonly snapshot: Snapshot | null;
  readonly diagnostics: readonly Diagnostic[];
}

export type DiagnosticFormat = 'tty' | 'json' | 'annotations';

/** `dynamicFile` stands in for the configured file provider. */
export function loadConfiguration(context: CommandContext, dynamicFile?: string): LoadedConfiguration {
  const loaded = loadStatic(context);
  if (loaded.config === null) return { resolved: null, snapshot: null, diagnostics: loaded.diagnostics };
  const config = dynamicFile === undefined ? loaded.config : withFile(loaded.config, dynamicFile);
  const resolved = resolveStatic(config, '');
  const diagnostics = [...loaded.diagnostics, ...placed(resolved.diagnostics, loaded.tree)];
  if (hasErrors(resolved.diagnostics)) return { resolved: null, snapshot: null, diagnostics };
  const dynamic = loadDynamicOnce(config, context.env);
  return {
    resolved,
    snapshot: dynamic.snapshot,
    diagnostics: [...diagnostics, ...placed(dynamic.diagnostics, loaded.tree)],
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

function withFile(config: StaticConfig, filename: string): StaticConfig {
  const file = { filename, watch: false, debugLogGeneratedTemplate: false };
  return { ...config, providers: { ...config.providers, file } };
}
