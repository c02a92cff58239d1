// Forks a worker from the same sources, with what must be in place before its first line runs.

import cluster, { type Worker } from 'node:cluster';
import type { EntryPointSpec } from '../model/entry-point.ts';
import { maxHeaderMemory } from './limits.ts';
import { relayErrors } from './worker-errors.ts';

export type Fork = () => Worker;

/** What Node itself is told: linear fallback for catastrophic regexps, no warning about it. */
const execArgv = [
  '--enable-experimental-regexp-engine-on-excessive-backtracks',
  '--disable-warning=ExperimentalWarning',
];

const stdio = ['ignore', 'inherit', 'pipe', 'ipc'];

export function createFork(exec: string, entryPoints: readonly EntryPointSpec[]): Fork {
  const env = { UWS_HTTP_MAX_HEADERS_SIZE: String(headerMemory(entryPoints)) };
  return () => {
    // Messages carry BigInt priorities, which JSON cannot.
    cluster.setupPrimary({ exec, args: [], execArgv, serialization: 'advanced', stdio });
    const worker = cluster.fork(env);
    relayErrors(worker.process.stderr);
    return worker;
  };
}

/** uWebSockets.js reads one limit for all its listeners, when it is loaded: the largest of all. */
export function headerMemory(entryPoints: readonly EntryPointSpec[]): number {
  const largest = entryPoints.reduce((most, point) => Math.max(most, point.http.maxHeaderBytes), 0);
  return Math.min(Math.max(largest + 4096, 8192), maxHeaderMemory);
}
