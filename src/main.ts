#!/usr/bin/env node
// argv to the command line, or, in a process the primary forked, to the worker; nothing else.

import cluster from 'node:cluster';
import { setFlagsFromString } from 'node:v8';

// A pattern that begins to backtrack without end is run on in linear time; to be set before any exists.
setFlagsFromString('--enable-experimental-regexp-engine-on-excessive-backtracks');

if (cluster.isWorker) {
  const { startWorker } = await import('./worker/boot.ts');
  startWorker();
} else {
  const { runCommandLine } = await import('./cli/dispatch.ts');
  await runCommandLine(process.argv.slice(2));
}
