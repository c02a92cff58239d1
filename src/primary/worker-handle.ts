// One worker as the primary sees it: its process, its state, and answers to wait for.

import type { Worker } from 'node:cluster';
import { open, seal } from '../model/envelope.ts';
import type { LiveCounts } from '../model/live.ts';
import type { WorkerMetrics } from '../model/metrics.ts';
import type { ApiRequest, SessionCalls, StateCalls, ToPrimary, ToWorker } from '../model/ipc.ts';

export interface WorkerExit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** In a few words, for the log. */
export function describeExit({ code, signal }: WorkerExit): string {
  return signal === null ? `exit code ${code ?? 'unknown'}` : `signal ${signal}`;
}

export interface WorkerHandle {
  readonly pid: number;
  /** `performance.now()` of the fork. */
  readonly started: number;
  state: 'starting' | 'running' | 'draining' | 'gone';
  /** Version of the last snapshot it confirmed; 0 before the first. */
  version: number;
  /** Settles when the process has ended. */
  readonly exited: Promise<WorkerExit>;
  /** False when the channel is closed: the worker is dying, its exit follows. */
  send(message: ToWorker): boolean;
  /** The first message that `pick` takes. Rejects with `WorkerLost` at exit or after `ms`. */
  wait<T>(pick: (message: ToPrimary) => T | null, ms: number): Promise<T>;
  kill(signal: NodeJS.Signals): void;
}

export interface WorkerEvents {
  readonly apiRequest: (from: WorkerHandle, id: number, request: ApiRequest) => void;
  readonly stateCalls: (from: WorkerHandle, calls: StateCalls) => void;
  readonly sessionCalls?: ((from: WorkerHandle, calls: SessionCalls) => void) | undefined;
  readonly live?: ((counts: LiveCounts) => void) | undefined;
  readonly metrics?: ((from: WorkerHandle, message: WorkerMetrics) => void) | undefined;
  readonly serverFails?: ((service: string, url: string) => void) | undefined;
  /** Another release of the sources answered: this worker cannot be spoken with. */
  readonly wrongProtocol: (from: WorkerHandle) => void;
}

/** A worker that did not answer: it ended, or it was too slow. */
export class WorkerLost extends Error {
  readonly why: 'exit' | 'timeout';

  constructor(why: 'exit' | 'timeout', pid: number, ms: number) {
    super(why === 'exit' ? `worker ${pid} ended` : `worker ${pid} gave no answer within ${ms} ms`);
    this.why = why;
  }
}

interface Waiter {
  readonly take: (message: ToPrimary) => boolean;
  readonly fail: (error: WorkerLost) => void;
}

export function attachWorker(worker: Worker, events: WorkerEvents): WorkerHandle {
  // Bounded by the callers: each waiter lives for its `ms` at most.
  const waiters = new Set<Waiter>();
  const exit = Promise.withResolvers<WorkerExit>();
  const pid = worker.process.pid ?? 0;
  const handle: WorkerHandle = {
    pid,
    started: performance.now(),
    state: 'starting',
    version: 0,
    exited: exit.promise,
    send: (message) => deliver(worker, message),
    wait: (pick, ms) => waitFor(waiters, handle, pick, ms),
    kill: (signal) => void worker.process.kill(signal),
  };
  worker.on('message', (value: unknown) => {
    const opened = open<ToPrimary>(value);
    if (opened.ok) receive(handle, waiters, events, opened.message);
    else if (opened.reason === 'version') events.wrongProtocol(handle);
  });
  // A failed fork or write; the exit that follows is what counts.
  worker.on('error', () => {});
  const ended = (code: number | null, signal: string | null): void => {
    if (handle.state === 'gone') return;
    handle.state = 'gone';
    for (const waiter of waiters) waiter.fail(new WorkerLost('exit', pid, 0));
    exit.resolve({ code, signal });
  };
  worker.on('exit', ended);
  if (worker.process.pid === undefined) queueMicrotask(() => ended(null, null));
  return handle;
}

function receive(handle: WorkerHandle, waiters: Set<Waiter>, events: WorkerEvents, message: ToPrimary): void {
  if (message.type === 'state-calls') {
    events.stateCalls(handle, message);
    return;
  }
  if (message.type === 'session-calls') {
    events.sessionCalls?.(handle, message);
    return;
  }
  if (message.type === 'live') {
    events.live?.(message.counts);
    return;
  }
  if (message.type === 'metrics') {
    events.metrics?.(handle, message);
    return;
  }
  if (message.type === 'server-fails') {
    events.serverFails?.(message.service, message.url);
    return;
  }
  if (message.type === 'api-request') {
    events.apiRequest(handle, message.id, message.request);
    return;
  }
  if (message.type === 'ack') handle.version = message.version;
  for (const waiter of waiters) if (waiter.take(message)) return;
}

function deliver(worker: Worker, message: ToWorker): boolean {
  if (!worker.isConnected()) return false;
  try {
    worker.send(seal(message), () => {});
    return true;
  } catch {
    return false;
  }
}

/**
 * Milliseconds by which a timer is late when not a busy machine, but whoever stops processes has held it up: then he
 * has stopped the workers as well.
 */
const standstill = 1_000;
/** In one wait; a primary that is late again and again is merely too slow. */
const maxStandstills = 3;

function waitFor<T>(
  waiters: Set<Waiter>,
  handle: WorkerHandle,
  pick: (message: ToPrimary) => T | null,
  ms: number,
): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  if (handle.state === 'gone') {
    reject(new WorkerLost('exit', handle.pid, ms));
    return promise;
  }
  const fail = (error: WorkerLost): void => {
    clearTimeout(timer);
    waiters.delete(waiter);
    reject(error);
  };
  const waiter: Waiter = {
    take(message) {
      const picked = pick(message);
      if (picked === null) return false;
      clearTimeout(timer);
      waiters.delete(waiter);
      resolve(picked);
      return true;
    },
    fail,
  };
  let standstills = 0;
  const arm = (): NodeJS.Timeout => {
    const due = performance.now() + ms;
    return setTimeout(() => {
      const late = performance.now() - due;
      // After a pause of this process timers come before what has arrived: what was in time is read first.
      setImmediate(() => {
        if (!waiters.has(waiter)) return;
        if (late > standstill && standstills++ < maxStandstills) timer = arm();
        else fail(new WorkerLost('timeout', handle.pid, ms));
      });
    }, ms);
  };
  let timer = arm();
  waiters.add(waiter);
  return promise;
}
