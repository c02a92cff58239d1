// The one place that loads uWebSockets.js: the package's addon, or the copy made for an older glibc.

import { createRequire } from 'node:module';
import { ensurePatchedAddon, planAddon } from './addon.ts';

/** The addon. Importing this module throws with the reason when this system cannot run it. */
export const uws: typeof import('uWebSockets.js') = loadAddon();

function loadAddon(): typeof import('uWebSockets.js') {
  const load = createRequire(import.meta.url);
  const plan = planAddon();
  if (plan.form === 'none') throw new Error(`cannot load uWebSockets.js: ${plan.reason}`);
  try {
    // Not by the package's own script, which is nobody's to verify.
    if (plan.form === 'original') return load(plan.source);
    const copy = ensurePatchedAddon(plan);
    try {
      return load(copy.path);
    } finally {
      copy.dispose();
    }
  } catch (error) {
    throw new Error(`cannot load uWebSockets.js: ${(error as Error).message} (install again: \`npm ci\`)`, {
      cause: error,
    });
  }
}
