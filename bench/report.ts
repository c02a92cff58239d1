// From rounds to a table: medians, and ratios to the peer of the same row.

import type { LoadResult } from './load.ts';
import type { Target } from './targets.ts';

export interface Round extends LoadResult {
  /** Microseconds of user and system time per request. */
  readonly cpu: number;
}

export interface Row {
  readonly scenario: string;
  readonly name: string;
  readonly requestsPerSecond: number;
  readonly cpu: number;
  readonly p50: number;
  readonly p99: number;
  readonly errors: number;
  readonly rounds: readonly Round[];
}

export function toRow(target: Target, rounds: readonly Round[]): Row {
  const middle = (read: (round: Round) => number): number => median(rounds.map(read));
  return {
    scenario: target.scenario,
    name: target.name,
    requestsPerSecond: middle((round) => round.requestsPerSecond),
    cpu: middle((round) => round.cpu),
    p50: middle((round) => round.p50),
    p99: middle((round) => round.p99),
    errors: rounds.reduce((sum, round) => sum + round.errors, 0),
    rounds,
  };
}

/** A Markdown table; the last two columns compare with nginx doing the same thing. */
export function toTable(rows: readonly Row[]): string {
  const lines = [
    '| scenario | who | requests/s | CPU µs/request | p50 ms | p99 ms | errors | speed / nginx | CPU / nginx |',
    '| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
  ];
  for (const row of rows) {
    const peer = rows.find(
      (other) => other.scenario === row.scenario && other.name === row.name.replace('portcullis', 'nginx'),
    );
    const ratio = (read: (row: Row) => number): string =>
      peer === undefined || peer === row ? '' : (read(row) / read(peer)).toFixed(2);
    const cells = [
      row.scenario,
      row.name,
      row.requestsPerSecond.toFixed(0),
      row.cpu.toFixed(1),
      row.p50.toFixed(2),
      row.p99.toFixed(2),
      String(row.errors),
      ratio((one) => one.requestsPerSecond),
      ratio((one) => one.cpu),
    ];
    lines.push(`| ${cells.join(' | ')} |`);
  }
  return lines.join('\n');
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}
