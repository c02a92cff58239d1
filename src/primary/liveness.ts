// Whether the workers do what they are for, asked for the watchdog.

import type { WorkerHandle } from './worker-handle.ts';

/** True as soon as one of the workers answers; false when none has within `ms`. */
export async function someWorkerAnswers(workers: readonly WorkerHandle[], ms: number): Promise<boolean> {
  const answers = workers.map((worker) => {
    const answer = worker.wait((message) => (message.type === 'pong' ? true : null), ms);
    worker.send({ type: 'ping' });
    return answer;
  });
  return Promise.any(answers).catch(() => false);
}
