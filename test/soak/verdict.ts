// Whether a soak was passed: each bound with what was seen.

import { judgeFailures, type Ledger } from './ledger.ts';
import { allowances, type Bounds, limit, type NodeName, repeatsPerChange } from './plan.ts';
import type { ProcessSample, Sample } from './watch.ts';

export interface Check {
  readonly what: string;
  readonly bound: string;
  readonly seen: string;
  /** Null: the run was too short to tell. */
  readonly ok: boolean | null;
}

export interface Evidence {
  readonly ledger: Ledger;
  readonly samples: readonly Sample[];
  readonly minutes: number;
  readonly exitCodes: readonly (number | null)[];
}

const MiB = 1_048_576;
const hour = 3_600_000;

export function judge(evidence: Evidence, bounds: Bounds): readonly Check[] {
  return [
    ...checkRequests(evidence, bounds),
    ...checkProcesses(evidence, bounds),
    ...checkRedis(evidence, bounds),
    {
      what: 'totals in the metrics that went back',
      ...none(evidence.samples.flatMap((one) => one.shrunk)),
    },
    {
      what: 'exit codes of the gateways',
      bound: '0',
      seen: evidence.exitCodes.join(', '),
      ok: evidence.exitCodes.every((code) => code === 0),
    },
  ];
}

function stalledPart({ happened }: Ledger, minutes: number): number {
  const stalls = happened.filter(({ event }) => event === 'stall');
  return stalls.reduce((sum, one) => sum + one.ended - one.begun, 0) / (minutes * 60_000);
}

/** Least squares: units of y per unit of x; 0 with fewer than two points. */
export function slopeOf(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (of: 0 | 1): number => points.reduce((sum, point) => sum + point[of], 0) / points.length;
  const [x0, y0] = [mean(0), mean(1)];
  let [above, below] = [0, 0];
  for (const [x, y] of points) {
    above += (x - x0) * (y - y0);
    below += (x - x0) ** 2;
  }
  return below === 0 ? 0 : above / below;
}

function checkRequests({ ledger, minutes }: Evidence, bounds: Bounds): readonly Check[] {
  const { alien } = judgeFailures(ledger.failures, ledger.happened, allowances);
  const counts = [...ledger.counts.values()];
  const sum = (read: (one: (typeof counts)[number]) => number): number =>
    counts.reduce((total, one) => total + read(one), 0);
  const changes = ledger.happened.filter(({ event }) => event === 'roll' || event === 'kill').length;
  const repeated = sum((one) => one.repeated);
  const skipped = sum((one) => one.skipped);
  const stalled = stalledPart(ledger, minutes);
  const isBusy = stalled > bounds.stalled;
  const unasked = counts.filter((one) => one.answered === 0).map((one) => one.kind);
  const window = 10_000;
  const through = mostWithin(ledger.passed, window);
  // Twice its value: with Redis away each node counts alone.
  const mostThrough = 2 * (limit.burst + (limit.average * window) / 1000);
  return [
    {
      what: 'failed requests that no allowance covers',
      ...none(alien.map(({ kind, what, node }) => `${kind} ${what} (${node})`)),
    },
    { what: 'kinds of requests that were never answered', ...none(unasked) },
    { what: 'events that did not come to their end', ...none(ledger.mishaps) },
    {
      what: 'part of the time in which the machine stood still',
      bound: `${100 * bounds.stalled} %, or waiting cannot be judged`,
      seen: `${(100 * stalled).toFixed(1)} %`,
      ok: isBusy ? null : true,
    },
    {
      what: 'requests not sent because too many waited',
      bound: '0',
      seen: String(skipped),
      ok: isBusy ? null : skipped === 0,
    },
    {
      what: 'requests asked again on a new connection',
      bound: `${repeatsPerChange} for each roll or killed worker`,
      seen: `${repeated} over ${changes}`,
      ok: repeated <= repeatsPerChange * changes,
    },
    {
      what: 'most that the limit let through in any 10 s',
      bound: String(mostThrough),
      seen: String(through),
      ok: through <= mostThrough,
    },
  ];
}

