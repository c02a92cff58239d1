// What a run leaves behind, and how rounds become one number.

import type { Machine } from './machine.ts';
import type { Sample } from './scenario.ts';
import { median, spread } from './statistics.ts';

export interface ResultFile {
  readonly format: 1;
  readonly startedAt: string;
  /** It was stopped before its end. */
  readonly isPartial?: boolean;
  readonly machine: Machine;
  readonly setup: {
    readonly seconds: number;
    readonly rounds: number;
    readonly driver: string;
    readonly minutes?: number;
  };
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
  /** Null where the driver sets the pace and does not say how far it came, as is `cpu`. */
  readonly perSecond: number | null;
  /** Microseconds of user and system time of the proxy's processes, per request. */
  readonly cpu: number | null;
  /** Bytes at the peak, summed over the proxy's processes, since its start. */
  readonly peakRss: number;
}

export type Read = (round: Measured) => number | null;

/** Null when no round has it. */
export function medianOf(row: Row, read: Read): number | null {
  return median(valuesOf(row, read));
}

/** How far apart the rounds lie, as a share of their median; null with fewer than two. */
export function spreadOf(row: Row, read: Read): number | null {
  return spread(valuesOf(row, read));
}

/** One for each round that has it. */
export function valuesOf(row: Row, read: Read): readonly number[] {
  return row.rounds.map(read).filter((value): value is number => value !== null && Number.isFinite(value));
}

export function errorsOf(row: Row): number {
  return row.rounds.reduce((sum, round) => sum + round.errors, 0);
}

export function figureNames(row: Row): readonly string[] {
  return [...new Set(row.rounds.flatMap((round) => Object.keys(round.figures ?? {})))];
}

export function titleOf(cell: Pick<Cell, 'scenario' | 'case'>): string {
  return cell.case === '' ? cell.scenario : `${cell.scenario}, ${cell.case}`;
}
