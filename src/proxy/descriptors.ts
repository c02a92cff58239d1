// Notices when this process has no file descriptor left. Nobody else does: the engines leave new connections in the
// kernel's queue without a word, or close them.

import { closeSync, openSync } from 'node:fs';
import type { Log } from '../observability/log.ts';

/** Milliseconds between two looks; one costs a hundredth of a millisecond. */
const lookEvery = 1_000;
/** Milliseconds between two lines about it. */
const sayEvery = 10_000;

/** Says so in the log, at most every ten seconds, and that it is over. */
export class Descriptors {
  readonly #log: Log;
  readonly #timer: NodeJS.Timeout;
  #isOut = false;
  #saidAt = Number.NEGATIVE_INFINITY;

  constructor(log: Log) {
    this.#log = log;
    this.#timer = setInterval(() => this.#look(performance.now()), lookEvery).unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(now: number): void {
    const code = outOf();
    if (code === null && this.#isOut) {
      this.#log.info('file descriptors are left again, connections are accepted');
    } else if (code !== null && now - this.#saidAt >= sayEvery) {
      this.#saidAt = now;
      this.#log.error({ code }, 'no file descriptor is left: new connections wait, open ones are served');
    }
    this.#isOut = code !== null;
  }
}

/** EMFILE is this process's own limit, ENFILE the system's; null: there are some. */
function outOf(): string | null {
  try {
    closeSync(openSync('/dev/null', 'r'));
    return null;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'EMFILE' || code === 'ENFILE' ? code : null;
  }
}
