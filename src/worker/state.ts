// Where this worker's state is: in Redis, with the primary, or, when it is the only worker, in its own memory.

import type { ToWorker } from '../model/ipc.ts';
import type { RedisSettings } from '../model/redis.ts';
import type { StateOnError } from '../model/settings.ts';
import { MemoryState } from '../state/memory.ts';
import { connectRedis, type RedisConnection } from '../state/redis/connect.ts';
import type { RedisLog } from '../state/redis/reachability.ts';
import { RemoteState } from '../state/remote.ts';
import { SharedState, type StateMode } from '../state/shared.ts';
import type { BucketSpec, State, Take } from '../state/state.ts';
import type { Report } from './report.ts';

export type ForState = Extract<ToWorker, { type: 'state-answer' | 'state-keep' | 'state-give' }>;

export function isForState(message: ToWorker): message is ForState {
  const { type } = message;
  return type === 'state-answer' || type === 'state-keep' || type === 'state-give';
}

export interface WorkerStateOptions {
  /** Null: the state is this node's alone. */
  readonly redis: RedisConnection | null;
  readonly onError: StateOnError;
  readonly log: RedisLog;
}

/** Connections of single limits, beside the worker's own. */
const maxElsewhere = 16;

/** This node's own until it is told of a Redis. */
export class WorkerState implements State {
  readonly #near: NodeState;
  #shared: SharedState | null = null;
  #serving: State;
  #options: WorkerStateOptions | null = null;
  /** At most 16. */
  readonly #elsewhere = new Set<SharedState>();

  constructor(report: Report) {
    this.#near = new NodeState(report);
    this.#serving = this.#near;
  }

  /** Once, before the first request. */
  begin(options: WorkerStateOptions): void {
    this.#options = options;
    if (options.redis === null) return;
    this.#shared = new SharedState(options.redis, { ...options, near: this.#near });
    this.#serving = this.#shared;
  }

  /** Limits hold for all nodes, or cannot yet; at most a second after `begin`. Who listens earlier counts alone. */
  get arrived(): Promise<void> | undefined {
    return this.#shared?.arrived;
  }

  /** `memory` without a Redis. */
  get mode(): StateMode | 'memory' {
    return this.#shared?.mode ?? 'memory';
  }

  take(bucket: BucketSpec, key: string): Take | Promise<Take> {
    return this.#serving.take(bucket, key);
  }

  enter(space: string, limit: number, key: string): boolean | Promise<boolean> {
    return this.#serving.enter(space, limit, key);
  }

  leave(space: string, key: string): void {
    this.#serving.leave(space, key);
  }

  elsewhere(redis: RedisSettings, budget?: number): State {
    const options = this.#options;
    if (options === null || this.#elsewhere.size >= maxElsewhere)
      throw new Error(`limits use more than ${maxElsewhere} Redis of their own`);
    const connection = connectRedis(redis, options.log);
    const shared = new SharedState(connection, {
      ...options,
      near: this.#near,
      ...(budget === undefined ? {} : { budget }),
    });
    this.#elsewhere.add(shared);
    return {
      take: (bucket, key) => shared.take(bucket, key),
      enter: (space, limit, key) => shared.enter(space, limit, key),
      leave: (space, key) => shared.leave(space, key),
      close: () => {
        this.#elsewhere.delete(shared);
        shared.close();
        connection.close();
      },
    };
  }

  obey(message: ForState): void {
    this.#near.obey(message);
  }

  close(): void {
    this.#shared?.close();
    this.#near.close();
  }
}

/** What this node holds: asks the primary until it is told to keep the state itself. */
class NodeState implements State {
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
