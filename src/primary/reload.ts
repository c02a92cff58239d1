// From resolved configuration to a version that every worker runs, or to none of them running it.

import type { Diagnostic } from '../model/diagnostic.ts';
import type { ServerState } from '../model/ipc.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { deltaBetween } from '../model/snapshot-delta.ts';
import type { Log } from '../observability/log.ts';
import { contentBytes } from '../util/content-hash.ts';
import { type Applied, applySnapshot, type Offer, rollBack } from './apply-snapshot.ts';
import type { SnapshotSource } from './bring-up.ts';
import { logDiagnostics } from './log-diagnostics.ts';
import { maxDiagnostics, maxSnapshotBytes } from './limits.ts';
import { type WorkerHandle, WorkerLost } from './worker-handle.ts';

/** A Snapshot before it has its version. */
export type Content = Omit<Snapshot, 'version'>;

export interface ReloadOptions {
  readonly log: Log;
  readonly running: () => readonly WorkerHandle[];
  readonly replace: (handle: WorkerHandle, reason: string) => void;
  /** After a version counts: those that started meanwhile may need it. */
  readonly committed: (snapshot: Snapshot) => void;
  readonly downFor: (snapshot: Snapshot) => readonly ServerState[];
  /** A version does not come into force. */
  readonly rejected?: () => void;
}

export interface Reload extends SnapshotSource {
  /** One reload at a time; of several that wait, the newest wins. Settles when it is decided. */
  submit(content: Content): Promise<void>;
  /** Settles when nothing is left to decide. */
  settled(): Promise<void>;
  /**
   * Why the last rejected version was rejected, or why single routers of the version in force are off;
   * replaced with every decision.
   */
  diagnostics(): readonly Diagnostic[];
}

export function createReload(options: ReloadOptions, first: Content): Reload {
  return new OneAtATime(options, first);
}

class OneAtATime implements Reload {
  readonly #options: ReloadOptions;
  #current: Snapshot;
  /** Some worker has built the current version. */
  #proven = false;
  #lastVersion = 1;
  #waiting: Content | null = null;
  #under: Promise<void> | null = null;
  #diagnostics: readonly Diagnostic[] = [];

  constructor(options: ReloadOptions, first: Content) {
    this.#options = options;
    this.#current = { ...first, version: 1 };
  }

  current(): Offer {
    return { snapshot: this.#current, down: this.#options.downFor(this.#current) };
  }

  diagnostics(): readonly Diagnostic[] {
    return this.#diagnostics;
  }

  submit(content: Content): Promise<void> {
    this.#waiting = content;
    this.#under ??= this.#work().finally(() => {
      this.#under = null;
    });
    return this.#under;
  }

  settled(): Promise<void> {
    return this.#under ?? Promise.resolve();
  }

  accepted(snapshot: Snapshot, diagnostics: readonly Diagnostic[]): void {
    if (snapshot !== this.#current || this.#proven) return;
    this.#proven = true;
    if (diagnostics.length > 0) this.#note(diagnostics);
  }

  /** Only an unproven first version is given up: what runs elsewhere is not taken away for one worker. */
  rejected(snapshot: Snapshot, diagnostics: readonly Diagnostic[]): void {
    this.#reject(snapshot, diagnostics);
    if (this.#proven || snapshot !== this.#current) return;
    this.#lastVersion += 1;
    this.#commit({ ...internalOnly(snapshot), version: this.#lastVersion });
  }

  async #work(): Promise<void> {
    while (this.#waiting !== null) {
      const content = this.#waiting;
      this.#waiting = null;
      if (content.hash === this.#current.hash) {
        this.#options.log.debug({ hash: content.hash }, 'configuration is unchanged');
        continue;
      }
      this.#lastVersion += 1;
      const snapshot = { ...content, version: this.#lastVersion };
      const { routers, middlewares, services, transports, tls } = snapshot;
      const bytes = contentBytes([routers, middlewares, services, transports, [tls]]);
      if (bytes > maxSnapshotBytes) this.#reject(snapshot, [tooLarge(bytes)]);
      else await this.#broadcast(snapshot);
    }
  }

  async #broadcast(snapshot: Snapshot): Promise<void> {
    const workers = this.#options.running();
    const delta = deltaBetween(this.#current, snapshot);
    const { downFor } = this.#options;
    // As it is when it is sent: who wants the whole Snapshot says so later.
    const offer: Offer = {
      snapshot,
      delta,
      get down() {
        return downFor(snapshot);
      },
    };
    const offered = await Promise.all(workers.map((handle) => this.#offer(handle, offer)));
    const answers = offered.filter((answer) => answer !== null);
    const nack = answers.find(({ kind }) => kind === 'nack');
    if (nack === undefined) {
      const [ack] = answers;
      this.#proven = ack !== undefined;
      this.#diagnostics = [];
      this.#commit(snapshot);
      if (ack !== undefined) this.#note(ack.diagnostics);
      return;
    }
    this.#reject(snapshot, nack.diagnostics);
    const built = workers.filter((handle) => handle.version === snapshot.version);
    await Promise.all(built.map((handle) => this.#takeBack(handle, snapshot.version)));
  }

  /** Null: the worker has ended, and its successor will build what is then in force. */
  async #offer(handle: WorkerHandle, offer: Offer): Promise<Applied | null> {
    try {
      return await applySnapshot(handle, offer);
    } catch (error) {
      if (!(error instanceof WorkerLost)) throw error;
      if (error.why === 'exit') return null;
      this.#options.replace(handle, error.message);
      return { kind: 'nack', diagnostics: [noAnswer(offer.snapshot.version)] };
    }
  }

  async #takeBack(handle: WorkerHandle, version: number): Promise<void> {
    const back = await rollBack(handle, version);
    if (!back || handle.version !== this.#current.version) {
      this.#options.replace(handle, `it did not go back from version ${version}`);
    }
  }

  #commit(snapshot: Snapshot): void {
    this.#current = snapshot;
    const { version, hash } = snapshot;
    this.#options.log.info({ version, hash: hash.slice(0, 12) }, 'configuration is in force');
    this.#options.committed(snapshot);
  }

  #reject(snapshot: Snapshot, diagnostics: readonly Diagnostic[]): void {
    const fields = { version: snapshot.version, keeps: this.#current.version };
    this.#options.log.error(fields, 'configuration is rejected by a worker');
    this.#options.rejected?.();
    this.#note(diagnostics);
  }

  #note(diagnostics: readonly Diagnostic[]): void {
    this.#diagnostics = diagnostics.slice(0, maxDiagnostics);
    logDiagnostics(this.#options.log, this.#diagnostics);
  }
}

function noAnswer(version: number): Diagnostic {
  const message = `a worker did not build version ${version} in time`;
  return { severity: 'error', code: 'reload.no_answer', message, where: { source: 'worker' } };
}

function tooLarge(bytes: number): Diagnostic {
  const message = `the configuration takes ${bytes} bytes, at most ${maxSnapshotBytes} can be sent to workers`;
  return { severity: 'error', code: 'reload.too_large', message, where: { source: 'primary' } };
}

/** What is left when the first configuration cannot run at all: ping, the API and what else is ours. */
function internalOnly(snapshot: Snapshot): Content {
  const ours = <T extends { readonly provider: string }>(list: readonly T[]): readonly T[] =>
    list.filter((item) => item.provider === 'internal');
  const { routers, services, middlewares } = snapshot;
  return {
    hash: `${snapshot.hash}-internal`,
    routers: ours(routers),
    services: ours(services),
    middlewares: ours(middlewares),
    transports: [],
    tls: snapshot.tls,
  };
}
