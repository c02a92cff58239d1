// Result files that nobody measured.

import type { Measured, ResultFile, Row } from '../../../bench/result.ts';

export function round(differences: Partial<Measured> = {}): Measured {
  return {
    driver: 'wrk',
    requests: 100_000,
    seconds: 2,
    p50: 1,
    p99: 2,
    p999: 4,
    errors: 0,
    perSecond: 50_000,
    cpu: 20,
    peakRss: 100 * 1_048_576,
    ...differences,
  };
}

export function row(rounds: readonly Partial<Measured>[], differences: Partial<Row> = {}): Row {
  return {
    scenario: 'plain',
    case: '',
    peer: 'portcullis',
    label: 'portcullis',
    cores: 1,
    rounds: rounds.map(round),
    ...differences,
  };
}

/** A row whose rounds have these rates. */
export function rates(values: readonly number[], differences: Partial<Row> = {}): Row {
  return row(
    values.map((perSecond) => ({ perSecond })),
    differences,
  );
}

export const nginx: Partial<Row> = { peer: 'nginx', label: 'nginx' };

export function result(rows: readonly Row[], differences: Partial<ResultFile> = {}): ResultFile {
  return {
    format: 1,
    startedAt: '2029-01-31T14:05:06.000Z',
    machine: {
      cpu: 'Intel(R) Xeon(R) Processor',
      cores: 2,
      memoryMiB: 8_192,
      kernel: '6.1.0',
      node: 'v24.0.0',
      peers: { portcullis: '0.1.0', nginx: '1.22.1-9' },
    },
    setup: { seconds: 2, rounds: 3, driver: 'auto' },
    rows,
    skipped: [],
    ...differences,
  };
}
