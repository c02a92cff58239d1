// The door to prom-client: what the primary knows of itself and of its process. Loaded where metrics are on alone.

import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import type { MetricName } from './names.ts';

/** One series: values in the order of the metric's labels. */
export interface OwnSeries {
  readonly labels: readonly string[];
  readonly value: number;
}

/** A metric and where its series are read, at each scrape. */
export interface OwnMetric {
  readonly metric: MetricName;
  readonly read: () => readonly OwnSeries[];
}

export interface OwnMetrics {
  /** In the text format; a few hundred lines. */
  text(): Promise<string>;
  close(): void;
}

/** Of the text that `text()` gives. */
export const contentType: string = Registry.PROMETHEUS_CONTENT_TYPE;

/** Beside `metrics` those of the process, but for gauges named like counters. */
export function createOwnMetrics(metrics: readonly OwnMetric[]): OwnMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const metric of registry.getMetricsAsArray()) {
    // By convention only counters end so, and checkers of metrics mind.
    if (metric.name.endsWith('_total') && metric.type.toString() !== 'counter')
      registry.removeSingleMetric(metric.name);
  }
  for (const metric of metrics) register(registry, metric);
  return { text: () => registry.metrics(), close: () => registry.clear() };
}

function register(registry: Registry, { metric, read }: OwnMetric): void {
  const { name, help, labels: labelNames } = metric;
  const options = { name, help, labelNames: [...labelNames], registers: [registry] };
  const labelsOf = (values: readonly string[]): Record<string, string> =>
    Object.fromEntries(labelNames.map((label, i) => [label, (values[i] ?? '').toWellFormed()]));
  if (metric.type === 'counter') {
    new Counter({
      ...options,
      collect() {
        this.reset();
        for (const { labels, value } of read()) this.inc(labelsOf(labels), value);
      },
    });
    return;
  }
  new Gauge({
    ...options,
    collect() {
      this.reset();
      // Without labels a reset leaves 0 behind, which is then set.
      for (const { labels, value } of read()) this.set(labelsOf(labels), value);
    },
  });
}
