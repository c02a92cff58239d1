// The dashboard as it is in the sources: built once per process, when the last build is older than they are.

import { execFileSync } from 'node:child_process';
import { globSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

export function buildDashboard(): void {
  const built = statSync(`${root}dist/dashboard/index.html`, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const sources = globSync('src/dashboard/**/*.{ts,tsx,css,html,svg}', { cwd: root });
  if (sources.every((file) => statSync(root + file).mtimeMs <= built)) return;
  execFileSync(process.execPath, [`${root}src/dashboard/build.ts`], { cwd: root, stdio: 'inherit' });
}
