// The dynamic configuration as it is now, read once and without watching: for `check`, `explain`, `routes`.

import type { ProviderConfig } from '../config/dynamic/provider-config.ts';
import { resolve } from '../config/dynamic/resolve.ts';
import { resolveStatic } from '../config/static/resolve.ts';
import type { StaticConfig } from '../config/static/schema.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { createFileStore } from './file/store.ts';
import type { FileTarget } from './file/store.ts';
import { dynamicSide } from './from-static.ts';
import { createNamedFiles } from './named-files.ts';

export interface OnceOptions {
  readonly env: NodeJS.ProcessEnv;
  /** Read in place of what the file provider is configured to read. */
  readonly targets?: readonly FileTarget[];
  /** Of other providers, beside the files. */
  readonly sources?: readonly ProviderConfig[];
}

/** Synchronous. `diagnostics` are the dynamic side's only; the version is 1. */
export function loadDynamicOnce(
  config: StaticConfig,
  { env, targets, sources = [] }: OnceOptions,
): { snapshot: Snapshot; diagnostics: Diagnostic[] } {
  // No key of this boot is needed where nothing is served.
  const side = dynamicSide(config, resolveStatic(config, ''), env);
  const settings = { env, ruleSyntax: side.base.defaults.ruleSyntax };
  const configured = side.file === null ? [] : [side.file.target];
  const stores = (targets ?? configured).map((target) => createFileStore(target, settings));
  for (const store of stores) store.refresh('all');
  const file = { provider: 'file', parts: stores.flatMap((store) => store.config().parts) };
  const filled = createNamedFiles(null).fill([...side.fixed, file, ...sources]);
  const resolved = resolve({ ...side.base, sources: filled.sources });
  const found = stores.flatMap((store) => store.diagnostics());
  return {
    snapshot: { version: 1, ...resolved.snapshot },
    diagnostics: [...side.diagnostics, ...found, ...filled.diagnostics, ...resolved.diagnostics],
  };
}
