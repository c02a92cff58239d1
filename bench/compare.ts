// `npm run bench:compare -- A.json B.json`: which differences between two results exceed the noise.

import { readFileSync } from 'node:fs';
import { type Read, type ResultFile, type Row, figureNames, medianOf, spreadOf, titleOf } from './result.ts';

const usage = `npm run bench:compare -- A.json B.json

Compares B with A, cell by cell. The noise of a cell is the wider of the two spreads of its rounds (from the
least to the most, as a share of the median); a difference counts when it exceeds that. Two rounds are the
least that have a spread, five make it worth something.`;

interface Metric {
  readonly name: string;
  readonly read: Read;
  readonly moreIsBetter: boolean;
}

const metrics: readonly Metric[] = [
  { name: 'requests/s', read: (round) => round.perSecond, moreIsBetter: true },
  { name: 'CPU µs/request', read: (round) => round.cpu, moreIsBetter: false },
  { name: 'p99 ms', read: (round) => round.p99, moreIsBetter: false },
  { name: 'peak RSS', read: (round) => round.peakRss, moreIsBetter: false },
];

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
  let within = 0;
  for (const row of after.rows) {
    const old = before.rows.find((one) => keyOf(one) === keyOf(row));
    if (old === undefined) {
      console.log(`only in the second: ${keyOf(row)}`);
      continue;
    }
    for (const metric of [...metrics, ...figureMetrics(row)]) {
      const line = judge(old, row, metric);
      if (line === null) within += 1;
      else console.log(line);
    }
  }
  for (const row of before.rows) {
    if (!after.rows.some((one) => keyOf(one) === keyOf(row))) console.log(`only in the first: ${keyOf(row)}`);
  }
  console.log(`\n${within} other differences are within the noise.`);
}

/** Times and memory are less-is-better; what is counted per second is not. */
function figureMetrics(row: Row): readonly Metric[] {
  return figureNames(row).map((name) => ({
    name,
    read: (round) => round.figures?.[name] ?? null,
    moreIsBetter: name.endsWith('/CPU s'),
  }));
}

/** Null for a difference within the noise. */
function judge(old: Row, row: Row, metric: Metric): string | null {
  const [was, is] = [medianOf(old, metric.read), medianOf(row, metric.read)];
  if (was === null || is === null || was === 0) return null;
  const [spread, oldSpread] = [spreadOf(row, metric.read), spreadOf(old, metric.read)];
  const change = is / was - 1;
  const title = `${keyOf(row)}: ${metric.name} ${was.toFixed(1)} → ${is.toFixed(1)} (${percent(change)})`;
  if (spread === null || oldSpread === null) return `unknown  ${title}, one round has no spread`;
  const noise = Math.max(spread, oldSpread);
  if (Math.abs(change) <= noise) return null;
  const verdict = change > 0 === metric.moreIsBetter ? 'better ' : 'WORSE  ';
  return `${verdict}  ${title}, noise ${percent(noise).slice(1)}`;
}

function keyOf(row: Row): string {
  return `${titleOf(row)}, ${row.label}, ${row.cores} ${row.cores === 1 ? 'core' : 'cores'}`;
}

function percent(share: number): string {
  return `${share < 0 ? '−' : '+'}${Math.abs(share * 100).toFixed(1)} %`;
}
