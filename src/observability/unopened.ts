// What is told of a log whose file cannot be opened when a process starts: nobody dies of it.

import { messageOf } from '../util/message-of.ts';
import type { Unopened } from './line-writer.ts';
import type { Log } from './log.ts';

const untilThen = {
  log: 'lines go to standard output until it can',
  'access log': 'its lines are lost until it can',
} as const;

/** `log` is asked for only after the call that made the writer has returned. */
export function tellUnopened(name: keyof typeof untilThen, log: () => Log): Omit<Unopened, 'fd'> {
  return {
    onProblem(error) {
      const reason = messageOf(error);
      const mend = `make that path writable for user ${process.geteuid?.() ?? ''}`;
      const message = `the ${name} cannot be opened: ${reason}; ${untilThen[name]}: ${mend}`;
      queueMicrotask(() => log().error({ pid: process.pid }, message));
    },
    onOpened(lost) {
      log().warn({ pid: process.pid, lost }, `the ${name} could be opened at last`);
    },
  };
}
