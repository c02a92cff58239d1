// autocannon, in a process of its own: its work is not to slow down what measures.

import { fileURLToPath } from 'node:url';
import { runProgram } from '../processes.ts';
import type { HttpDriver, HttpRound } from './http.ts';

const program = fileURLToPath(new URL('autocannon-process.ts', import.meta.url));

/** What `autocannon-process.ts` prints. */
export interface AutocannonResult {
  readonly requests: { readonly total: number };
  /** Seconds. */
  readonly duration: number;
  /** Milliseconds. */
  readonly latency: { readonly p50: number; readonly p99: number; readonly p99_9: number };
  readonly errors: number;
  readonly non2xx: number;
}

export const autocannon: HttpDriver = async (round) => {
  const input = JSON.stringify(round satisfies HttpRound);
  const output = await runProgram({ command: process.execPath, args: [program] }, input);
  const result = JSON.parse(output) as AutocannonResult;
  return {
    driver: 'autocannon',
    requests: result.requests.total,
    seconds: result.duration,
    errors: result.errors + result.non2xx,
    p50: result.latency.p50,
    p99: result.latency.p99,
    p999: result.latency.p99_9,
  };
};
