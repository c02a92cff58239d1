// The dynamic configuration as it is now, read once and without watching: for `check`, `explain`, `routes`.

import { resolve } from '../config/dynamic/resolve.ts';
import { resolveStatic } from '../config/static/resolve.ts';
import type { StaticConfig } from '../config/static/schema.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { createFileStore } from './file/store.ts';
import { dynamicSide } from './from-static.ts';

/** Synchronous. `diagnostics` are the dynamic side's only; the version is 1. */
export function loadDynamicOnce(
  config: StaticConfig,
  env: NodeJS.ProcessEnv,
): { snapshot: Snapshot; diagnostics: Diagnostic[] } {
  // No key of this boot is needed where nothing is served.
  const side = dynamicSide(config, resolveStatic(config, ''), env);
  const diagnostics = [...side.diagnostics];
  const sources = [...side.fixed];
  if (side.file !== null) {
    const store = createFileStore(side.file.target, side.file);
    store.refresh('all');
    diagnostics.push(...store.diagnostics());
    sources.push(store.config());
  }
  const resolved = resolve({ ...side.base, sources });
  return {
    snapshot: { version: 1, ...resolved.snapshot },
    diagnostics: [...diagnostics, ...resolved.diagnostics],
  };
}
