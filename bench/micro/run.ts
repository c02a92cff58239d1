// The timer of the micro benches: tinybench, over batches, since one call is often shorter than a look at a clock.

import { Bench } from 'tinybench';

/** What a micro bench found; `--json` prints it as one line. */
export interface MicroResult {
  readonly title: string;
  /** Nanoseconds of one call: median over the batches. */
  readonly nanoseconds: number;
  /** Nanoseconds of the fastest batch: what it costs when nothing disturbs it. */
  readonly best: number;
  /** Median distance from the median, as a share of it. */
  readonly spread: number;
}

const batchMs = 0.5;
const measureMs = 250;
const warmUpMs = 100;
const maxBatch = 1_000_000;
const isJson = process.argv.includes('--json');

/** Measures `run`, which gets 0, 1, 2 … and returns something, so that it cannot be left out; prints one line. */
export function bench(title: string, run: (i: number) => unknown): void {
  const result = measure(title, run);
  if (isJson) process.stdout.write(`${JSON.stringify(result)}\n`);
  else process.stdout.write(`${title.padEnd(46)}${result.nanoseconds.toFixed(0).padStart(8)} ns\n`);
}

function measure(title: string, run: (i: number) => unknown): MicroResult {
  const batch = batchOf(run);
  let kept: unknown;
  let at = 0;
  const suite = new Bench({ time: measureMs, warmupTime: warmUpMs, throws: true });
  suite.add(title, () => {
    const startedAt = performance.now();
    for (const end = at + batch; at < end; at += 1) kept = run(at);
    const taken = performance.now() - startedAt;
    return { overriddenDuration: taken / batch, overriddenIterationCost: taken };
  });
  suite.runSync();
  if (kept === undefined) throw new Error('a bench must return what it made');
  const result = suite.tasks[0]?.result;
  if (result === undefined || !('latency' in result)) throw new Error(`${title} was not measured`);
  const { p50, min, mad } = result.latency;
  return { title, nanoseconds: p50 * 1e6, best: min * 1e6, spread: p50 > 0 ? mad / p50 : 0 };
}

/** Calls that take about `batchMs`. */
function batchOf(run: (i: number) => unknown): number {
  for (let size = 1; ; size *= 2) {
    const startedAt = performance.now();
    for (let i = 0; i < size; i += 1) run(i);
    if (performance.now() - startedAt > batchMs || size >= maxBatch) return size;
  }
}
