// Entry points, and who is told of the end of each Exchange that began on them.

import type { EntryPointSpec } from '../model/entry-point.ts';
import type { AccessLog } from '../observability/access-log.ts';
import { metricNames } from '../observability/names.ts';
import type { Tracing } from '../observability/tracing.ts';
import type { WorkerMeters } from '../observability/worker-metrics.ts';
import type { Drain } from './drain.ts';
import { buildEntryPoint, type EntryPoint } from './entrypoints/entry-point.ts';
import type { Exchange } from './exchange.ts';
import type { LiveCounters } from './live-counters.ts';
import { Metering } from './metering.ts';
import type { Recorder } from './recorder.ts';

/** Who is told. */
export interface Endings {
  readonly drain: Drain;
  readonly recorder: Recorder;
  /** What `recorder` writes to. */
  readonly accessLog: AccessLog | null;
  readonly tracing: Tracing | null;
  readonly meters: WorkerMeters | null;
  /** Null for as long as nobody wants to know. */
  live: LiveCounters | null;
}

/** Throws `Error` for a trusted address that is none. */
export function createEntryPoints(specs: readonly EntryPointSpec[], endings: Endings): readonly EntryPoint[] {
  const { accessLog, tracing, meters } = endings;
  const keepsOriginHeaders = accessLog?.writesOriginHeaders ?? false;
  if (meters === null) {
    // The clock is read once for all who count, and not at all when nobody does.
    const ended = (x: Exchange): void =>
      tell(endings, x, accessLog === null && endings.live === null ? 0 : performance.now());
    return specs.map((spec) => buildEntryPoint(spec, ended, keepsOriginHeaders, tracing));
  }
  const metering = new Metering(meters);
  return specs.map((spec) => {
    const meter = spec.metrics === false ? null : meters.entryPoint(spec.name);
    const ended = (x: Exchange): void => {
      const now = performance.now();
      tell(endings, x, now);
      metering.ended(x, meter, now);
    };
    const open = { value: 0 };
    meters.instruments.gauge(metricNames.openConnections, [spec.name, 'TCP'], () => open.value);
    const connected = (change: number): void => void (open.value += change);
    return { ...buildEntryPoint(spec, ended, keepsOriginHeaders, tracing), connected };
  });
}

function tell({ drain, recorder, live }: Endings, x: Exchange, now: number): void {
  drain.left(x);
  if (x.trace !== null) x.trace.finish(x);
  recorder.ended(x, now);
  live?.count(x, now);
}
