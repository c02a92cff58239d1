// What a fault did to the client, in numbers, and the rows of the table that docs/high-availability.md shows.

import { limit } from './ha-config.ts';
import type { Pair } from './ha-pair.ts';
import type { Kind, Row, Seen } from './ha-client.ts';

/** Runs of every fault: the table's numbers are made with `HA_RUNS=3` or more, a check needs one. */
export const runs = Math.min(20, Math.max(1, Number(process.env['HA_RUNS'] ?? '1')));

export interface Damage {
  readonly asked: number;
  /** Refusals by a limit, and sessions that had to begin anew, are not among them. */
  readonly failed: readonly Row[];
  /** Milliseconds from the fault to the start of the last request that failed; 0 for none. */
  readonly lasted: number;
  /** Longest answer, milliseconds. */
  readonly slowest: number;
  /** 99 of 100 answers took no longer, milliseconds: before the fault, and after it. */
  readonly p99Before: number;
  readonly p99: number;
  /** Sticky answers from another server, and sessions that had to begin anew. */
  readonly strayed: number;
  readonly lost: number;
  /** Questions to the auth server after the fault: all users were let in before it. */
  readonly asksAgain: number;
  /** The most that a limit let through in any second or ten, as a multiple of what it may.. */
  readonly excess: number;
  readonly text: string;
}

/** `at` is when the fault was made, in milliseconds since 1970. */
export function damageOf(seen: Seen, at: number, asksAgain = 0): Damage {
  const failed = seen.rows.filter((row) => isFailure(row));
  const lasted = Math.max(0, ...failed.map(([started]) => started - at));
  const answered = seen.rows.filter(([, , , outcome]) => outcome === '200');
  const slowest = Math.round(Math.max(0, ...answered.map(([, , took]) => took)));
  const p99Before = p99Of(answered.filter(([started]) => started < at));
  const p99 = p99Of(answered.filter(([started]) => started >= at));
  const kinds = Object.entries(Object.groupBy(failed, ([, kind, , outcome]) => `${kind} ${outcome}`));
  const codes = Object.entries(Object.groupBy(seen.closed, ([, code]) => String(code)));
  const excess = Math.max(excessOf(seen, 'limited'), excessOf(seen, 'strict'));
  const list = (entries: readonly (readonly [string, readonly unknown[] | undefined])[]): string =>
    entries.map(([name, all]) => `${name}: ${all?.length}`).join(', ') || 'none';
  const text =
    `${seen.rows.length} asked, ${failed.length} failed (${list(kinds)}), the last ${lasted} ms after the fault; ` +
    `slowest ${slowest} ms, p99 ${p99Before} ms before it, ${p99} ms after; WebSockets closed: ${list(codes)}; kept connections repeated: ${seen.repeated}; ` +
    `strayed: ${seen.strayed}; sessions begun anew: ${seen.lost}; asked the auth server again: ${asksAgain}; ` +
    `limits: ${excess.toFixed(2)} of their value`;
  const { strayed, lost } = seen;
  return {
    asked: seen.rows.length,
    failed,
    lasted,
    slowest,
    p99Before,
    p99,
    strayed,
    lost,
    asksAgain,
    excess,
    text,
  };
}

/** What happens to the client while `fault` is made; it has been running for a while before. */
export async function underLoad(
  pair: Pair,
  fault: () => Promise<void>,
  { patience = 1_000, before = 2_000 }: { readonly patience?: number; readonly before?: number } = {},
): Promise<Damage> {
  const client = await pair.startClient(patience);
  await new Promise((resolve) => setTimeout(resolve, before));
  const questions = pair.questions();
  const at = Date.now();
  try {
    await fault();
  } catch (error) {
    await client.stop();
    throw error;
  }
  const again = pair.questions() - questions;
  return damageOf(await client.stop(), at, again);
}

/**
 * What nodes share is asked of Redis within 50 ms. On a machine where answers take twice that, a question or two come
 * too late, which is no fault of what is tested.
 */
export function keepsShared({ p99Before, p99, strayed, lost, asksAgain }: Damage): boolean {
  return strayed + lost + asksAgain <= (Math.max(p99Before, p99) > 100 ? 3 : 0);
}

const rows = new Map<string, number[]>();

/** One run's number for a row of the table. */
export function note(row: string, value: number): void {
  const values = rows.get(row) ?? [];
  rows.set(row, values);
  values.push(value);
}

/** Prints the rows: median, worst, runs. */
export function printRows(): void {
  for (const [row, values] of rows) {
    const sorted = values.toSorted((one, other) => one - other);
    const median = sorted[(sorted.length - 1) >> 1] ?? 0;
    process.stdout.write(`| ${row} | ${show(median)}, ${show(sorted.at(-1) ?? 0)} | ${values.length} |\n`);
  }
}

function p99Of(answered: readonly Row[]): number {
  const sorted = answered.map(([, , took]) => took).toSorted((one, other) => one - other);
  return Math.round(sorted[Math.floor(sorted.length * 0.99)] ?? 0);
}

function isFailure([, kind, , outcome]: Row): boolean {
  const isLimit = kind === 'limited' || kind === 'strict';
  return outcome !== '200' && !(isLimit && outcome === '429') && !(kind === 'session' && outcome === 'lost');
}

/** Over every window of a second and of ten. */
function excessOf({ rows: all }: Seen, kind: Kind): number {
  const passed = all
    .filter((row) => row[1] === kind && row[3] === '200')
    .map(([at]) => at)
    .toSorted((one, other) => one - other);
  let worst = 0;
  for (const seconds of [1, 10]) {
    const allowed = limit.burst + limit.average * seconds;
    for (let first = 0, last = 0; last < passed.length; last += 1) {
      while ((passed[last] as number) - (passed[first] as number) > seconds * 1000) first += 1;
      worst = Math.max(worst, (last - first + 1) / allowed);
    }
  }
  return worst;
}

function show(value: number): string {
  return String(Math.round(value * 100) / 100);
}
