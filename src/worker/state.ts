// Where this worker's state is: with the primary, or, when it is the only worker, in its own memory.

import type { ToWorker } from '../model/ipc.ts';
import { MemoryState } from '../state/memory.ts';
import { RemoteState } from '../state/remote.ts';
import type { BucketSpec, State, Take } from '../state/state.ts';
import type { Report } from './report.ts';

export type ForState = Extract<ToWorker, { type: 'state-answer' | 'state-keep' | 'state-give' }>;

export function isForState(message: ToWorker): message is ForState {
  const { type } = message;
  return type === 'state-answer' || type === 'state-keep' || type === 'state-give';
}

/** Asks the primary until it is told to keep the state itself. */
export class WorkerState implements State {
  readonly #report: Report;
  readonly #remote: RemoteState;
  /** Null while the primary holds it. */
  #own: MemoryState | null = null;

  constructor(report: Report) {
    this.#report = report;
    this.#remote = new RemoteState({
      send(calls) {
        report(calls);
        return process.connected;
      },
    });
  }

  take(bucket: BucketSpec, key: string): Take | Promise<Take> {
    return (this.#own ?? this.#remote).take(bucket, key);
  }

  enter(space: string, limit: number, key: string): boolean | Promise<boolean> {
    return (this.#own ?? this.#remote).enter(space, limit, key);
  }

  leave(space: string, key: string): void {
    (this.#own ?? this.#remote).leave(space, key);
  }

  obey(message: ForState): void {
    if (message.type === 'state-answer') this.#remote.answered(message, this.#own);
    else if (message.type === 'state-keep') this.#keep(message);
    else this.#give();
  }

  close(): void {
    this.#own?.close();
    this.#remote.close();
  }

  #keep(message: Extract<ForState, { type: 'state-keep' }>): void {
    this.#own?.close();
    this.#own = new MemoryState();
    this.#own.load(message.dump);
    this.#remote.settle(this.#own);
  }

  #give(): void {
    const own = this.#own;
    this.#own = null;
    this.#report({ type: 'state-given', dump: own?.dump() ?? { buckets: [], counts: [] } });
    own?.close();
  }
}
