// What a run leaves behind, and how rounds become one number.

import type { Machine } from './machine.ts';
import type { Sample } from './scenario.ts';

export interface ResultFile {
  readonly format: 1;
  readonly startedAt: string;
  readonly machine: Machine;
  readonly setup: { readonly seconds: number; readonly rounds: number; readonly driver: string };
  readonly rows: readonly Row[];
  readonly skipped: readonly Skipped[];
}

/** Where a measurement belongs; the label names how a peer did it. */
export interface Cell {
  readonly scenario: string;
  readonly case: string;
  readonly peer: string;
  readonly label: string;
  readonly cores: number;
}

export interface Row extends Cell {
  readonly rounds: readonly Measured[];
}

export interface Skipped extends Cell {
  readonly reason: string;
}

export interface Measured extends Sample {
  /** Null where the driver sets the pace, as is `cpu`. */
  readonly perSecond: number | null;
  /** Microseconds of user and system time of the proxy's processes, per request. */
  readonly cpu: number | null;
  /** Bytes at the peak, summed over the proxy's processes, since its start. */
  readonly peakRss: number;
}

export type Read = (round: Measured) => number | null;

/** Null when no round has it. */
export function medianOf(row: Row, read: Read): number | null {
  const values = valuesOf(row, read);
  const middle = values.length >> 1;
  const upper = values[middle];
  if (upper === undefined) return null;
  return values.length % 2 === 1 ? upper : ((values[middle - 1] ?? upper) + upper) / 2;
}

/** How far apart the rounds lie, as a share of their median; null with fewer than two. */
export function spreadOf(row: Row, read: Read): number | null {
  const values = valuesOf(row, read);
  const median = medianOf(row, read);
  const [least, most] = [values[0], values.at(-1)];
  if (values.length < 2 || median === null || median === 0) return null;
  return least === undefined || most === undefined ? null : (most - least) / median;
}

export function errorsOf(row: Row): number {
  return row.rounds.reduce((sum, round) => sum + round.errors, 0);
}

export function figureNames(row: Row): readonly string[] {
  return [...new Set(row.rounds.flatMap((round) => Object.keys(round.figures ?? {})))];
}

export function titleOf(cell: Cell): string {
  return cell.case === '' ? cell.scenario : `${cell.scenario}, ${cell.case}`;
}

function valuesOf(row: Row, read: Read): number[] {
  return row.rounds
    .map(read)
    .filter((value): value is number => value !== null && Number.isFinite(value))
    .sort((one, other) => one - other);
}
