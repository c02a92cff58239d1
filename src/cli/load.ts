// Static and dynamic configuration for the commands that only look at it.

import { hasErrors, renderAnnotations, renderJson, renderTty } from '../config/diagnostics.ts';
import type { ProviderConfig } from '../config/dynamic/provider-config.ts';
import { sourceText } from '../config/source-text.ts';
import { loadStatic } from '../config/static/load.ts';
import type { LoadedStatic, StaticInput } from '../config/static/load.ts';
import { placed } from '../config/static/problem.ts';
import { resolveStatic } from '../config/static/resolve.ts';
import type { ResolvedStatic } from '../config/static/resolve.ts';
import type { StaticConfig } from '../config/static/schema.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { FileTarget } from '../providers/file/store.ts';
import { withoutConsequences } from './consequences.ts';
import { readDockerOnce } from '../providers/docker/docker.ts';
import { dockerOptions } from '../providers/docker/from-static.ts';
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

/** What stands in for that which a gateway would read itself. */
export interface StandIns {
  /** In place of the configured file provider. */
  readonly targetsOf?: (config: StaticConfig) => readonly FileTarget[] | undefined;
  /** In place of the other providers; without it the container engine is asked where one is configured. `isWhole`: nothing about them is lost. */
  readonly sourcesOf?: (config: StaticConfig, isWhole: boolean) => Others;
}

interface Others {
  readonly sources: readonly ProviderConfig[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Milliseconds the container engine has for its answer. */
const engineDeadline = 3000;

export async function loadConfiguration(
  input: StaticInput,
  standIns: StandIns = {},
): Promise<LoadedConfiguration> {
  const { config, draft, diagnostics: written, tree, usedSource, broken } = loadStatic(input);
  if (draft === null) return { resolved: null, snapshot: null, diagnostics: written, usedSource };
  const resolved = resolveStatic(draft, '');
  const targets = standIns.targetsOf?.(draft);
  const others =
    standIns.sourcesOf?.(draft, config !== null && !broken.includes('docker')) ??
    (isEngineKnown(broken) ? await askEngine(draft, resolved, input.env) : noOthers);
  const dynamic = loadDynamicOnce(draft, {
    env: input.env,
    ...(targets === undefined ? {} : { targets }),
    sources: others.sources,
  });
  // Of a draft this is among what was written.
  const own = config === null ? [] : resolved.diagnostics;
  const rest = [...others.diagnostics, ...dynamic.diagnostics];
  const isBroken = config === null || hasErrors(resolved.diagnostics);
  const further = isBroken ? withoutConsequences(rest, broken) : rest;
  const found = placed([...own, ...further], tree);
  return {
    resolved: isBroken ? null : resolved,
    snapshot: isBroken ? null : dynamic.snapshot,
    diagnostics: [...written, ...found],
    usedSource,
  };
}

const noOthers: Others = { sources: [], diagnostics: [] };

/** What is broken may be where the engine is: another one would say nothing of this configuration. */
function isEngineKnown(broken: readonly string[]): boolean {
  return !broken.some((path) => /^providers(?:\.docker(?:\..*)?)?$/.test(path));
}

async function askEngine(
  config: StaticConfig,
  resolved: ResolvedStatic,
  env: NodeJS.ProcessEnv,
): Promise<Others> {
  const { options } = dockerOptions(config, resolved.defaultRuleSyntax, env);
  if (options === null) return { sources: [], diagnostics: [] };
  const { config: found, diagnostics } = await readDockerOnce(options, engineDeadline);
  return { sources: [found], diagnostics };
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
