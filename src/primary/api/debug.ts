// /debug/vars, with `api.debug` only: how the primary is doing. Nothing of the configuration, the command line or
// the environment.

import { performance } from 'node:perf_hooks';
import type { ApiAnswer } from '../../model/ipc.ts';
import { failure, json, notFound } from './answers.ts';
import type { WorkerFacts } from './facts.ts';

export function debug(path: string, workers: readonly WorkerFacts[]): ApiAnswer {
  if (path === '/debug/pprof' || path.startsWith('/debug/pprof/'))
    return failure(501, 'pprof profiles are not supported, /debug/vars is there');
  return path === '/debug/vars' ? json(variables(workers)) : notFound();
}

function variables(workers: readonly WorkerFacts[]): Record<string, unknown> {
  const { idle, active, utilization } = performance.eventLoopUtilization();
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  return {
    node: process.versions.node,
    pid: process.pid,
    uptimeSeconds: process.uptime(),
    // Bytes.
    memory: process.memoryUsage(),
    maxResidentBytes: maxRSS * 1024,
    cpuMicroseconds: { user: userCPUTime, system: systemCPUTime },
    eventLoop: { idleMilliseconds: idle, activeMilliseconds: active, utilization },
    workers,
  };
}
