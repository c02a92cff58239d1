// Lines to a file or to standard output: whole lines, in few writes, and never by stopping the event loop.

import { closeSync, fstatSync, mkdirSync, openSync, write, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** Waiting lines beyond either bound are dropped and counted. */
export const maxPendingChars = 1_048_576;
export const maxPendingLines = 65_536;

/** POSIX writes no more than this in one piece to a pipe that several processes share (PIPE_BUF of Linux). */
const pipeBytes = 4096;
/** Pause before a write is tried again that the reader of a pipe had no room for. */
const retryMs = 10;

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

/** Throws when the file cannot be opened. */
export function createLineWriter(options: LineWriterOptions): LineWriter {
  return new Writer(options);
}

class Writer implements LineWriter {
  dropped = 0;
  readonly #options: LineWriterOptions;
  #fd: number;
  #isPipe: boolean;
  /** A descriptor that a write under way still needs. */
  #oldFd: number | null = null;
  #pending = '';
  #pendingLines = 0;
  #underWay: Buffer | null = null;
  #underWayLines = 0;
  #offset = 0;
  #timer: NodeJS.Timeout | null = null;
  #unreported = 0;
  #waiters: (() => void)[] = [];

  constructor(options: LineWriterOptions) {
    this.#options = options;
    this.#fd = open(options);
    this.#isPipe = isPipe(this.#fd);
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
    else this.#timer ??= setTimeout(() => this.#send(), flushDelayMs).unref();
  }

  reopen(): void {
    if (this.#options.filePath === null) return;
    const fd = open(this.#options);
    if (this.#underWay === null) closeSync(this.#fd);
    else if (this.#oldFd === null) this.#oldFd = this.#fd;
    else closeSync(this.#fd);
    this.#fd = fd;
    this.#isPipe = isPipe(fd);
  }

  flush(): Promise<void> {
    if (this.#underWay === null) this.#send();
    if (this.#underWay === null) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  flushSync(): void {
    // A write under way is the kernel's already; what a short one leaves over is sent by its callback.
    const rest = Buffer.from(this.#pending);
    const lines = this.#pendingLines;
    this.#pending = '';
    this.#pendingLines = 0;
    let offset = 0;
    for (let tries = 0; offset < rest.length && tries < 100; tries++) {
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
    if (this.#pending === '') {
      this.#settle();
      return;
    }
    this.#underWay = Buffer.from(this.#pending);
    this.#underWayLines = this.#pendingLines;
    this.#offset = 0;
    this.#pending = '';
    this.#pendingLines = 0;
    this.#step();
  }

  #step(): void {
    const buffer = this.#underWay as Buffer;
    const fd = this.#oldFd ?? this.#fd;
    const length = this.#isPipe ? wholeLines(buffer, this.#offset) : buffer.length - this.#offset;
    write(fd, buffer, this.#offset, length, null, (error, written) => this.#wrote(error, written));
  }

  #wrote(error: NodeJS.ErrnoException | null, written: number): void {
    if (error?.code === 'EAGAIN') {
      setTimeout(() => this.#step(), retryMs);
      return;
    }
    if (error !== null) {
      this.#lose(this.#underWayLines);
      this.#finish();
      return;
    }
    this.#offset += written;
    if (this.#offset < (this.#underWay as Buffer).length) this.#step();
    else this.#finish();
  }

  #finish(): void {
    this.#underWay = null;
    if (this.#oldFd !== null) closeSync(this.#oldFd);
    this.#oldFd = null;
    // What came in meanwhile goes out together with it: the delay has passed for the oldest of it.
    if (this.#pending !== '') this.#send();
    else this.#settle();
  }

  #settle(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const resolve of waiters) resolve();
    if (this.#unreported === 0) return;
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

/** Appending, so that every worker may write to the same file. */
function open(options: LineWriterOptions): number {
  if (options.filePath === null) return 1;
  mkdirSync(dirname(options.filePath), { recursive: true, mode: 0o755 });
  return openSync(options.filePath, 'a', options.mode);
}

function isPipe(fd: number): boolean {
  try {
    return fstatSync(fd).isFIFO();
  } catch {
    return false;
  }
}

/** Length of as many whole lines as go into one piece; a longer line goes alone. */
function wholeLines(buffer: Buffer, from: number): number {
  if (buffer.length - from <= pipeBytes) return buffer.length - from;
  const last = buffer.lastIndexOf(0x0a, from + pipeBytes - 1);
  const end = last >= from ? last : buffer.indexOf(0x0a, from);
  return (end === -1 ? buffer.length : end + 1) - from;
}
