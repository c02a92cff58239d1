// Totals as the text that Prometheus reads: 10,000 routers are some hundred thousand lines.

import { head, line, number } from './metric-text.ts';
import { type MetricName, metricNames, type RequestNames, requestNames, type Scope } from './names.ts';
import { Pace, type Write } from './pace.ts';
import type { RequestTotal, Totals } from './totals.ts';

export interface ExpositionOptions {
  /** Bounds of the histograms of requests. */
  readonly buckets: readonly number[];
  /** Numbers of requests come with header labels. */
  readonly hasHeaderLabels: boolean;
}

/** All totals, family by family. */
export async function writeTotals(totals: Totals, options: ExpositionOptions, write: Write): Promise<void> {
  const pace = new Pace(write);
  const all = totals.requests();
  for (const scope of Object.keys(requestNames) as Scope[]) {
    await writeRequests(
      requestNames[scope],
      all.filter((total) => total.scope === scope),
      options,
      pace,
    );
  }
  for (const metric of Object.values(metricNames) as MetricName[]) await writeSamples(metric, totals, pace);
  await pace.end();
}

async function writeRequests(
  names: RequestNames,
  totals: readonly RequestTotal[],
  { buckets, hasHeaderLabels }: ExpositionOptions,
  pace: Pace,
): Promise<void> {
  const whole = totals.filter(({ kind }) => kind === 'all');
  const numbered = hasHeaderLabels ? totals.filter(({ kind }) => kind === 'headers') : whole;
  const tls = totals.filter(({ kind }) => kind === 'tls');
  const bounds = [...buckets.map(number), '+Inf'];
  await writeFamily(names.requests, numbered, pace, (total) => oneLine(names.requests, total, 0));
  await writeFamily(names.tls, tls, pace, (total) => oneLine(names.tls, total, 0));
  await writeFamily(names.duration, whole, pace, (total) => durations(names.duration.name, total, bounds));
  await writeFamily(names.bytesIn, whole, pace, (total) => oneLine(names.bytesIn, total, 2));
  await writeFamily(names.bytesOut, whole, pace, (total) => oneLine(names.bytesOut, total, 3));
}

async function writeFamily(
  metric: MetricName,
  totals: readonly RequestTotal[],
  pace: Pace,
  text: (total: RequestTotal) => string,
): Promise<void> {
  if (totals.length === 0) return;
  pace.add(head(metric));
  for (const total of totals) {
    pace.add(text(total));
    const pause = pace.turn();
    if (pause !== null) await pause;
  }
}

function oneLine(metric: MetricName, { labels, values }: RequestTotal, at: number): string {
  return line(metric.name, labels, values[at] as number);
}

function durations(name: string, { labels, values }: RequestTotal, bounds: readonly string[]): string {
  let text = '';
  let below = 0;
  for (let i = 0; i < bounds.length; i++) {
    below += values[4 + i] as number;
    text += `${name}_bucket{${labels},le="${bounds[i]}"} ${below}\n`;
  }
  return `${text}${name}_sum{${labels}} ${values[1]}\n${name}_count{${labels}} ${below}\n`;
}

async function writeSamples(metric: MetricName, totals: Totals, pace: Pace): Promise<void> {
  let isFirst = true;
  for (const { suffix, labels, value } of totals.samples.of(metric.name)) {
    if (isFirst) pace.add(head(metric));
    isFirst = false;
    pace.add(line(`${metric.name}${suffix}`, labels, value));
    const pause = pace.turn();
    if (pause !== null) await pause;
  }
}
