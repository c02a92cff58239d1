// The walk from the first SIGTERM to the last exit.

import type { Log } from '../observability/log.ts';
import type { Supervisor } from './supervisor.ts';

export interface Shutdown {
  /**
   * `/ping` says 503 while everything is still accepted for `requestAcceptGraceTimeout`, and clients are asked to
   * come again on another connection; then the listeners close and what runs has `graceTimeOut` to finish. Only the first call counts.
   */
  begin(reason: string): void;
  /** Without the time in which everything is still accepted: nobody supervises the workers any longer. */
  crash(): void;
  /** The same for a successor that serves on the same ports: whom `/ping` told of an end would leave both. */
  retire(): void;
  /** Skips what is left of it. */
  atOnce(): void;
  begun(): boolean;
  /** Settles when no worker is left. */
  readonly done: Promise<void>;
}

export interface GraceTimes {
  /** Milliseconds, the longest of all entry points. */
  readonly accept: number;
  readonly finish: number;
}

export function createShutdown(supervisor: Supervisor, times: GraceTimes, log: Log): Shutdown {
  const done = Promise.withResolvers<void>();
  const hurry = new AbortController();
  let begun = false;
  const walk = async (reason: string, accept: number): Promise<void> => {
    log.info({ reason, accept, finish: times.finish }, 'shutdown has begun');
    if (reason !== 'successor') supervisor.terminate(accept > 0);
    await sleep(accept, hurry.signal);
    await supervisor.stop(hurry.signal.aborted ? 0 : times.finish);
  };
  const once = (reason: string, accept: number): void => {
    if (begun) return;
    begun = true;
    walk(reason, accept).then(done.resolve, done.reject);
  };
  return {
    begin: (reason) => once(reason, times.accept),
    crash: () => once('exception', 0),
    retire: () => once('successor', 0),
    atOnce() {
      log.warn('shutdown at once');
      hurry.abort();
      supervisor.kill();
      if (!begun) done.resolve();
    },
    begun: () => begun,
    done: done.promise,
  };
}

function sleep(ms: number, stop: AbortSignal): Promise<void> {
  if (ms === 0 || stop.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    stop.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
