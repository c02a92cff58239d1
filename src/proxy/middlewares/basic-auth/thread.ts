// The thread on which passwords are checked.

import { parentPort } from 'node:worker_threads';
import { isRightPassword } from './hashes.ts';

export interface Job {
  readonly id: number;
  /** One char a byte. */
  readonly password: string;
  readonly hash: string;
}

export interface JobResult {
  readonly id: number;
  readonly isRight: boolean;
}

parentPort?.on('message', ({ id, password, hash }: Job) => {
  let isRight = false;
  try {
    isRight = isRightPassword(password, hash);
  } catch {
    // A hash that its own library cannot read fits no password.
  }
  parentPort?.postMessage({ id, isRight } satisfies JobResult);
});
