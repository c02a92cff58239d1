// `npm run bench:compare -- A.json B.json`: which differences between two results exceed the noise.

import { readFileSync } from 'node:fs';
import { type Read, type ResultFile, type Row, figureNames, medianOf, spreadOf, titleOf } from './result.ts';

const usage = `npm run bench:compare -- A.json B.json

Compares B with A, cell by cell. The noise of a cell is the wider of the two spreads of its rounds (from the
least to the most, as a share of the median), and never below 5 %: that much one start differs from another.
A difference counts when it exceeds the noise. Three rounds are the least that are judged.`;

interface Metric {
  readonly name: string;
  readonly read: Read;
  readonly moreIsBetter: boolean;
}

type Verdict = 'better' | 'worse' | 'within' | 'unknown';

const metrics: readonly Metric[] = [
  { name: 'requests/s', read: (round) => round.perSecond, moreIsBetter: true },
  { name: 'CPU µs/request', read: (round) => round.cpu, moreIsBetter: false },
  { name: 'p99 ms', read: (round) => round.p99, moreIsBetter: false },
  { name: 'peak RSS MiB', read: (round) => round.peakRss / 1_048_576, moreIsBetter: false },
];

const leastNoise = 0.05;
const leastRounds = 3;

const files = process.argv.slice(2);
if (files.length !== 2 || files.includes('--help')) {
  console.log(usage);
  process.exitCode = files.includes('--help') ? 0 : 2;
} else {
  const [before, after] = files.map((file) => JSON.parse(readFileSync(file, 'utf8')) as ResultFile);
  if (before !== undefined && after !== undefined) compare(before, after);
}

function compare(before: ResultFile, after: ResultFile): void {
  if (before.machine.cpu !== after.machine.cpu || before.machine.cores !== after.machine.cores) {
    console.log('!! measured on different machines: only ratios to a peer of the same file mean anything\n');
  }
  const counts: Record<Verdict, number> = { better: 0, worse: 0, within: 0, unknown: 0 };
  for (const row of after.rows) {
    const old = before.rows.find((one) => keyOf(one) === keyOf(row));
    if (old === undefined) {
      console.log(`only in the second: ${keyOf(row)}`);
      continue;
    }
    for (const metric of [...metrics, ...figureMetrics(row)]) {
      const { verdict, line } = judge(old, row, metric);
      counts[verdict] += 1;
      if (verdict === 'better' || verdict === 'worse') console.log(line);
    }
  }
  for (const row of before.rows) {
    if (!after.rows.some((one) => keyOf(one) === keyOf(row))) console.log(`only in the first: ${keyOf(row)}`);
  }
  console.log(`\n${counts.better} better, ${counts.worse} worse, ${counts.within} within the noise`);
  if (counts.unknown > 0) console.log(`${counts.unknown} cannot be judged: fewer than three rounds`);
}

/** Times and memory are less-is-better; what is counted per second is not. */
function figureMetrics(row: Row): readonly Metric[] {
  return figureNames(row).map((name) => ({
    name,
    read: (round) => round.figures?.[name] ?? null,
    moreIsBetter: name.endsWith('/CPU s'),
  }));
}

function judge(old: Row, row: Row, metric: Metric): { readonly verdict: Verdict; readonly line: string } {
  const [was, is] = [medianOf(old, metric.read), medianOf(row, metric.read)];
  const [oldSpread, spread] = [spreadOf(old, metric.read), spreadOf(row, metric.read)];
  if (was === null || is === null || was === 0) return { verdict: 'within', line: '' };
  const rounds = Math.min(old.rounds.length, row.rounds.length);
  if (oldSpread === null || spread === null || rounds < leastRounds) return { verdict: 'unknown', line: '' };
  const change = is / was - 1;
  const noise = Math.max(spread, oldSpread, leastNoise);
  if (Math.abs(change) <= noise) return { verdict: 'within', line: '' };
  const verdict = change > 0 === metric.moreIsBetter ? 'better' : 'worse';
  const values = `${was.toFixed(1)} → ${is.toFixed(1)} (${percent(change)}, noise ${percent(noise).slice(1)})`;
  return { verdict, line: `${verdict.padEnd(7)} ${keyOf(row)}: ${metric.name} ${values}` };
}

function keyOf(row: Row): string {
  return `${titleOf(row)}, ${row.label}, ${row.cores} ${row.cores === 1 ? 'core' : 'cores'}`;
}

function percent(share: number): string {
  return `${share < 0 ? '−' : '+'}${Math.abs(share * 100).toFixed(1)} %`;
}
