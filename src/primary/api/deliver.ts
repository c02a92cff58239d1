// An answer of the API on its way back to the worker that has asked.

import type { ApiAnswer } from '../../model/ipc.ts';
import type { Log } from '../../observability/log.ts';
import type { WorkerHandle } from '../worker-handle.ts';
import { failure } from './answers.ts';

/** One that fails is answered with 500; the log gets the stack. Never rejects. */
export async function deliver(
  answer: Promise<ApiAnswer>,
  to: WorkerHandle,
  id: number,
  log: Log,
): Promise<void> {
  try {
    to.send({ type: 'api-answer', id, answer: await answer });
  } catch (error) {
    log.error({ stack: error instanceof Error ? error.stack : String(error) }, 'the API failed');
    to.send({ type: 'api-answer', id, answer: failure(500, 'Internal Server Error') });
  }
}
