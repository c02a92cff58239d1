// Keeps the wanted number of workers alive: starts, replaces, rolls and ends them.

import type { ToWorker } from '../model/ipc.ts';
import type { WorkerSettings } from '../model/settings.ts';
import type { Log } from '../observability/log.ts';
import { messageOf } from '../util/message-of.ts';
import { createBackoff, type Backoff } from './backoff.ts';
import { type Addresses, bringUp, catchUp, ListenFailed, type SnapshotSource } from './bring-up.ts';
import type { Fork } from './fork.ts';
import { drainSlack } from './limits.ts';
import { createHeldState } from './state.ts';
import {
  attachWorker,
  describeExit,
  type WorkerEvents,
  type WorkerExit,
  type WorkerHandle,
} from './worker-handle.ts';

export interface SupervisorOptions {
  /** 1 to 64. */
  readonly workers: number;
  readonly settings: WorkerSettings;
  readonly fork: Fork;
  readonly snapshots: SnapshotSource;
  /** What a new worker must know before its first snapshot; nothing unless said. */
  readonly greeting?: () => readonly ToWorker[];
  readonly log: Log;
  /** Milliseconds a replaced worker may take to finish what it runs. */
  readonly drainDeadline: number;
  readonly onApiRequest: WorkerEvents['apiRequest'];
  readonly onSessionCalls?: WorkerEvents['sessionCalls'];
  readonly onLive?: WorkerEvents['live'];
  readonly onServerFails?: WorkerEvents['serverFails'];
  readonly onMetrics?: WorkerEvents['metrics'];
  /** `unasked`: it served, and nobody had told it to end. */
  readonly onWorkerEnded?: (handle: WorkerHandle, unasked: boolean) => void;
}

export interface Supervisor {
  /** Starts all workers; rejects when the first of them cannot serve. */
  start(): Promise<Addresses>;
  /** All that live, those that drain included. */
  workers(): readonly WorkerHandle[];
  running(): readonly WorkerHandle[];
  broadcast(message: ToWorker): void;
  /** Brings running workers that missed a version to the current one. */
  catchUpAll(): void;
  /** Ends a worker that does not answer; its replacement follows. */
  replace(handle: WorkerHandle, reason: string): void;
  /** One by one: a new worker listens before the old one drains. */
  roll(): Promise<void>;
  /** Tells all workers, also those still to come, that shutdown has begun. */
  terminate(leaves: boolean): void;
  /** Drains all workers; settles when the last has ended, `deadline` plus 2 s from now at the latest. */
  stop(deadline: number): Promise<void>;
  /** Ends all workers at once. */
  kill(): void;
}

interface Slot {
  readonly backoff: Backoff;
  serving: WorkerHandle | null;
  timer: NodeJS.Timeout | null;
}

interface Filled {
  readonly addresses: Addresses;
  /** Who served in the slot before, when it still lives. */
  readonly previous: WorkerHandle | null;
}

export function createSupervisor(options: SupervisorOptions): Supervisor {
  return new SlotSupervisor(options);
}

