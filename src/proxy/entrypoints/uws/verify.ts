// Whether the native code about to be loaded is byte for byte what this release was made with. Asked by the primary
// before it forks: 10 ms of CPU time for a file of 7 MB, and as much again for the copy for an older glibc.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type AddonPlan, planAddon, writePatchedAddon } from './addon.ts';
import { addonChecksums, copyChecksums } from './checksums.ts';

/** What is wrong, what was expected and how to mend it; null when all is well. Makes the copy where one is missing. */
export function addonProblem(plan: AddonPlan = planAddon()): string | null {
  if (plan.form === 'none') return `cannot load uWebSockets.js: ${plan.reason}`;
  if (plan.form === 'original') return fileProblem(plan.source, addonChecksums[plan.file]);
  const { build, source, target } = plan;
  const problem = fileProblem(source, addonChecksums[build.file]);
  if (problem !== null) return problem;
  try {
    writePatchedAddon(plan);
  } catch {
    // A folder that cannot be written: each worker makes a copy of its own of what has just been verified.
    return null;
  }
  return fileProblem(target, copyChecksums[build.file] ?? '');
}

function fileProblem(path: string, expected: string): string | null {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    return `${path} cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown'}\n${mend}`;
  }
  const found = createHash('sha256').update(bytes).digest('hex');
  if (found === expected) return null;
  return [
    `${path} is not the file this release was made with, and is not loaded`,
    `  its SHA-256: ${found}`,
    `  expected:    ${expected}`,
    mend,
  ].join('\n');
}

const mend =
  '  Delete `node_modules` and install again: `npm ci` in a checkout, `npm install` for a package.';
