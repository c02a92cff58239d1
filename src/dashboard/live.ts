// The pulse of the page: asks for the next second again and again, and tells whoever shows something of it.

import { read } from './api.ts';
import { merged } from './summary.ts';
import type { LiveAnswer, LiveEvent, Point, RecentError } from './types.ts';

export interface LiveState {
  readonly points: readonly Point[];
  readonly errors: readonly RecentError[];
  readonly events: readonly LiveEvent[];
  /** Of the last answer; null before the first. */
  readonly answer: LiveAnswer | null;
  /** Null: all is well. */
  readonly problem: string | null;
}

let state: LiveState = { points: [], errors: [], events: [], answer: null, problem: null };
const listeners = new Set<() => void>();

export function liveState(): LiveState {
  return state;
}

/** How to stop listening. */
export function onLive(listener: () => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** To be called once; runs as long as the page. */
export async function followLive(): Promise<never> {
  let failures = 0;
  for (;;) {
    if (document.hidden) await shown();
    const began = performance.now();
    const isNew = await step();
    failures = state.problem === null ? 0 : failures + 1;
    // The gateway holds each question until there is something: a quick "nothing" is its way to say it is busy.
    const pause = failures > 0 ? Math.min(10_000, 1000 * 2 ** failures) : isNew ? 0 : 1000;
    if (pause > 0) await sleep(Math.max(200, pause - (performance.now() - began)));
  }
}

async function step(): Promise<boolean> {
  const after = state.points.at(-1)?.at ?? 0;
  const revision = state.answer?.revision ?? 0;
  try {
    const answer = await read<LiveAnswer>(
      `portcullis/live?after=${after}&revision=${revision}`,
      AbortSignal.timeout(8_000),
    );
    const first = answer.points[0];
    // Another process answers: its seconds begin anew.
    const kept = first !== undefined && first.at <= after ? [] : state.points;
    publish({
      points: merged(kept, answer.points),
      errors: answer.errors ?? state.errors,
      events: answer.events ?? state.events,
      answer,
      problem: null,
    });
    return answer.points.length > 0;
  } catch (error) {
    publish({ ...state, problem: error instanceof Error ? error.message : 'no answer' });
    return false;
  }
}

function publish(next: LiveState): void {
  state = next;
  for (const listener of listeners) listener();
}

function shown(): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (document.hidden) return;
      document.removeEventListener('visibilitychange', look);
      resolve();
    };
    document.addEventListener('visibilitychange', look);
  });
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
