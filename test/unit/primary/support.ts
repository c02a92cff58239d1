// What the tests of the primary share: settings, snapshots and a supervisor over the fixture worker.

import { fileURLToPath } from 'node:url';
import type { ServerState } from '../../../src/model/ipc.ts';
import type { WorkerSettings } from '../../../src/model/settings.ts';
import type { LoadBalancerSpec, RouterSpec } from '../../../src/model/snapshot.ts';
import type { Log } from '../../../src/observability/log.ts';
import { createFork } from '../../../src/primary/fork.ts';
import { type Content, createReload, type Reload } from '../../../src/primary/reload.ts';
import { createSupervisor, type Supervisor } from '../../../src/primary/supervisor.ts';
import { noTls } from '../../../src/model/tls.ts';

export interface Rig {
  readonly supervisor: Supervisor;
  readonly reload: Reload;
  /** Messages of the log, each with its fields as JSON. */
  readonly lines: string[];
}

export const settings: WorkerSettings = {
  entryPoints: [],
  accessLog: null,
  log: { level: 'info', format: 'json', noColor: true, filePath: null },
  pingTerminatingStatusCode: 503,
  bootSecret: '00',
  plugins: [],
  redis: null,
  stateOnError: 'local',
};

export function createRig(workers: number, first: Content = content('first')): Rig {
  const lines: string[] = [];
  const log = linesLog(lines);
  const down: readonly ServerState[] = [];
  const reload: Reload = createReload(
    {
      log,
      running: () => supervisor.running(),
      replace: (handle, reason) => supervisor.replace(handle, reason),
      committed: () => supervisor.catchUpAll(),
      downFor: () => down,
    },
    first,
  );
  const exec = fileURLToPath(new URL('./fixtures/worker.ts', import.meta.url));
  const supervisor = createSupervisor({
    workers,
    settings,
    fork: createFork(exec, [], { env: { names: ['FIXTURE'] } }),
    snapshots: reload,
    log,
    drainDeadline: 1000,
    onApiRequest: () => {},
  });
  return { supervisor, reload, lines };
}

export function content(hash: string, routers: readonly string[] = []): Content {
  return {
    hash,
    routers: routers.map((name) => router(name)),
    middlewares: [],
    services: [],
    transports: [],
    tls: noTls,
  };
}

export function router(name: string, changes: Partial<RouterSpec> = {}): RouterSpec {
  return {
    name,
    provider: name.split('@')[1] ?? '',
    entryPoints: ['web'],
    rule: 'PathPrefix(`/`)',
    ruleSyntax: 'v3',
    priority: 15n,
    middlewares: [],
    service: 'api@file',
    tls: null,
    accessLogs: true,
    errors: [],
    warnings: [],
    ...changes,
  };
}

export function service(
  name: string,
  urls: readonly string[],
  check: object | null = null,
): LoadBalancerSpec {
  return {
    kind: 'loadBalancer',
    name,
    provider: name.split('@')[1] ?? '',
    servers: urls.map((url) => ({ url, path: '', weight: 1 })),
    passHostHeader: true,
    flushInterval: 100,
    serversTransport: 'default@internal',
    sticky: null,
    healthCheck:
      check === null
        ? null
        : {
            path: '/health',
            scheme: null,
            port: null,
            hostname: null,
            method: 'GET',
            status: 0,
            interval: 25,
            unhealthyInterval: 25,
            timeout: 5000,
            followRedirects: true,
            headers: {},
            rise: 1,
            fall: 1,
            initial: 'up',
            ...check,
          },
    errors: [],
  };
}

export function linesLog(lines: string[]): Log {
  const write = (fields: unknown, message?: string): void => {
    lines.push(message === undefined ? String(fields) : `${message} ${JSON.stringify(fields)}`);
  };
  const log: Partial<Log> = {
    trace: write,
    debug: write,
    info: write,
    warn: write,
    error: write,
    fatal: write,
    child: () => log as Log,
  };
  return log as Log;
}

/** Waits until `check` holds; fails after `ms`. */
export async function until(what: string, check: () => boolean, ms = 10_000): Promise<number> {
  const started = performance.now();
  while (!check()) {
    if (performance.now() - started > ms) throw new Error(`waited ${ms} ms for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return performance.now() - started;
}
