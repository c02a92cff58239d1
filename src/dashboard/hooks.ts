// What pages are wired with: the place, the pulse, and answers of the API that follow it.

import { useEffect, useState } from 'preact/hooks';
import { type Page, read, readPage } from './api.ts';
import { type LiveState, liveState, onLive } from './live.ts';
import { parsePlace, type Place } from './route.ts';

export function usePlace(): Place {
  const [place, setPlace] = useState(() => parsePlace(location.hash));
  useEffect(() => {
    const follow = (): void => setPlace(parsePlace(location.hash));
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  return place;
}

export function useLive(): LiveState {
  const [state, setState] = useState(liveState);
  useEffect(() => onLive(() => setState(liveState())), []);
  return state;
}

export interface Answer<T> {
  /** Of the last answer, also while the next one is on its way; null before the first. */
  readonly data: T | null;
  readonly problem: string | null;
}

/** One object; asked for again when the configuration or a server's health changes. */
export function useRead<T>(path: string): Answer<T> {
  return useAnswer(path, read<T>);
}

/** One page of a list. */
export function useList<T>(path: string): Answer<Page<T>> {
  return useAnswer(path, readPage<T>);
}

function useAnswer<T>(path: string, ask: (path: string, signal: AbortSignal) => Promise<T>): Answer<T> {
  const [answer, setAnswer] = useState<Answer<T> & { readonly path: string }>({
    path,
    data: null,
    problem: null,
  });
  const pulse = usePulse();
  useEffect(() => {
    const stop = new AbortController();
    ask(path, stop.signal).then(
      (data) => setAnswer({ path, data, problem: null }),
      (error: unknown) => {
        if (stop.signal.aborted) return;
        const problem = error instanceof Error ? error.message : 'no answer';
        setAnswer((before) => ({ path, data: before.path === path ? before.data : null, problem }));
      },
    );
    return () => stop.abort();
  }, [path, pulse]);
  // Rows of another page stay until the new ones are there: nothing jumps.
  return answer;
}

/** Changes with the configuration, and with servers that come and go. */
function usePulse(): string {
  const pulseOf = ({ answer, events }: LiveState): string =>
    `${answer?.version ?? 0} ${answer?.hash ?? ''} ${events[0]?.at ?? 0} ${answer?.diagnostics.errors ?? 0} ${answer?.diagnostics.warnings ?? 0}`;
  const [pulse, setPulse] = useState(() => pulseOf(liveState()));
  useEffect(() => onLive(() => setPulse(pulseOf(liveState()))), []);
  return pulse;
}

/** Changes every few seconds: for texts that say how long ago. Milliseconds. */
export function useNow(every = 5_000): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), every);
    return () => clearInterval(timer);
  }, [every]);
  return now;
}