class SlotSupervisor implements Supervisor {
  readonly #options: SupervisorOptions;
  readonly #slots: readonly Slot[];
  readonly #live = new Set<WorkerHandle>();
  readonly #state = createHeldState();
  readonly #deadline: number;
  /** Entry points on port 0 keep the port that the first worker was given. */
  #settings: WorkerSettings;
  #stopping = false;
  /** Null: not yet. */
  #terminating: Extract<ToWorker, { type: 'terminating' }> | null = null;
  #rolling: Promise<void> | null = null;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#settings = options.settings;
    this.#deadline = options.drainDeadline;
    this.#slots = Array.from({ length: options.workers }, () => ({
      backoff: createBackoff(),
      serving: null,
      timer: null,
    }));
  }

  async start(): Promise<Addresses> {
    const [first, ...others] = this.#slots;
    if (first === undefined) throw new Error('at least one worker is needed');
    const { addresses } = await this.#fill(first);
    this.#settings = withPorts(this.#settings, addresses);
    await Promise.all(others.map((slot) => this.#fill(slot)));
    return addresses;
  }

  workers(): readonly WorkerHandle[] {
    return [...this.#live];
  }

  running(): readonly WorkerHandle[] {
    return [...this.#live].filter((handle) => handle.state === 'running');
  }

  broadcast(message: ToWorker): void {
    for (const handle of this.#live) handle.send(message);
  }

  catchUpAll(): void {
    for (const handle of this.running()) {
      catchUp(handle, this.#options.snapshots).catch((error: unknown) =>
        this.replace(handle, messageOf(error)),
      );
    }
  }

  replace(handle: WorkerHandle, reason: string): void {
    if (handle.state === 'gone') return;
    this.#options.log.error({ pid: handle.pid, reason }, 'worker is replaced');
    handle.kill('SIGKILL');
  }

  roll(): Promise<void> {
    this.#rolling ??= this.#rollAll().finally(() => {
      this.#rolling = null;
    });
    return this.#rolling;
  }

  terminate(leaves: boolean): void {
    this.#terminating = { type: 'terminating', leaves };
    this.broadcast(this.#terminating);
  }

  async stop(deadline: number): Promise<void> {
    this.#halt();
    await Promise.all([...this.#live].map((handle) => this.#drain(handle, deadline)));
  }

  kill(): void {
    this.#halt();
    for (const handle of this.#live) handle.kill('SIGKILL');
  }

  #halt(): void {
    this.#stopping = true;
    for (const slot of this.#slots) if (slot.timer !== null) clearTimeout(slot.timer);
  }

  /** Forks into a slot; the slot takes the worker over once it serves. */
  async #fill(slot: Slot): Promise<Filled> {
    if (this.#state.isLent) await this.#state.recall();
    // Also before the first one: what comes before workers at the start may take seconds.
    if (this.#stopping) throw new Error('shutdown has begun');
    const handle = attachWorker(this.#options.fork(), {
      apiRequest: this.#options.onApiRequest,
      stateCalls: (from, calls) => this.#state.answer(from, calls),
      sessionCalls: this.#options.onSessionCalls,
      live: this.#options.onLive,
      serverFails: this.#options.onServerFails,
      metrics: this.#options.onMetrics,
      wrongProtocol: (from) => this.replace(from, 'it speaks the protocol of another release'),
    });
    this.#live.add(handle);
    let served = false;
    void handle.exited.then((exit) => {
      this.#live.delete(handle);
      this.#options.onWorkerEnded?.(handle, slot.serving === handle && !this.#stopping);
      this.#state.gone(handle);
      this.#lendToOnly();
      if (served) this.#died(slot, handle, exit);
    });
    try {
      const { greeting = () => [], snapshots } = this.#options;
      const addresses = await bringUp(handle, { settings: this.#settings, greeting }, snapshots);
      if (this.#terminating !== null) handle.send(this.#terminating);
      served = true;
      const previous = slot.serving;
      slot.serving = handle;
      this.#lendToOnly();
      this.#options.log.info({ pid: handle.pid, version: handle.version }, 'worker serves');
      return { addresses, previous };
    } catch (error) {
      handle.kill('SIGKILL');
      const exit = await handle.exited;
      if (error instanceof ListenFailed) throw error;
      throw new Error(`${messageOf(error)} (${describeExit(exit)})`, { cause: error });
    }
  }

  /** One that is alone holds the state itself. With more slots others are about to come. */
  #lendToOnly(): void {
    const [only, ...others] = this.#live;
    if (this.#slots.length > 1 || this.#stopping || only?.state !== 'running' || others.length > 0) return;
    this.#state.lend(only);
  }

  #died(slot: Slot, handle: WorkerHandle, exit: WorkerExit): void {
    if (slot.serving !== handle) return;
    slot.serving = null;
    if (this.#stopping) return;
    this.#refill(slot, performance.now() - handle.started, `${describeExit(exit)}, pid ${handle.pid}`);
  }

  #refill(slot: Slot, age: number, reason: string): void {
    const delay = slot.backoff.died(age);
    const fields = { reason, delay, inARow: slot.backoff.streak };
    if (slot.backoff.streak > 1) this.#options.log.error(fields, 'workers keep dying: the next one waits');
    else this.#options.log.error(fields, 'worker died and is replaced');
    const started = performance.now();
    const again = (): void => {
      slot.timer = null;
      if (this.#stopping) return;
      this.#fill(slot).then(
        // A roll that ran meanwhile may have filled the slot too.
        ({ previous }) => (previous === null ? undefined : this.#drain(previous, this.#deadline)),
        (error: unknown) => {
          if (!this.#stopping) this.#refill(slot, performance.now() - started - delay, messageOf(error));
        },
      );
    };
    if (delay === 0) again();
    else slot.timer = setTimeout(again, delay);
  }

  async #rollAll(): Promise<void> {
    for (const slot of this.#slots) {
      if (this.#stopping) return;
      // An empty slot is being refilled already, by a new worker.
      if (slot.serving === null) continue;
      try {
        const { previous } = await this.#fill(slot);
        if (previous !== null) await this.#drain(previous, this.#deadline);
      } catch (error) {
        // The shutdown has ended it.
        if (this.#stopping) return;
        this.#options.log.error(
          { reason: messageOf(error) },
          'the new worker does not serve: the old ones stay',
        );
        return;
      }
    }
    if (!this.#stopping) this.#options.log.info('workers are replaced');
  }

  async #drain(handle: WorkerHandle, deadline: number): Promise<void> {
    if (handle.state === 'gone') return;
    const before = handle.state;
    handle.state = 'draining';
    // One that has not begun to serve has nothing to finish; one that a roll replaces is finishing already.
    const isTold =
      before === 'draining' || (before === 'running' && handle.send({ type: 'drain', deadline }));
    if (!isTold) handle.kill('SIGKILL');
    const timer = setTimeout(() => {
      this.#options.log.warn({ pid: handle.pid, deadline }, 'worker did not drain in time and is ended');
      handle.kill('SIGKILL');
    }, deadline + drainSlack);
    await handle.exited;
    clearTimeout(timer);
  }
}

function withPorts(settings: WorkerSettings, addresses: Addresses): WorkerSettings {
  const entryPoints = settings.entryPoints.map((point) =>
    point.port === 0 ? { ...point, port: addresses[point.name] ?? 0 } : point,
  );
  return { ...settings, entryPoints };
}