function checkProcesses({ ledger, samples, minutes }: Evidence, bounds: Bounds): readonly Check[] {
  const isBusy = stalledPart(ledger, minutes) > bounds.stalled;
  const isLong = minutes >= bounds.slopeMinutes;
  const largest = Math.max(...samples.flatMap((one) => one.processes.map(({ rss }) => rss))) / MiB;
  const checks: Check[] = [
    {
      what: 'largest process',
      bound: `${bounds.rssMost} MiB`,
      seen: `${largest.toFixed(0)} MiB`,
      ok: largest <= bounds.rssMost,
    },
  ];
  const late = Math.max(
    0,
    ...seriesOf(samples, 'steady', null, ({ probe }) => probe?.late ?? null).flatMap((one) =>
      one.points.map(([, y]) => y),
    ),
  );
  checks.push({
    what: 'longest that a loop of the steady node stood still',
    bound: `${bounds.loopMost} ms`,
    seen: `${late.toFixed(0)} ms`,
    ok: isBusy ? null : late <= bounds.loopMost,
  });
  const lines: readonly (readonly [string, number, (one: ProcessSample) => number | null])[] = [
    ['resident memory', bounds.rssSlope, ({ rss }) => rss / MiB],
    ['heap', bounds.heapSlope, ({ probe }) => (probe === null ? null : probe.heap / MiB)],
  ];
  for (const [node, role] of [
    ['steady', 'worker'],
    ['steady', 'primary'],
    ['shaken', 'primary'],
  ] as const) {
    for (const [what, bound, read] of lines) {
      for (const { pid, points } of seriesOf(samples, node, role, read)) {
        const half = points.slice(Math.floor(points.length / 2));
        const slope = slopeOf(half) * hour;
        const last = half.at(-1)?.[1] ?? 0;
        checks.push({
          what: `${what}, ${role} ${pid} of ${node}`,
          bound: `${bound} MiB an hour`,
          seen: `${slope.toFixed(2)} MiB an hour, at last ${last.toFixed(1)} MiB`,
          // What was not measured is not kept.
          ok: half.length === 0 ? false : isLong ? slope <= bound : null,
        });
      }
    }
    for (const { pid, points } of seriesOf(samples, node, role, ({ fds }) => fds))
      checks.push(
        flat(
          `descriptors, ${role} ${pid} of ${node}`,
          points.map(([, y]) => y),
          isLong,
          bounds,
        ),
      );
  }
  return checks;
}

function checkRedis({ samples, minutes }: Evidence, bounds: Bounds): readonly Check[] {
  const isLong = minutes >= bounds.slopeMinutes;
  const present = samples.flatMap(({ redis }) => (redis === null ? [] : [redis]));
  return [
    flat(
      'keys in Redis',
      present.map(({ keys }) => keys),
      isLong,
      bounds,
    ),
    flat(
      'memory of Redis, KiB',
      present.map(({ bytes }) => bytes / 1024),
      isLong,
      { ...bounds, flat: { ...bounds.flat, more: 2_048 } },
    ),
  ];
}

/** The mean of the last quarter beside that of the second one. */
function flat(what: string, values: readonly number[], isLong: boolean, bounds: Bounds): Check {
  const quarter = Math.floor(values.length / 4);
  const mean = (from: number): number => {
    const part = values.slice(from, from + quarter);
    return part.reduce((sum, one) => sum + one, 0) / part.length;
  };
  const [early, late] = [mean(quarter), mean(values.length - quarter)];
  const { ratio, more } = bounds.flat;
  return {
    what,
    bound: `${ratio} times the second quarter, and ${more}`,
    seen: `${early.toFixed(0)} → ${late.toFixed(0)}`,
    ok: isLong ? late <= early * ratio + more : null,
  };
}

interface Series {
  readonly pid: number;
  /** Milliseconds, value. */
  readonly points: readonly (readonly [number, number])[];
}

/** Of each process of the node that was there from the first look to the last. */
function seriesOf(
  samples: readonly Sample[],
  node: NodeName,
  role: ProcessSample['role'] | null,
  read: (one: ProcessSample) => number | null,
): readonly Series[] {
  const ends = [samples[0], samples.at(-1)].map(
    (one) =>
      new Set(
        one?.processes
          .filter((p) => p.node === node && (role === null || p.role === role))
          .map(({ pid }) => pid),
      ),
  ) as [Set<number>, Set<number>];
  return [...ends[0]]
    .filter((pid) => ends[1].has(pid))
    .map((pid) => ({
      pid,
      points: samples.flatMap(({ at, processes }) => {
        const found = processes.find((one) => one.pid === pid);
        const value = found === undefined ? null : read(found);
        return value === null ? [] : [[at, value] as const];
      }),
    }));
}

/** The most entries of an ascending list that lie within `width`. */
export function mostWithin(times: readonly number[], width: number): number {
  let most = 0;
  for (let first = 0, last = 0; last < times.length; last += 1) {
    while ((times[last] as number) - (times[first] as number) > width) first += 1;
    most = Math.max(most, last - first + 1);
  }
  return most;
}

function none(found: readonly string[]): Pick<Check, 'bound' | 'seen' | 'ok'> {
  const kinds = [...new Set(found)].slice(0, 12).join('; ');
  return { bound: '0', seen: found.length === 0 ? '0' : `${found.length}: ${kinds}`, ok: found.length === 0 };
}
