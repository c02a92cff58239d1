// How `api@internal` reaches the primary: numbered questions, a bounded number of them, each with an end.

import type { ApiAnswer, ApiRequest } from '../model/ipc.ts';
import type { Report } from './report.ts';

export interface Ask {
  ask(request: ApiRequest): Promise<ApiAnswer>;
  answered(id: number, answer: ApiAnswer): void;
}

/** Milliseconds a question waits for its answer. */
export const askTimeout = 5_000;
/** Milliseconds for one that changes something: a purge waits for every worker, which may take 10 s. */
export const purgeAskTimeout = 12_000;
/** Questions under way; more are answered 503. */
export const maxPending = 256;
/** Bytes of a question's body; a longer one is answered 413. */
const maxBody = 64 * 1024;

interface Pending {
  readonly resolve: (answer: ApiAnswer) => void;
  readonly timer: NodeJS.Timeout;
}

export function createAsk(report: Report): Ask {
  const pending = new Map<number, Pending>();
  let lastId = 0;
  return {
    ask(request) {
      if (pending.size >= maxPending) return Promise.resolve(refusal(503, 'too many API requests'));
      if (Buffer.byteLength(request.body) > maxBody) return Promise.resolve(refusal(413, 'body too large'));
      lastId += 1;
      const id = lastId;
      return new Promise((resolve) => {
        const giveUp = (): void => {
          pending.delete(id);
          resolve(refusal(504, 'the primary does not answer'));
        };
        const timer = setTimeout(giveUp, request.method === 'POST' ? purgeAskTimeout : askTimeout);
        pending.set(id, { resolve, timer });
        report({ type: 'api-request', id, request });
      });
    },
    answered(id, answer) {
      const waiting = pending.get(id);
      if (waiting === undefined) return;
      pending.delete(id);
      clearTimeout(waiting.timer);
      waiting.resolve(answer);
    },
  };
}

function refusal(status: number, message: string): ApiAnswer {
  const headers = ['Content-Type', 'text/plain; charset=utf-8', 'X-Content-Type-Options', 'nosniff'];
  return { status, headers, body: `${JSON.stringify({ message })}\n` };
}
