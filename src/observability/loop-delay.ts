// How late this process' event loop is, and how busy.

import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { Instrument, Instruments } from './instruments.ts';
import { metricNames } from './names.ts';

/** Milliseconds between two looks: 50 a second cost about 0.1 % of a core. */
const resolution = 20;

/** Lateness and use since `look` was called last; instruments read them. */
export function watchLoop(instruments: Instruments, process: string): Instrument & { look(): void } {
  const delay = monitorEventLoopDelay({ resolution });
  delay.enable();
  let mean = 0;
  let most = 0;
  let utilization = 0;
  let before = performance.eventLoopUtilization();
  const made = [
    instruments.gauge(metricNames.loopDelayMean, [process], () => mean),
    instruments.gauge(metricNames.loopDelayMost, [process], () => most),
    instruments.gauge(metricNames.loopUtilization, [process], () => utilization),
  ];
  return {
    look() {
      // What is measured is the time between two looks, of which `resolution` is meant.
      const late = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e9 - resolution / 1000);
      mean = delay.count === 0 ? 0 : late(delay.mean);
      most = delay.count === 0 ? 0 : late(delay.max);
      delay.reset();
      const now = performance.eventLoopUtilization();
      utilization = performance.eventLoopUtilization(now, before).utilization;
      before = now;
    },
    close() {
      delay.disable();
      for (const instrument of made) instrument.close();
    },
  };
}
