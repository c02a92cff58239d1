// Watches the servers of one service: each when it is due, whatever the others do.

import type { HealthCheckSpec, ServerSpec } from '../../model/snapshot.ts';
import type { Prober, ProbeResult } from './probe.ts';
import type { Semaphore } from './semaphore.ts';

export interface WatchOptions {
  readonly check: HealthCheckSpec;
  readonly prober: Prober;
  readonly semaphore: Semaphore;
  /** Called once for each change, never for a probe that confirms. */
  readonly changed: (url: string, up: boolean, reason: string | null) => void;
}

/** What is known of one server. */
export interface Target {
  readonly server: ServerSpec;
  up: boolean;
  /** Probes in a row that speak against `up`. */
  against: number;
  /** `performance.now()` of the next probe. */
  due: number;
}

export interface Watch {
  /** Servers that stay keep what is known of them; new ones are probed at once. */
  setServers(servers: readonly ServerSpec[]): void;
  targets(): readonly Target[];
  /** Somebody else has seen it fail: down until as many probes as `rise` says are good. */
  markDown(url: string): void;
  close(): void;
}

export function createWatch(
  options: WatchOptions,
  servers: readonly ServerSpec[],
  known: readonly Target[],
): Watch {
  const stop = new AbortController();
  // One for each server: a slow one keeps none of the others waiting.
  const timers = new Map<Target, NodeJS.Timeout>();
  let targets = targetsFor(servers, known, options.check);

  const visit = async (target: Target): Promise<void> => {
    const result = await options.semaphore.run(() =>
      stop.signal.aborted
        ? Promise.resolve('stopped')
        : options.prober.probe(target.server, options.check, stop.signal),
    );
    // A probe that was under way while its server left the configuration tells nothing.
    if (stop.signal.aborted || !timers.has(target)) return;
    settle(target, result, options);
    schedule(target);
  };
  const schedule = (target: Target): void => {
    const wait = Math.max(0, target.due - performance.now());
    timers.set(
      target,
      setTimeout(() => void visit(target), wait),
    );
  };
  const leave = (target: Target): void => {
    clearTimeout(timers.get(target));
    timers.delete(target);
  };
  for (const target of targets) schedule(target);
  return {
    setServers(wanted) {
      const before = targets;
      targets = targetsFor(wanted, before, options.check);
      for (const target of before) if (!targets.includes(target)) leave(target);
      for (const target of targets) if (!timers.has(target)) schedule(target);
    },
    targets: () => targets,
    markDown(url) {
      const target = targets.find(({ server }) => server.url === url);
      if (target === undefined || !target.up) return;
      target.up = false;
      target.against = 0;
      options.changed(url, false, 'requests fail');
    },
    close() {
      stop.abort();
      for (const timer of timers.values()) clearTimeout(timer);
      timers.clear();
    },
  };
}

function targetsFor(
  servers: readonly ServerSpec[],
  known: readonly Target[],
  check: HealthCheckSpec,
): readonly Target[] {
  const before = new Map(known.map((target) => [target.server.url, target]));
  const byUrl = new Map<string, Target>();
  for (const server of servers) {
    if (byUrl.has(server.url)) continue;
    const fresh = { server, up: check.initial === 'up', against: 0, due: performance.now() };
    byUrl.set(server.url, before.get(server.url) ?? fresh);
  }
  return [...byUrl.values()];
}

function settle(target: Target, result: ProbeResult, options: WatchOptions): void {
  const { check } = options;
  const healthy = result === null;
  target.against = healthy === target.up ? 0 : target.against + 1;
  if (target.against >= (target.up ? check.fall : check.rise)) {
    target.up = healthy;
    target.against = 0;
    options.changed(target.server.url, healthy, result);
  }
  target.due = performance.now() + (target.up ? check.interval : check.unhealthyInterval);
}
