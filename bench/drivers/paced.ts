// Requests at a constant rate, in a process of their own, whether the last ones were answered or not.

import { fileURLToPath } from 'node:url';
import { runProgram } from '../processes.ts';
import type { Load, Sample } from '../scenario.ts';

const program = fileURLToPath(new URL('paced-process.ts', import.meta.url));

/** What `paced-process.ts` reads. */
export interface PacedRound {
  readonly port: number;
  readonly path: string;
  readonly connections: number;
  readonly seconds: number;
  /** Requests per second. */
  readonly rate: number;
}

/** What `paced-process.ts` prints. */
export interface PacedResult {
  readonly answered: number;
  readonly errors: number;
  readonly seconds: number;
  readonly p50: number | null;
  readonly p99: number | null;
  readonly p999: number | null;
  /** Milliseconds the driver itself was late, at the 99th percentile of its ticks. */
  readonly lag: number | null;
}

/** At the rate the case found. A wait for a free connection is part of the latency, as it is for clients. */
export function pacedLoad(path: string, connections: number): Load {
  return async (subject, { seconds, rate }) => {
    if (rate === null) throw new Error('no rate was found for it');
    const round: PacedRound = { port: subject.port, path, connections, seconds, rate };
    const output = await runProgram({ command: process.execPath, args: [program] }, JSON.stringify(round));
    return sampleOf(JSON.parse(output) as PacedResult, rate);
  };
}

function sampleOf(result: PacedResult, rate: number): Sample {
  const { answered: requests, errors, seconds, p50, p99, p999, lag } = result;
  const figures = { 'asked/s': rate, ...(lag !== null && { 'driver lag p99 ms': lag }) };
  return { driver: 'own', requests, errors, seconds, p50, p99, p999, figures };
}
