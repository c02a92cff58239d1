// Follows one engine: looks, listens for events, looks again, and comes back after every outage.

import type { EngineClient } from './client.ts';
import type { Container } from './container.ts';
import type { EngineEvent } from './events.ts';
import { EngineProblem } from './problems.ts';
import { createReader } from './read.ts';

export interface WatchOptions {
  readonly client: EngineClient;
  /** False: look once, and when asked to. */
  readonly follow: boolean;
  /** Called as a look begins; what it returns comes back with what was found. */
  readonly begin: () => number;
  readonly found: (containers: readonly Container[], begun: number) => void;
  readonly event: (event: EngineEvent) => void;
  /** The first problem of an outage; null: it is over. */
  readonly trouble: (problem: EngineProblem | null) => void;
}

export interface EngineWatch {
  /** Look at everything again. */
  refresh(): void;
  /** Settles after the first look, whether or not it succeeded. */
  readonly ready: Promise<void>;
  close(): void;
}

/** Milliseconds. */
const settleTime = 20;
/** Between the beginnings of two looks: the engine has other work. */
const looksApart = 250;
const safetyLook = 60_000;
const backoffFirst = 250;
const backoffMost = 5000;
/** A stream that lasted this long and then ended was cut by a proxy or a restart: that is no outage yet. */
const soundStream = 5000;
/** Ids remembered between two looks; beyond that all are asked about. */
const maxChanged = 10_000;

export function watchEngine(options: WatchOptions): EngineWatch {
  const watch = new Watch(options);
  watch.start();
  return watch;
}

/** Milliseconds before attempt `failures + 1`: doubles up to 5 s, a quarter of it by chance. */
export function backoff(failures: number, chance: number = Math.random()): number {
  const full = Math.min(backoffFirst * 2 ** Math.min(Math.max(failures - 1, 0), 20), backoffMost);
  return full * (0.75 + chance * 0.25);
}

class Watch implements EngineWatch {
  readonly ready: Promise<void>;
  readonly #options: WatchOptions;
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #reader: ReturnType<typeof createReader>;
  #settleReady: () => void = () => {};
  #closed = false;
  #changed: Set<string> | null = null;
  #wanted = false;
  #looking = false;
  #lastLook = -Infinity;
  #lookProblem: EngineProblem | null = null;
  #streamProblem: EngineProblem | null = null;
  #isTroubled = false;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#reader = createReader(options.client);
    this.ready = new Promise((resolve) => {
      this.#settleReady = resolve;
    });
  }

  start(): void {
    if (!this.#options.follow) return this.refresh();
    void this.#listen();
    void this.#lookNowAndThen();
  }

  refresh(): void {
    this.#changed = null;
    this.#want();
  }

  close(): void {
    this.#closed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#settleReady();
  }

  async #listen(): Promise<void> {
    let failures = 0;
    while (!this.#closed) {
      const began = performance.now();
      // oxlint-disable-next-line no-await-in-loop -- one stream after the other
      const problem = await this.#stream();
      if (this.#closed) return;
      const wasSound = performance.now() - began >= soundStream;
      failures = wasSound ? 0 : failures + 1;
      if (!wasSound) {
        this.#streamProblem = problem;
        this.#tell();
        // While nothing tells of changes, looking is all that finds them.
        this.refresh();
      }
      // oxlint-disable-next-line no-await-in-loop -- waits between attempts
      await this.#wait(backoff(failures));
    }
  }

  /** Settles with why it ended. */
  async #stream(): Promise<EngineProblem> {
    const opened = (): void => {
      this.#streamProblem = null;
      // What happened before the stream began was told to nobody.
      this.refresh();
    };
    try {
      await this.#options.client.follow(opened, (event) => this.#take(event));
      return new EngineProblem('the event stream ended', null);
    } catch (error) {
      return problemOf(error);
    }
  }

  #take(event: EngineEvent): void {
    if (this.#closed) return;
    this.#options.event(event);
    if (event.container === '') this.#changed = null;
    else this.#changed?.add(event.container);
    if ((this.#changed?.size ?? 0) > maxChanged) this.#changed = null;
    this.#want();
  }

  async #lookNowAndThen(): Promise<void> {
    // An engine that holds back its event stream's first bytes must not hold back the rest.
    await this.#wait(1000);
    while (!this.#closed) {
      if (performance.now() - this.#lastLook > safetyLook / 2) this.refresh();
      // oxlint-disable-next-line no-await-in-loop -- a clock
      await this.#wait(safetyLook);
    }
  }

  #want(): void {
    this.#wanted = true;
    if (!this.#looking && !this.#closed) void this.#look();
  }

  /** One look at a time; changes meanwhile, however many, mean exactly one more. */
  async #look(): Promise<void> {
    this.#looking = true;
    let failures = 0;
    while (this.#wanted && !this.#closed) {
      const pause = failures > 0 ? backoff(failures) : settleTime;
      // oxlint-disable-next-line no-await-in-loop -- one look after the other
      await this.#wait(Math.max(pause, this.#lastLook + looksApart - performance.now()));
      if (this.#closed) return;
      this.#wanted = false;
      this.#lastLook = performance.now();
      // oxlint-disable-next-line no-await-in-loop -- one look after the other
      failures = (await this.#lookOnce()) ? 0 : failures + 1;
      this.#settleReady();
    }
    this.#looking = false;
  }

  async #lookOnce(): Promise<boolean> {
    const { begin, found } = this.#options;
    const changed = this.#changed;
    this.#changed = new Set();
    const begun = begin();
    try {
      const containers = await this.#reader.read(changed);
      if (this.#closed) return true;
      this.#lookProblem = null;
      found(containers, begun);
      this.#tell();
      return true;
    } catch (error) {
      if (this.#closed) return true;
      this.#lookProblem = problemOf(error);
      this.refresh();
      this.#tell();
      return false;
    }
  }

  /** An outage begins with the first problem and ends when there is none. */
  #tell(): void {
    const problem = this.#lookProblem ?? this.#streamProblem;
    if (this.#isTroubled === (problem !== null)) return;
    this.#isTroubled = problem !== null;
    this.#options.trouble(problem);
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        resolve();
      }, ms);
      this.#timers.add(timer);
    });
  }
}

function problemOf(error: unknown): EngineProblem {
  return error instanceof EngineProblem ? error : new EngineProblem(String(error), null);
}
