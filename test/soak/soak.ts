// A soak from its first request to its verdict.

import { setTimeout as wait } from 'node:timers/promises';
import { Ledger } from './ledger.ts';
import { bounds, type NodeName, stallMost } from './plan.ts';
import { type Scene, setScene } from './scene.ts';
import { startTraffic } from './traffic.ts';
import { upset } from './upheaval.ts';
import { type Check, judge } from './verdict.ts';
import { openWatch, type Sample } from './watch.ts';

export interface SoakOptions {
  readonly minutes: number;
  /** Seconds from one reload to the next; all else follows from it. */
  readonly period: number;
  /** Periods between two restarts of Redis. */
  readonly redisEvery: number;
  /** Seconds between two looks. */
  readonly look: number;
  /** 1 is the pace of the plan. */
  readonly scale: number;
  /** Ends it early, in good order. */
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

export interface SoakResult {
  readonly passed: boolean;
  readonly isInterrupted: boolean;
  readonly startedAt: string;
  /** `performance.now()` of the first request. */
  readonly begun: number;
  readonly minutes: number;
  readonly perSecond: number;
  /** Microseconds. */
  readonly cpuPerRequest: number;
  readonly checks: readonly Check[];
  readonly ledger: Ledger;
  readonly samples: readonly Sample[];
  /** What the gateways logged at level warn and above, by node. */
  readonly logs: ReadonlyMap<NodeName, string>;
  /** What ended it before its time. */
  readonly error: string | null;
}

export async function soak(options: SoakOptions): Promise<SoakResult> {
  const startedAt = new Date().toISOString();
  const scene = await setScene(options.look * 1000);
  const ledger = new Ledger();
  const samples: Sample[] = [];
  const begun = performance.now();
  let exitCodes: readonly (number | null)[] = [];
  let error: string | null = null;
  const logs = new Map<NodeName, string>();
  try {
    await run(scene, ledger, samples, options);
  } catch (reason) {
    error = reason instanceof Error ? (reason.stack ?? reason.message) : String(reason);
  } finally {
    exitCodes = await scene.stop();
    for (const { name, gateway } of scene.nodes) logs.set(name, linesThatMatter(gateway.logs()));
  }
  const minutes = (performance.now() - begun) / 60_000;
  const checks = judge({ ledger, samples, minutes, exitCodes }, bounds);
  const requests = [...ledger.counts.values()].reduce((sum, one) => sum + one.answered + one.failed, 0);
  return {
    passed: error === null && checks.every((one) => one.ok !== false),
    isInterrupted: options.signal.aborted,
    startedAt,
    begun,
    minutes,
    perSecond: requests / (minutes * 60),
    cpuPerRequest: (cpuOf(samples) * 1e6) / Math.max(1, requests),
    checks,
    ledger,
    samples,
    logs,
    error,
  };
}

async function run(scene: Scene, ledger: Ledger, samples: Sample[], options: SoakOptions): Promise<void> {
  const { signal, say } = options;
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  const traffic = startTraffic(scene, ledger, options.scale);
  const watch = openWatch(scene);
  const endStalls = noteStalls(ledger);
  const begun = performance.now();
  const end = begun + options.minutes * 60_000;
  const upheaval = upset(scene, ledger, {
    period: options.period * 1000,
    redisEvery: options.redisEvery,
    signal: either,
    say,
  });
  // It is awaited below; until then a failure only ends the loop.
  upheaval.catch(() => over.abort());
  const ended = await Promise.allSettled([look()]);
  over.abort();
  endStalls();
  ended.push(...(await Promise.allSettled([upheaval, traffic.stop()])));
  for (const one of ended) if (one.status === 'rejected') throw one.reason;

  async function look(): Promise<void> {
    for (let n = 1; performance.now() < end && !either.aborted; n += 1) {
      const due = Math.min(begun + n * options.look * 1000, end);
      await wait(Math.max(0, due - performance.now()), null, { signal: either }).catch(() => {});
      // One that cannot be taken, as while a worker is killed, is tried once more.
      const sample = await watch.look().catch(() => watch.look());
      samples.push(sample);
      say(progress(sample, ledger, performance.now() - begun));
    }
  }
}

/** Where a timer is late, the whole machine is, for nothing here takes so long. */
function noteStalls({ happened }: Ledger): () => void {
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    if (now - last > stallMost)
      happened.push({ event: 'stall', node: null, begun: last, ended: now, victims: new Set() });
    last = now;
  }, 20);
  return () => clearInterval(timer);
}

function linesThatMatter(log: string): string {
  const lines = log.split('\n').filter((line) => !/^\{"level":"(debug|info)"/.test(line));
  return `${lines.slice(-2_000).join('\n')}\n`;
}

function progress(sample: Sample, { counts, failures }: Ledger, since: number): string {
  const answered = [...counts.values()].reduce((sum, one) => sum + one.answered, 0);
  const memory = sample.processes
    .map((one) => `${one.role === 'primary' ? 'p' : 'w'}${(one.rss / 1_048_576).toFixed(0)}`)
    .join(' ');
  const fds = sample.processes.reduce((sum, one) => sum + one.fds, 0);
  const redis = sample.redis === null ? 'away' : `${sample.redis.keys} keys`;
  return `${(since / 1000).toFixed(0).padStart(5)} s  ${answered} answered, ${failures.length} failed; MiB ${memory}; ${fds} descriptors; Redis ${redis}`;
}

/** Seconds of all processes, those that have ended included as far as they were seen. */
function cpuOf(samples: readonly Sample[]): number {
  const first = new Map<number, number>();
  const last = new Map<number, number>();
  for (const [at, { processes }] of samples.entries()) {
    for (const { pid, cpu } of processes) {
      // Who comes later has spent nothing before.
      if (!first.has(pid)) first.set(pid, at === 0 ? cpu : 0);
      last.set(pid, cpu);
    }
  }
  let sum = 0;
  for (const [pid, cpu] of last) sum += cpu - (first.get(pid) ?? 0);
  return sum;
}
