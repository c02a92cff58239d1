// Tells the primary every second what this worker has counted.

import type { MetricsSettings } from '../model/metrics.ts';
import { watchGarbage } from '../observability/garbage-watch.ts';
import { watchLoop } from '../observability/loop-delay.ts';
import { Histogram, type Instruments } from '../observability/instruments.ts';
import { metricNames } from '../observability/names.ts';
import { WorkerMeters } from '../observability/worker-metrics.ts';
import type { RedisConnection } from '../state/redis/connect.ts';
import type { Report } from './report.ts';

export interface MetricsReport {
  readonly meters: WorkerMeters;
  /** The same connection, with its calls measured. */
  timed(redis: RedisConnection): RedisConnection;
  /** All that was counted so far, at once: before the process ends. */
  flush(): void;
}

/** Milliseconds: what a worker that is killed has counted since is lost. */
const interval = 1_000;

/** Null where metrics are off. `stateMode`: where limits are kept now. */
export function startMetrics(
  settings: MetricsSettings | null,
  report: Report,
  stateMode: () => string,
): MetricsReport | null {
  if (settings === null) return null;
  const meters = new WorkerMeters(settings);
  const { instruments } = meters;
  const loop = watchLoop(instruments, 'worker');
  watchGarbage(instruments);
  let rss = 0;
  let cpu = 0;
  instruments.gauge(metricNames.workerMemory, [], () => rss);
  instruments.counter(metricNames.workerCpu, [], () => cpu);
  for (const mode of ['memory', 'redis', 'open', 'closed', 'local'])
    instruments.gauge(metricNames.stateMode, [mode], () => (stateMode() === mode ? 1 : 0));
  const look = (): void => {
    loop.look();
    rss = process.memoryUsage.rss();
    const { user, system } = process.cpuUsage();
    cpu = (user + system) / 1e6;
  };
  const tell = (): boolean => {
    const taken = meters.take();
    if (taken === null) return true;
    report(taken.message);
    return taken.isLast;
  };
  let isTelling = false;
  const tellInTurns = (): void => {
    isTelling = !tell();
    // One message a turn: requests do not wait for all of them.
    if (isTelling) setImmediate(tellInTurns);
  };
  setInterval(() => {
    look();
    if (!isTelling) tellInTurns();
  }, interval).unref();
  return {
    meters,
    timed: (redis) => timed(redis, instruments),
    flush() {
      look();
      while (!tell());
    },
  };
}

function timed(redis: RedisConnection, instruments: Instruments): RedisConnection {
  const times = new Histogram();
  instruments.histogram(metricNames.stateLatency, [], times);
  const measured = async <T>(call: Promise<T>): Promise<T> => {
    const since = performance.now();
    try {
      return await call;
    } finally {
      times.observe((performance.now() - since) / 1000);
    }
  };
  return {
    keyPrefix: redis.keyPrefix,
    get isReachable() {
      return redis.isReachable;
    },
    whenReachable: (timeout) => redis.whenReachable(timeout),
    call: (...asked) => measured(redis.call(...asked)),
    run: (...asked) => measured(redis.run(...asked)),
    subscribe: (channel, subscription) => redis.subscribe(channel, subscription),
    unsubscribe: (channel) => redis.unsubscribe(channel),
    close: () => redis.close(),
  };
}
