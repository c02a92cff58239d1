// Watches the servers of one service: one after the other, each when it is due.

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
  close(): void;
}

export function createWatch(
  options: WatchOptions,
  servers: readonly ServerSpec[],
  known: readonly Target[],
): Watch {
  const stop = new AbortController();
  let targets = targetsFor(servers, known, options.check);
  let timer: NodeJS.Timeout | null = null;
  let busy = false;

  const schedule = (): void => {
    if (stop.signal.aborted || busy) return;
    if (timer !== null) clearTimeout(timer);
    const next = soonest(targets);
    if (next !== null) timer = setTimeout(() => void visit(next), Math.max(0, next.due - performance.now()));
  };
  const visit = async (target: Target): Promise<void> => {
    busy = true;
    const result = await options.semaphore.run(() =>
      stop.signal.aborted
        ? Promise.resolve('stopped')
        : options.prober.probe(target.server, options.check, stop.signal),
    );
    busy = false;
    // A probe that was under way while its server left the configuration tells nothing.
    if (!stop.signal.aborted && targets.includes(target)) settle(target, result, options);
    schedule();
  };
  schedule();
  return {
    setServers(wanted) {
      targets = targetsFor(wanted, targets, options.check);
      schedule();
    },
    targets: () => targets,
    close() {
      stop.abort();
      if (timer !== null) clearTimeout(timer);
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

function soonest(targets: readonly Target[]): Target | null {
  let next: Target | null = null;
  for (const target of targets) if (next === null || target.due < next.due) next = target;
  return next;
}
