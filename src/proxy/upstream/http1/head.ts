// What the head of an answer says.

import type { HeaderList } from '../../headers.ts';

/** What an answer's head said. One is used for all answers: take what is needed before the next parse. */
export class Head {
  status = 0;
  /** Lower-case names, latin1 values, without hop-by-hop and nominated ones; a new list each time. */
  headers: HeaderList = [];
  /** -1: not said. */
  contentLength = -1;
  chunked = false;
  /** The connection ends with this answer: HTTP/1.0 or `Connection: close`. */
  close = false;
  /** Seconds of `Keep-Alive: timeout`, -1 when not said. */
  keepAlive = -1;
  /** Why the head is refused. */
  problem = '';
  /** `problem` is about where the body ends. */
  isFraming = false;
}

/** In place of an index: `head.problem` says why. */
export const refused = -2;

export function refuse(head: Head, problem: string, isFraming = false): number {
  // The first thing wrong is what is told.
  if (head.problem !== '') return refused;
  head.problem = problem;
  head.isFraming = isFraming;
  return refused;
}
