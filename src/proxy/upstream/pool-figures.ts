// What the metrics show of the connections to one server.

import { Histogram, type Instrument, type Instruments } from '../../observability/instruments.ts';
import { metricNames } from '../../observability/names.ts';

export interface PoolFigures {
  /** Open, those being dialled included. */
  readonly connections: number;
  readonly idleConnections: number;
  readonly waitingCalls: number;
  readonly counts: PoolCounts;
}

export class PoolCounts {
  /** Calls on a connection that stood. */
  reused = 0;
  readonly dials = new Histogram();
}

/** Shown once there was a connection. `figures`: one server may be spoken to in two ways. */
export function meterPool(
  url: string,
  figures: readonly PoolFigures[],
  instruments: Instruments,
): Instrument {
  const made = figures.map((one) => {
    const { counts } = one;
    return instruments.whenUsed(
      () => one.connections > 0 || counts.dials.count > 0,
      () => {
        const all = [
          instruments.gauge(metricNames.upstreamOpen, [url], () => one.connections),
          instruments.gauge(metricNames.upstreamIdle, [url], () => one.idleConnections),
          instruments.gauge(metricNames.upstreamWaiting, [url], () => one.waitingCalls),
          instruments.counter(metricNames.upstreamReused, [url], () => counts.reused),
          instruments.histogram(metricNames.upstreamDials, [url], counts.dials),
        ];
        return { close: () => all.forEach((instrument) => instrument.close()) };
      },
    );
  });
  return { close: () => made.forEach((instrument) => instrument.close()) };
}
