// What the probes look at: the configuration as a gateway would load it, and what the container engine said.

import { resolve } from 'node:path';
import { loadStatic } from '../../config/static/load.ts';
import { type ResolvedStatic, resolveStatic } from '../../config/static/resolve.ts';
import type { StaticConfig } from '../../config/static/schema.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import { readDockerOnce } from '../../providers/docker/docker.ts';
import { dockerOptions } from '../../providers/docker/from-static.ts';
import type { CommandContext } from '../command.ts';
import { loadConfiguration } from '../load.ts';

export interface Scene {
  readonly cwd: string;
  /** What could be read, in spite of errors; null: nothing. */
  readonly config: StaticConfig | null;
  readonly resolved: ResolvedStatic | null;
  /** Null with errors in the static part. */
  readonly snapshot: Snapshot | null;
  readonly diagnostics: readonly Diagnostic[];
  readonly usedSource: 'file' | 'flags' | 'env' | 'none';
  /** Null: no docker provider. */
  readonly engine: EngineAnswer | null;
}

export interface EngineAnswer {
  /** Without user and password. */
  readonly endpoint: string;
  /** Milliseconds. */
  readonly took: number;
  /** Containers that say something. */
  readonly containers: number;
  /** Null: it answered. */
  readonly problem: { readonly message: string; readonly hint: string | null } | null;
}

/** Milliseconds for all questions to the container engine. */
const engineDeadline = 1_800;

export async function readScene({ argv: given, env, cwd }: CommandContext): Promise<Scene> {
  const [first = '-', ...others] = given;
  const argv = first.startsWith('-') ? given : [`--configFile=${first}`, ...others];
  const { draft: config } = loadStatic({ argv, env, cwd });
  const engine = config === null ? null : await askEngine(config, env);
  const loaded = await loadConfiguration(
    { argv, env, cwd },
    { sourcesOf: () => engine?.others ?? { sources: [], diagnostics: [] } },
  );
  return {
    cwd,
    config,
    resolved: config === null ? null : resolveStatic(config, ''),
    snapshot: loaded.snapshot,
    diagnostics: loaded.diagnostics,
    usedSource: loaded.usedSource,
    engine: engine?.answer ?? null,
  };
}

type Others = ReturnType<NonNullable<NonNullable<Parameters<typeof loadConfiguration>[1]>['sourcesOf']>>;

async function askEngine(
  config: StaticConfig,
  env: NodeJS.ProcessEnv,
): Promise<{ readonly answer: EngineAnswer; readonly others: Others } | null> {
  const { options } = dockerOptions(config, config.core.defaultRuleSyntax, env);
  if (options === null) return null;
  const started = performance.now();
  const { config: found, diagnostics } = await readDockerOnce(options, engineDeadline);
  const failure = diagnostics.find(({ message }) => message.includes('could not be asked: '));
  const answer = {
    endpoint: options.client.endpoint.shown,
    took: performance.now() - started,
    containers: found.parts.length,
    problem: failure === undefined ? null : { message: wordsOf(failure), hint: failure.hint ?? null },
  };
  // An engine that is away is this command's own finding: it need not be counted twice.
  const told = diagnostics.filter((diagnostic) => diagnostic !== failure);
  return { answer, others: { sources: [found], diagnostics: told } };
}

function wordsOf({ message }: Diagnostic): string {
  return (message.split('could not be asked: ')[1] ?? message).replace(/; what its containers say.*$/, '');
}

/** Absolute, as the gateway would open it. */
export function pathIn({ cwd }: Scene, written: string): string {
  return resolve(cwd, written);
}
