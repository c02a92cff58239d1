// Two results, cell by cell: which differences exceed the noise. Pure.

import { formatChange, formatFigure } from './format.ts';
import {
  type Read,
  type ResultFile,
  type Row,
  figureNames,
  medianOf,
  spreadOf,
  titleOf,
  valuesOf,
} from './result.ts';
import { median, rankTest } from './statistics.ts';

export type Verdict = 'better' | 'worse' | 'within' | 'unknown';

export interface Finding {
  readonly cell: string;
  readonly peer: string;
  readonly metric: string;
  readonly verdict: Verdict;
  readonly was: number;
  readonly is: number;
  /** As a share of what it was. */
  readonly change: number;
  /** The wider spread of the rounds of both; null with one round. */
  readonly noise: number | null;
  /** How likely such rounds are when nothing has changed. */
  readonly chance: number;
}

export interface Comparison {
  readonly findings: readonly Finding[];
  readonly onlyFirst: readonly string[];
  readonly onlySecond: readonly string[];
  readonly isSameMachine: boolean;
  /** Median change of the peers' requests/s: what the machine did meanwhile. Null where no peer is in both. */
  readonly drift: number | null;
}

/** One start differs from another by so much, whatever the rounds of either say. */
const leastChange = 0.05;
const leastRounds = 3;
/** Three rounds against three cannot reach 5 %: there all of one must lie above all of the other, which is 10 %. */
const maxChance = { few: 0.1, else: 0.05 } as const;

interface Metric {
  readonly name: string;
  readonly read: Read;
  readonly moreIsBetter: boolean;
}

const metrics: readonly Metric[] = [
  { name: 'requests/s', read: (round) => round.perSecond, moreIsBetter: true },
  { name: 'CPU µs/request', read: (round) => round.cpu, moreIsBetter: false },
  { name: 'p50 ms', read: (round) => round.p50, moreIsBetter: false },
  { name: 'p99 ms', read: (round) => round.p99, moreIsBetter: false },
  { name: 'peak RSS MiB', read: (round) => round.peakRss / 1_048_576, moreIsBetter: false },
];

/** What was asked for, is the driver's own, or may be 0 and below: no share of it means anything. */
const neutralFigures: ReadonlySet<string> = new Set(['asked/s', 'driver lag p99 ms', 'MiB/min growth']);

export function compareResults(before: ResultFile, after: ResultFile): Comparison {
  const findings: Finding[] = [];
  const onlySecond: string[] = [];
  for (const row of after.rows) {
    const old = before.rows.find((one) => keyOf(one) === keyOf(row));
    if (old === undefined) {
      onlySecond.push(keyOf(row));
      continue;
    }
    for (const metric of [...metrics, ...figureMetrics(row)]) {
      const finding = judge(old, row, metric);
      if (finding !== null) findings.push(finding);
    }
  }
  const known = new Set(after.rows.map(keyOf));
  return {
    findings,
    onlyFirst: before.rows.map(keyOf).filter((key) => !known.has(key)),
    onlySecond,
    isSameMachine: before.machine.cpu === after.machine.cpu && before.machine.cores === after.machine.cores,
    drift: driftOf(findings),
  };
}

/** `worse   plain, portcullis, 1 core: requests/s 51,700 → 40,000 (−22.6 %, noise 4.0 %, by chance 0.8 %)`. */
export function lineOf(finding: Finding): string {
  const { verdict, cell, metric, was, is, change, noise, chance } = finding;
  const noises = noise === null ? '' : `, noise ${(noise * 100).toFixed(1)} %`;
  const values = `${formatFigure(was)} → ${formatFigure(is)}`;
  return `${verdict.padEnd(7)} ${cell}: ${metric} ${values} (${formatChange(change)}${noises}, by chance ${(chance * 100).toFixed(1)} %)`;
}

/** Times and memory are less-is-better; what is counted per second of CPU is not. */
function figureMetrics(row: Row): readonly Metric[] {
  return figureNames(row)
    .filter((name) => !neutralFigures.has(name))
    .map((name) => ({
      name,
      read: (round) => round.figures?.[name] ?? null,
      moreIsBetter: name.endsWith('/CPU s'),
    }));
}

function judge(old: Row, row: Row, { name, read, moreIsBetter }: Metric): Finding | null {
  const [was, is] = [medianOf(old, read), medianOf(row, read)];
  if (was === null || is === null || was === 0) return null;
  const [before, after] = [valuesOf(old, read), valuesOf(row, read)];
  const [oldSpread, ownSpread] = [spreadOf(old, read), spreadOf(row, read)];
  const change = is / was - 1;
  const chance = rankTest(before, after);
  const rounds = Math.min(before.length, after.length);
  const isClear = chance <= (rounds === leastRounds ? maxChance.few : maxChance.else) + 1e-9;
  const differs = isClear && Math.abs(change) > leastChange;
  const side: Verdict = change > 0 === moreIsBetter ? 'better' : 'worse';
  return {
    cell: keyOf(row),
    peer: row.peer,
    metric: name,
    verdict: rounds < leastRounds ? 'unknown' : differs ? side : 'within',
    was,
    is,
    change,
    noise: oldSpread === null || ownSpread === null ? null : Math.max(oldSpread, ownSpread),
    chance,
  };
}

function driftOf(findings: readonly Finding[]): number | null {
  const peers = findings.filter((one) => one.peer !== 'portcullis' && one.metric === 'requests/s');
  return median(peers.map((one) => one.change));
}

function keyOf(row: Row): string {
  return `${titleOf(row)}, ${row.label}, ${row.cores} ${row.cores === 1 ? 'core' : 'cores'}`;
}
