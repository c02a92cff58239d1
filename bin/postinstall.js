// After `npm install`, by whatever Node that runs on, so JavaScript: the copy of uWebSockets.js that an older glibc
// needs, and in a checkout the dashboard. Never fails the install: the gateway says what is missing when it starts.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../', import.meta.url));

// The sources need a Node that reads TypeScript; npm has put the one in `node_modules` first on the PATH.
if (existsSync(`${root}src/main.ts`)) {
  run('src/proxy/entrypoints/uws/install.ts', 'the gateway needs Node 24, which npm could not install here');
  run('src/dashboard/build.ts', 'the dashboard was not built');
} else {
  run('dist/proxy/entrypoints/uws/install.js', 'nothing was prepared; the gateway tries again when it starts');
}

function run(file, otherwise) {
  const { status } = spawnSync('node', [file], { cwd: root, stdio: 'inherit' });
  if (status !== 0) console.warn(`portcullis: ${otherwise}`);
}
