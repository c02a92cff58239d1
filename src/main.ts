#!/usr/bin/env node
// argv to the command line, or, in a process the primary forked, to the worker; nothing else.

import cluster from 'node:cluster';
import { enableCompileCache, flushCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';

// A pattern that begins to backtrack without end is run on in linear time; to be set before any exists.
setFlagsFromString('--enable-experimental-regexp-engine-on-excessive-backtracks');
// For workers, see `primary/fork.ts`.
setFlagsFromString('--no-allocation-site-pretenuring');
setFlagsFromString('--max-inlined-bytecode-size-cumulative=2760');

// A worker that replaces a dead one is there in a third of the time when the sources are compiled already. Not
// in the system's temporary folder, where anybody could leave code to be run. After the flags, or primary and
// workers have no compiled source in common; workers are told the folder when they are forked.
enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/portcullis/compiled', import.meta.url)));

if (cluster.isWorker) {
  const { startWorker } = await import('./worker/boot.ts');
  startWorker();
} else {
  const { runCommandLine } = await import('./cli/dispatch.ts');
  await runCommandLine(process.argv.slice(2));
}
flushCompileCache();
