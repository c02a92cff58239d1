// Forks a worker from the same sources, with what must be in place before its first line runs.

import cluster, { type Worker } from 'node:cluster';
import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import type { EntryPointSpec } from '../model/entry-point.ts';
import { outputVariable } from '../observability/line-target.ts';
import { maxHeaderMemory } from './limits.ts';
import { type EnvironmentWants, withheld } from './worker-environment.ts';
import { relayErrors } from './worker-errors.ts';

export type Fork = () => Worker;

/** Who a worker is to the operating system; supplementary groups it has none. */
export interface WorkerUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

export interface WorkerSurroundings {
  readonly env?: EnvironmentWants;
  /** Null or absent: the primary's own. */
  readonly user?: WorkerUser | null;
}

/**
 * What Node itself is told. Linear fallback for catastrophic regexps, and no warning about it. A young generation of
 * 16 MiB instead of 32: what a request makes is dead long before. And nothing is born old because its like lived long
 * at first, under a load that had just begun: an old list that dies keeps all it names alive until a full collection.
 * And more of the request path is compiled as one function, which takes 2 % less CPU per request (`docs/performance.md`).
 * What V8 compiles depends on the first and the last two, so `main.ts` says them too.
 */
const execArgv = [
  '--enable-experimental-regexp-engine-on-excessive-backtracks',
  '--disable-warning=ExperimentalWarning',
  '--max-semi-space-size=8',
  '--no-allocation-site-pretenuring',
  '--max-inlined-bytecode-size-cumulative=2760',
];

/**
 * uWebSockets.js prints a line for every certificate it takes: a worker's standard output goes nowhere, and its logs
 * write to a descriptor of their own, which is the primary's standard output.
 */
const stdio = ['ignore', 'ignore', 'pipe', 'ipc', 1];
const outputDescriptor = stdio.length - 1;

export function createFork(
  exec: string,
  entryPoints: readonly EntryPointSpec[],
  { env: wants = {}, user = null }: WorkerSurroundings = {},
): Fork {
  const ids = user === null ? {} : { uid: user.uid, gid: user.gid };
  const env = {
    ...compiledSources(user),
    [outputVariable]: String(outputDescriptor),
    UWS_HTTP_MAX_HEADERS_SIZE: String(headerMemory(entryPoints)),
  };
  return () => {
    // Messages carry BigInt priorities, which JSON cannot. No arguments: the primary's flags may be secret.
    cluster.setupPrimary({ exec, args: [], execArgv, serialization: 'advanced', stdio, ...ids });
    const worker = cluster.fork({ ...withheld(process.env, wants), ...env });
    relayErrors(worker.process.stderr);
    return worker;
  };
}

/** uWebSockets.js reads one limit for all its listeners, when it is loaded: the largest of all. */
export function headerMemory(entryPoints: readonly EntryPointSpec[]): number {
  const largest = entryPoints.reduce((most, point) => Math.max(most, point.http.maxHeaderBytes), 0);
  return Math.min(Math.max(largest + 4096, 8192), maxHeaderMemory);
}

/**
 * Where the primary keeps its compiled sources. A worker that learns of it from its own first line has read that
 * line as TypeScript, and Node keeps what it takes for that for good: 18 MB. Workers of another user have none: what
 * they wrote there would outlive them, and be run by the workers that come after a taken-over one.
 */
function compiledSources(user: WorkerUser | null): Readonly<Record<string, string>> {
  if (user !== null) return { NODE_DISABLE_COMPILE_CACHE: '1' };
  const folder = getCompileCacheDir();
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: dirname(folder) };
}
