// `top` in a terminal: each second another picture in the place of the last, until a key or signal ends it.

import { setTimeout as wait } from 'node:timers/promises';
import { styleText } from 'node:util';
import type { Asking } from './ask.ts';
import { frame, rowsAbove } from './frame.ts';
import { numbersOf } from './numbers.ts';
import { type Key, openScreen } from './screen.ts';
import { look, outdated, type Seen } from './seen.ts';
import { printable } from './words.ts';

interface State {
  seen: Seen;
  /** When `seen` was seen: milliseconds since 1970. */
  at: number;
  problem: string | null;
  skipped: number;
  isPaused: boolean;
}

/** Resolves to the exit code; the terminal is as it was then. */
export async function watch(asking: Asking, first: Seen, color: boolean): Promise<number> {
  const state: State = { seen: first, at: Date.now(), problem: null, skipped: 0, isPaused: false };
  const ending = new AbortController();
  const draw = (): void => screen.show(rowsOf(state, asking.endpoint, { ...screen.size(), color }));
  const onKey = (key: Key): void => {
    if (key === 'quit') return ending.abort();
    press(key, state);
    draw();
  };
  const screen = openScreen({ onKey, onResize: draw });
  try {
    draw();
    while (!ending.signal.aborted) {
      await follow(asking, state, ending.signal);
      if (!state.isPaused && !ending.signal.aborted) draw();
    }
  } finally {
    screen.close();
  }
  return 0;
}

function press(key: Exclude<Key, 'quit'>, state: State): void {
  const last = Math.max(0, state.seen.errors.length - 1);
  if (key === 'up') state.skipped = Math.max(0, state.skipped - 1);
  else if (key === 'down') state.skipped = Math.min(last, state.skipped + 1);
  else if (key === 'first') state.skipped = 0;
  else state.isPaused = !state.isPaused;
}

async function follow(asking: Asking, state: State, signal: AbortSignal): Promise<void> {
  try {
    const seen = await look({ ...asking, signal }, state.seen);
    state.problem = null;
    if (state.isPaused) return;
    state.seen = seen;
    state.at = Date.now();
    state.skipped = Math.min(state.skipped, Math.max(0, seen.errors.length - 1));
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    state.seen = outdated(state.seen);
    state.problem = printable(message === '' ? (code ?? 'failed') : message);
    await wait(1000, undefined, { signal }).catch(() => {});
  }
}

interface Look {
  readonly width: number;
  readonly height: number;
  readonly color: boolean;
}

function rowsOf(state: State, endpoint: string, { width, height, color }: Look): string[] {
  const { seen, at, problem, skipped, isPaused } = state;
  const errorRows = Math.max(0, height - rowsAbove - 2);
  const numbers = numbersOf(seen, endpoint, at);
  const rows = frame({ numbers, points: seen.points, width, errorRows, skipped, color, problem });
  const keys = `q quit  ↑↓ errors  p ${isPaused ? 'go on' : 'hold'}`.slice(0, width);
  while (rows.length < height - 1) rows.push('');
  return [...rows.slice(0, height - 1), color ? styleText('dim', keys, { validateStream: false }) : keys];
}
