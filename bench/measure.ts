// One case: every peer started, warmed up and measured in interleaved rounds.

import { type Entrant, enter, startEntrant } from './entrant.ts';
import type { Peer } from './peers/peer.ts';
import { cpuBetween, cpuTimes, memoryOf } from './proc.ts';
import type { Cell, Measured, Skipped } from './result.ts';
import type { Case, RoundOptions, Scenario } from './scenario.ts';
import type { Backends } from './site.ts';

export interface Bench {
  readonly peers: readonly Peer[];
  readonly backends: Backends;
  readonly cores: number;
  readonly rounds: number;
  readonly round: RoundOptions;
  readonly found: Found;
  /** Progress. */
  say(line: string): void;
}

/** Filled while it is measured: what was found so far is never lost. */
export interface Found {
  readonly rows: { readonly cell: Cell; readonly rounds: readonly Measured[] }[];
  readonly skipped: Skipped[];
}

/** Seconds; what does not compile while it runs only opens connections and fills caches. */
export const warmUps: { readonly compiles: number; readonly else: number } = { compiles: 2, else: 1 };
/** The best of some short looks: a neighbour on the machine must not pass for saturation. */
export const saturationLooks = 3;
const lookSeconds = 1;

const briefSeconds = 1;

/** Of one round of a case, where the run has rounds of `seconds`. */
export function roundSeconds(one: Case, seconds: number): number {
  return one.brief === true ? Math.min(briefSeconds, seconds) : seconds;
}

export async function measureCase(scenario: Scenario, one: Case, bench: Bench): Promise<void> {
  const field = { backends: bench.backends, cores: bench.cores, folder: bench.round.folder };
  const entrants: Entrant[] = [];
  for (const peer of bench.peers) {
    const entered = await enter(scenario, one, peer, field);
    if ('reason' in entered) skip(bench, entered);
    else entrants.push(entered);
  }
  bench.found.rows.push(...entrants);
  const attempt = attemptWith(bench);
  try {
    if (one.fresh !== true) await startAll(one, entrants, bench, attempt);
    const rate = await rateOf(one, entrants, bench);
    const round = { ...bench.round, rate, seconds: roundSeconds(one, bench.round.seconds) };
    if (one.together === true) {
      await Promise.all(entrants.map((entrant) => attempt(entrant, () => measureRound(one, entrant, round))));
    } else {
      for (let i = 1; i <= bench.rounds; i += 1) {
        for (const entrant of entrants) await attempt(entrant, () => runRound(one, entrant, round));
      }
    }
  } finally {
    await Promise.all(entrants.flatMap((entrant) => entrant.subject?.running.stop() ?? []));
  }
}

type Attempt = (entrant: Entrant, work: () => Promise<void>) => Promise<void>;

/** Who failed once is left alone, and what it measured before stays. */
function attemptWith(bench: Bench): Attempt {
  const failed = new Set<Entrant>();
  return async (entrant, work) => {
    if (failed.has(entrant)) return;
    const before = entrant.rounds.length;
    try {
      await work();
      const last = entrant.rounds.at(-1);
      if (entrant.rounds.length === before || last === undefined) return;
      bench.say(`  round ${entrant.rounds.length}, ${entrant.cell.label}: ${lineOf(last)}`);
    } catch (error) {
      failed.add(entrant);
      skip(bench, { ...entrant.cell, reason: messageOf(error) });
    }
  };
}

function skip(bench: Bench, skipped: Skipped): void {
  bench.found.skipped.push(skipped);
  bench.say(`  !! ${skipped.label}: ${skipped.reason}`);
}

async function startAll(
  one: Case,
  entrants: readonly Entrant[],
  bench: Bench,
  attempt: Attempt,
): Promise<void> {
  for (const entrant of entrants) {
    await attempt(entrant, async () => {
      entrant.subject = await startEntrant(entrant);
      if (one.together === true) return;
      const longest = entrant.peer.compiles === true ? warmUps.compiles : warmUps.else;
      const seconds = Math.min(longest, 2 * roundSeconds(one, bench.round.seconds));
      await (one.saturation?.load ?? one.load)(entrant.subject, { ...bench.round, seconds });
    });
  }
}

/** The rate everyone gets, where the case wants one. */
async function rateOf(one: Case, entrants: readonly Entrant[], bench: Bench): Promise<number | null> {
  if (one.saturation === undefined) return null;
  const ours = entrants.find((entrant) => entrant.peer.command === null)?.subject ?? null;
  if (ours === null) return null;
  let most = 0;
  for (let look = 0; look < saturationLooks; look += 1) {
    const { requests, seconds } = await one.saturation.load(ours, { ...bench.round, seconds: lookSeconds });
    most = Math.max(most, requests / seconds);
  }
  const rate = Math.round(most * one.saturation.share);
  bench.say(`  ours is saturated at ${Math.round(most)}/s: everyone gets ${rate}/s`);
  return rate;
}

async function runRound(one: Case, entrant: Entrant, round: RoundOptions): Promise<void> {
  if (one.fresh === true) entrant.subject = await startEntrant(entrant);
  await measureRound(one, entrant, round);
  if (one.fresh === true) await entrant.subject?.running.stop();
}

async function measureRound(one: Case, entrant: Entrant, round: RoundOptions): Promise<void> {
  const { subject } = entrant;
  if (subject === null) return;
  const before = cpuTimes(subject.pids());
  const sample = await one.load(subject, round);
  const pids = subject.pids();
  if (pids.length === 0) throw new Error('it ended while it was measured');
  const micros = cpuBetween(before, cpuTimes(pids));
  const { requests } = sample;
  if (requests === 0) throw new Error(`no request was answered, ${sample.errors} errors`);
  const perCpuSecond = one.bytes !== undefined && micros > 0 ? (requests * one.bytes) / micros : null;
  // Where the driver waits between requests, what the proxy does besides is not theirs: the sum is given.
  const paced = sample.isPaced === true && sample.figures?.['CPU ms'] === undefined;
  const figures = {
    ...sample.figures,
    ...(perCpuSecond !== null && { 'MB/CPU s': perCpuSecond }),
    ...(paced && { 'CPU ms': micros / 1_000 }),
  };
  entrant.rounds.push({
    ...sample,
    figures,
    perSecond: sample.isPaced === true ? null : requests / sample.seconds,
    cpu: sample.isPaced === true ? null : micros / requests,
    peakRss: memoryOf(pids, 'VmHWM'),
  });
}

function lineOf(round: Measured): string {
  const { perSecond, cpu, p99, errors } = round;
  const rates =
    perSecond === null || cpu === null ? [] : [`${perSecond.toFixed(0)}/s`, `${cpu.toFixed(1)} µs`];
  const figures = Object.entries(round.figures ?? {}).map(([name, value]) => `${value.toFixed(1)} ${name}`);
  const latency = p99 === null ? [] : [`p99 ${p99.toFixed(2)} ms`];
  return [...rates, ...latency, ...figures, ...(errors > 0 ? [`${errors} errors`] : [])].join(', ');
}

function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 1_000);
}
