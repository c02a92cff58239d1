// Opening a log anew after it was moved away, so that nobody dies of a path that cannot be opened any more.

import { messageOf } from '../util/message-of.ts';
import type { Log } from './log.ts';

/** True when it writes to the new file. Otherwise the old one goes on, and one line of `log` tells; never throws. */
export function reopenOrTell(target: { reopen(): void }, name: 'log' | 'access log', log: Log): boolean {
  const problem = reopenProblem(target, name);
  if (problem !== null) log.error({ pid: process.pid }, problem);
  return problem === null;
}

/** The same without telling: what is wrong, where, and what to do; null when nothing is. */
export function reopenProblem(target: { reopen(): void }, name: 'log' | 'access log'): string | null {
  try {
    target.reopen();
    return null;
  } catch (error) {
    const reason = messageOf(error);
    return `the ${name} cannot be opened anew: ${reason}; lines go on into the old file: make that path writable for user ${process.geteuid?.() ?? ''}, then send SIGUSR1 to the primary again`;
  }
}
