// Lines to a file or to standard output: whole lines, in few writes, and never by stopping the event loop.

import { closeSync, write, writeSync } from 'node:fs';
import type { RotationSettings } from '../model/settings.ts';
import { isStream, openTarget, wholeLines } from './line-target.ts';
import { LineRotation } from './line-rotation.ts';

/** Waiting lines beyond either bound are dropped and counted. */
export const maxPendingChars = 1_048_576;
export const maxPendingLines = 65_536;

/** Pause before a write is tried again that the reader of a pipe had no room for. */
const retryMs = 10;
/** A report may itself be a line that cannot be written: no more than one in this time. */
const reportEveryMs = 1000;
/** Between two tries to open a file that cannot be opened, in milliseconds. */
const openEveryMs = 1000;
/** A synchronous write gives up after so many pauses. */
const maxSyncTries = 100;

export interface LineWriterOptions {
  /** Null is standard output. */
  readonly filePath: string | null;
  /** Permissions of a file that is made. */
  readonly mode: number;
  /** Characters, and lines, that are written at once; fewer wait for the delay. */
  readonly flushChars: number;
  readonly flushLines: number;
  readonly flushDelayMs: number;
  /** Told how many lines were lost since the last time, once there is room again. */
  readonly onDropped: (lines: number) => void;
  /** Null or absent: the file is never moved aside from here. */
  readonly rotation?: RotationSettings | null;
  /** What happens to lines before the file can be opened; absent: creating the writer throws. */
  readonly unopened?: Unopened;
}

export interface Unopened {
  /** Where lines go until then; null loses them. */
  readonly fd: number | null;
  /** Told once, and again at each `reopen` in vain. */
  readonly onProblem: (error: unknown) => void;
  /** Told how many lines are lost. */
  readonly onOpened: (lost: number) => void;
}

export interface LineWriter {
  /** One line with its line break. */
  write(line: string): void;
  /** Opens the file anew after it was moved away; keeps the old one when that fails, and throws. */
  reopen(): void;
  /** Resolves when everything written so far has left, or could not. */
  flush(): Promise<void>;
  /** For the way out: what waits is written before this returns. */
  flushSync(): void;
  /** Lines lost since the start. */
  readonly dropped: number;
}

/** Throws when the file cannot be opened and `unopened` is absent. */
export function createLineWriter(options: LineWriterOptions): LineWriter {
  return new Writer(options);
}

class Writer implements LineWriter {
  dropped = 0;
  readonly #options: LineWriterOptions;
  #fd = -1;
  #isStream = true;
  /** False: `#fd` is that of `unopened`, or none. */
  #isOpen = false;
  #nextOpen = 0;
  /** A descriptor that a write under way still needs. */
  #oldFd: number | null = null;
  #pending = '';
  #pendingLines = 0;
  #underWay: Buffer | null = null;
  #underWayLines = 0;
  #offset = 0;
  #timer: NodeJS.Timeout | null = null;
  /** Waits for room in a pipe. */
  #retry: NodeJS.Timeout | null = null;
  #unreported = 0;
  #nextReport = 0;
  #waiters: (() => void)[] = [];
  readonly #rotation: LineRotation | null;

