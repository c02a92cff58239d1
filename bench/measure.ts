// One case: every peer started, warmed up and measured in interleaved rounds.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Peer, Place, Plan } from './peers/peer.ts';
import { cpuBetween, cpuTimes, memoryOf, openFilesLimit, treeOf } from './proc.ts';
import { freePort, type Running, startProgram } from './processes.ts';
import type { Cell, Measured, Row, Skipped } from './result.ts';
import type { Case, RoundOptions, Scenario, Subject } from './scenario.ts';
import type { Backends, Site } from './site.ts';

export interface Bench {
  readonly peers: readonly Peer[];
  readonly backends: Backends;
  readonly cores: number;
  readonly rounds: number;
  readonly round: RoundOptions;
  /** Progress. */
  say(line: string): void;
}

export interface Outcome {
  readonly rows: readonly Row[];
  readonly skipped: readonly Skipped[];
}

const warmUpSeconds = 3;
/** Other files this process has open. */
const ownFiles = 200;

export async function measureCase(scenario: Scenario, one: Case, bench: Bench): Promise<Outcome> {
  const entrants: Entrant[] = [];
  const skipped: Skipped[] = [];
  const skip = (cell: Cell, reason: string): void => {
    skipped.push({ ...cell, reason });
    bench.say(`  !! ${cell.label}: ${reason}`);
  };
  for (const peer of bench.peers) {
    const cell = {
      scenario: scenario.name,
      case: one.name,
      peer: peer.name,
      label: peer.name,
      cores: bench.cores,
    };
    const unable = unableOf(one, peer);
    if (unable !== null) {
      skip(cell, unable);
      continue;
    }
    const place = await placeOf(peer, bench);
    const plan = peer.plan(one.site, place);
    if ('unable' in plan) skip(cell, plan.unable);
    else
      entrants.push({ peer, place, plan, cell: { ...cell, label: plan.label }, rounds: [], subject: null });
  }
  const failed = await runRounds(one, entrants, bench);
  for (const [entrant, reason] of failed) skip(entrant.cell, reason);
  const rows = entrants.flatMap(({ cell, rounds }) => (rounds.length === 0 ? [] : [{ ...cell, rounds }]));
  return { rows, skipped };
}

interface Entrant {
  readonly peer: Peer;
  readonly place: Place;
  readonly plan: Plan;
  readonly cell: Cell;
  readonly rounds: Measured[];
  subject: (Subject & { readonly running: Running }) | null;
}

function unableOf(one: Case, peer: Peer): string | null {
  if (one.peers !== undefined && !one.peers.includes(peer.name)) return 'not part of this scenario';
  const limit = openFilesLimit();
  const needed = (one.files ?? 0) + ownFiles;
  return needed > limit ? `needs ${needed} open files and may have ${limit}: raise ulimit -n` : null;
}

let places = 0;

async function placeOf(peer: Peer, bench: Bench): Promise<Place> {
  const folder = join(bench.round.folder, `${++places}-${peer.name}`);
  mkdirSync(folder, { recursive: true });
  const { backends, cores } = bench;
  return { folder, port: await freePort(), adminPort: await freePort(), backends, cores };
}

/** The entrants that gave up, with the reason. */
async function runRounds(
  one: Case,
  entrants: readonly Entrant[],
  bench: Bench,
): Promise<Map<Entrant, string>> {
  const failed = new Map<Entrant, string>();
  const attempt = async (entrant: Entrant, work: () => Promise<void>): Promise<void> => {
    if (failed.has(entrant)) return;
    await work().catch((error: unknown) => failed.set(entrant, messageOf(error)));
  };
  const isFresh = one.fresh === true;
  try {
    for (const entrant of isFresh ? [] : entrants) {
      await attempt(entrant, async () => {
        entrant.subject = await start(one.site, entrant);
        // Compiled code, open connections, filled caches.
        const seconds = Math.min(warmUpSeconds, 2 * bench.round.seconds);
        await one.load(entrant.subject, { ...bench.round, seconds });
      });
    }
    for (let round = 1; round <= bench.rounds; round += 1) {
      for (const entrant of entrants) {
        await attempt(entrant, async () => {
          if (isFresh) entrant.subject = await start(one.site, entrant);
          await measureRound(one, entrant, bench, `round ${round}`);
          if (isFresh) await entrant.subject?.running.stop();
        });
      }
    }
  } finally {
    await Promise.all(entrants.flatMap((entrant) => entrant.subject?.running.stop() ?? []));
  }
  return failed;
}

async function measureRound(one: Case, entrant: Entrant, bench: Bench, title: string): Promise<void> {
  const { subject } = entrant;
  if (subject === null) return;
  const before = cpuTimes(subject.pids());
  const sample = await one.load(subject, bench.round);
  const pids = subject.pids();
  if (pids.length === 0) throw new Error('it ended while it was measured');
  const micros = cpuBetween(before, cpuTimes(pids));
  const { requests } = sample;
  if (requests === 0) throw new Error(`no request was answered, ${sample.errors} errors`);
  const perCpuSecond = one.bytes !== undefined && micros > 0 ? (requests * one.bytes) / micros : null;
  const measured: Measured = {
    ...sample,
    figures: { ...sample.figures, ...(perCpuSecond !== null && { 'MB/CPU s': perCpuSecond }) },
    perSecond: sample.isPaced === true ? null : sample.requests / sample.seconds,
    cpu: sample.isPaced === true ? null : micros / requests,
    peakRss: memoryOf(pids, 'VmHWM'),
  };
  entrant.rounds.push(measured);
  bench.say(`  ${title}, ${entrant.cell.label}: ${lineOf(measured)}`);
}

async function start(site: Site, { place, plan, peer }: Entrant): Promise<NonNullable<Entrant['subject']>> {
  write(plan);
  const route = site.routes.at(-1);
  const probe = { port: place.port, path: route?.probe ?? route?.path ?? '/', host: route?.host ?? 'bench' };
  const running = await startProgram(plan.program, probe);
  return {
    running,
    port: place.port,
    backends: place.backends,
    bootMs: running.bootMs,
    pids: () => treeOf(running.pid),
    async reload(next) {
      const nextPlan = peer.plan(next, place);
      if ('unable' in nextPlan) throw new Error(nextPlan.unable);
      write(nextPlan);
      await nextPlan.reload(running.pid);
    },
  };
}

function write(plan: Plan): void {
  for (const [file, text] of Object.entries(plan.files)) writeFileSync(file, text);
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
