// One round of load on one URL: wrk, or autocannon where wrk is missing.

import { execFile, spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { promisify } from 'node:util';

export interface LoadOptions {
  readonly connections: number;
  readonly seconds: number;
  readonly headers: Readonly<Record<string, string>>;
}

export interface LoadResult {
  readonly requests: number;
  readonly requestsPerSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  /** Milliseconds. */
  readonly p99: number;
  /** Answers other than 2xx, and socket errors. */
  readonly errors: number;
}

export type Load = (url: string, options: LoadOptions) => Promise<LoadResult>;

const run = promisify(execFile);
const maxOutput = 4 * 1_048_576;

export function hasCommand(command: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${command}`], { stdio: 'ignore' }).status === 0;
}

export const wrk: Load = async (url, options) => {
  const headers = Object.entries(options.headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  const args = ['-t1', `-c${options.connections}`, `-d${options.seconds}s`, '--latency', ...headers, url];
  const { stdout } = await run('wrk', args, { maxBuffer: maxOutput });
  const number = (pattern: RegExp): number => Number(pattern.exec(stdout)?.[1] ?? 0);
  const socketErrors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(stdout);
  return {
    requests: number(/(\d+) requests in/),
    requestsPerSecond: number(/Requests\/sec:\s+([\d.]+)/),
    p50: milliseconds(/50%\s+(\S+)/.exec(stdout)?.[1]),
    p99: milliseconds(/99%\s+(\S+)/.exec(stdout)?.[1]),
    errors:
      number(/Non-2xx or 3xx responses: (\d+)/) +
      (socketErrors?.slice(1) ?? []).reduce((sum, count) => sum + Number(count), 0),
  };
};

export const autocannon: Load = async (url, options) => {
  const program = createRequire(import.meta.url).resolve('autocannon');
  const headers = Object.entries(options.headers).flatMap(([name, value]) => ['-H', `${name}=${value}`]);
  const args = [
    program,
    '-c',
    String(options.connections),
    '-d',
    String(options.seconds),
    '-j',
    ...headers,
    url,
  ];
  const { stdout } = await run(process.execPath, args, { maxBuffer: maxOutput });
  const result = JSON.parse(stdout) as {
    requests: { total: number; average: number };
    latency: { p50: number; p99: number };
    errors: number;
    non2xx: number;
  };
  return {
    requests: result.requests.total,
    requestsPerSecond: result.requests.average,
    p50: result.latency.p50,
    p99: result.latency.p99,
    errors: result.errors + result.non2xx,
  };
};

/** wrk writes `850.00us`, `1.20ms`, `1.02s`. */
function milliseconds(text: string | undefined): number {
  const match = /^([\d.]+)(us|ms|s)$/.exec(text ?? '');
  if (match === null) return Number.NaN;
  const scale = { us: 0.001, ms: 1, s: 1_000 }[match[2] as 'us' | 'ms' | 's'];
  return Number(match[1]) * scale;
}