  constructor(options: LineWriterOptions) {
    this.#options = options;
    this.#open(true);
    const { filePath, rotation = null } = options;
    const mayRotate = rotation !== null && filePath !== null && !(this.#isOpen && this.#isStream);
    this.#rotation = mayRotate ? new LineRotation(filePath, rotation) : null;
  }

  write(line: string): void {
    if (this.#pending.length + line.length > maxPendingChars || this.#pendingLines >= maxPendingLines) {
      this.#lose(1);
      return;
    }
    this.#pending += line;
    this.#pendingLines++;
    if (this.#underWay !== null) return;
    const { flushChars, flushLines, flushDelayMs } = this.#options;
    if (this.#pending.length >= flushChars || this.#pendingLines >= flushLines) this.#send();
    else if (this.#timer === null) {
      this.#timer = setTimeout(() => this.#send(), flushDelayMs);
      unsent.add(this);
    }
  }

  reopen(): void {
    if (this.#options.filePath === null) return;
    if (!this.#isOpen) {
      this.#nextOpen = 0;
      if (this.#underWay === null) this.#open(true);
      return;
    }
    const fd = openTarget(this.#options.filePath, this.#options.mode);
    if (this.#underWay === null) closeSync(this.#fd);
    else if (this.#oldFd === null) this.#oldFd = this.#fd;
    else closeSync(this.#fd);
    this.#fd = fd;
    this.#isStream = isStream(fd);
  }

  flush(): Promise<void> {
    if (this.#underWay === null) this.#send();
    if (this.#underWay === null) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  flushSync(): void {
    // A write that is with the kernel finishes there; one that waits for room is taken over here.
    if (this.#retry !== null) {
      clearTimeout(this.#retry);
      this.#retry = null;
      this.#writeSync((this.#underWay as Buffer).subarray(this.#offset), this.#underWayLines);
      this.#finish(false);
    }
    const rest = Buffer.from(this.#pending);
    const lines = this.#pendingLines;
    this.#pending = '';
    this.#pendingLines = 0;
    this.#writeSync(rest, lines);
  }

  /** The first time, and for a file that could not be opened. Throws when nobody said what happens then. */
  #open(tells: boolean): void {
    const { filePath, mode, unopened } = this.#options;
    try {
      this.#fd = openTarget(filePath, mode);
      this.#isOpen = true;
    } catch (error) {
      if (unopened === undefined) throw error;
      this.#fd = unopened.fd ?? -1;
      this.#nextOpen = performance.now() + openEveryMs;
      if (tells) unopened.onProblem(error);
    }
    this.#isStream = isStream(this.#fd);
  }

  /** False: there is nothing lines could be written to. */
  #hasTarget(): boolean {
    if (!this.#isOpen && performance.now() >= this.#nextOpen) {
      this.#open(false);
      if (this.#isOpen) this.#options.unopened?.onOpened(this.dropped);
    }
    return this.#fd !== -1;
  }

  #writeSync(rest: Buffer, lines: number): void {
    let offset = 0;
    for (let tries = 0; offset < rest.length && tries < maxSyncTries; tries++) {
      try {
        offset += writeSync(this.#fd, rest, offset);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') break;
        Atomics.wait(sleeper, 0, 0, retryMs);
      }
    }
    if (offset < rest.length) this.#lose(lines);
  }

  #send(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    unsent.delete(this);
    if (this.#pending === '') {
      this.#settle();
      return;
    }
    if (!this.#hasTarget()) {
      this.dropped += this.#pendingLines;
      this.#pending = '';
      this.#pendingLines = 0;
      this.#settle();
      return;
    }
    if (this.#isOpen && this.#rotation?.isDue(this.#fd) === true) this.#renew();
    this.#underWay = Buffer.from(this.#pending);
    this.#underWayLines = this.#pendingLines;
    this.#offset = 0;
    this.#pending = '';
    this.#pendingLines = 0;
    this.#step();
  }

  /** The file was moved aside. Without room for a new one the old one goes on. */
  #renew(): void {
    try {
      this.reopen();
    } catch {
      // Tried again with the next lines.
    }
  }

  #step(): void {
    this.#retry = null;
    const buffer = this.#underWay as Buffer;
    const fd = this.#oldFd ?? this.#fd;
    const length = this.#isStream ? wholeLines(buffer, this.#offset) : buffer.length - this.#offset;
    write(fd, buffer, this.#offset, length, null, (error, written) => this.#wrote(error, written));
  }

  #wrote(error: NodeJS.ErrnoException | null, written: number): void {
    if (error?.code === 'EAGAIN') {
      this.#retry = setTimeout(() => this.#step(), retryMs);
      return;
    }
    if (error !== null) {
      this.#lose(this.#underWayLines);
      this.#finish(true);
      return;
    }
    this.#offset += written;
    if (this.#offset < (this.#underWay as Buffer).length) this.#step();
    else this.#finish(true);
  }

  #finish(goesOn: boolean): void {
    this.#underWay = null;
    if (this.#oldFd !== null) closeSync(this.#oldFd);
    this.#oldFd = null;
    // What came in meanwhile goes out together with it: the delay has passed for the oldest of it.
    if (goesOn && this.#pending !== '') this.#send();
    else this.#settle();
  }

  #settle(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const resolve of waiters) resolve();
    const now = performance.now();
    if (this.#unreported === 0 || now < this.#nextReport) return;
    this.#nextReport = now + reportEveryMs;
    const lost = this.#unreported;
    this.#unreported = 0;
    this.#options.onDropped(lost);
  }

  #lose(lines: number): void {
    this.dropped += lines;
    this.#unreported += lines;
  }
}

const sleeper = new Int32Array(new SharedArrayBuffer(4));

/** Writers whose lines wait for their delay: an exit must not lose them. */
const unsent = new Set<Writer>();
process.once('exit', () => {
  for (const writer of unsent) writer.flushSync();
});
