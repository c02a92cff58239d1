// retry: sends a request again that no server took, or, where statuses are listed, whose answer has one of them.

import type { Exchange, RequestState } from '../exchange.ts';
import { type AnswerVerdict, CONTINUE, RETRY, type Verdict } from '../hooks.ts';
import { defineMiddleware } from './define.ts';
import { bool, int, object, timeout as wait } from './fields.ts';
import { inRanges, statusRanges } from './status-ranges.ts';

/** One request's attempts so far, and what the first one looked like. */
interface Attempts {
  made: number;
  readonly state: RequestState;
}

/** More than anybody means; keeps a mistake from multiplying every failure without end. */
const maxAttempts = 100;

const schema = object({
  attempts: int.refine((n) => n > 0 && n <= maxAttempts, `expected 1 to ${maxAttempts} attempts in all`),
  initialInterval: wait.default(0),
  timeout: wait.default(0),
  maxRequestBodyBytes: int.default(2 * 1024 * 1024),
  status: statusRanges.default([]),
  disableRetryOnNetworkError: bool.default(false),
  retryNonIdempotentMethod: bool.default(false),
});

// What Traefik takes for not idempotent.
const riskyMethods: ReadonlySet<string> = new Set(['POST', 'PATCH', 'LOCK']);

export const retry = defineMiddleware({
  kind: 'retry',
  summary: 'Sends a request again that no server took, or whose answer has a listed status.',
  schema,
  build(options, deps) {
    const slot = deps.slot();
    const { attempts, status, timeout } = options;

    const wantsAnother = (x: Exchange): boolean => {
      if (x.isUpgrade && x.error === null) return false;
      if (timeout > 0 && performance.now() - x.startedAt >= timeout) return false;
      if (x.error !== null && x.error.unsent) return !options.disableRetryOnNetworkError && canReplay(x);
      if (status.length === 0 || !inRanges(status, x.status)) return false;
      const isRisky = riskyMethods.has(x.method) && !options.retryNonIdempotentMethod;
      return !isRisky && canReplay(x);
    };

    return {
      request(x): Verdict | Promise<Verdict> {
        if (attempts === 1) return CONTINUE;
        x.keepFact(slot, { made: 1, state: x.rememberRequest() } satisfies Attempts);
        if (status.length === 0 || x.body === null || x.body.collected !== null) return CONTINUE;
        // Longer than can be kept: it goes on as it comes, and once.
        if (x.body.length === null || x.body.length > options.maxRequestBodyBytes) return CONTINUE;
        return x.body.collect(options.maxRequestBodyBytes).then(() => CONTINUE);
      },
      response(x): AnswerVerdict | Promise<AnswerVerdict> {
        const tried = x.fact<Attempts>(slot);
        if (tried === undefined || tried.made >= attempts || !wantsAnother(x)) return CONTINUE;
        const wait = pause(options.initialInterval, tried.made, attempts);
        tried.made++;
        x.restoreRequest(tried.state);
        if (wait === 0) return RETRY;
        return new Promise((resolve) => {
          setTimeout(() => resolve(RETRY), wait);
        });
      },
    };
  },
});

function canReplay(x: Exchange): boolean {
  return x.body === null || x.body.collected !== null || !x.body.isPiped;
}

/** Milliseconds: from `initial` to twice of it over all attempts, each by up to half off, so that clients part. */
function pause(initial: number, made: number, attempts: number): number {
  if (initial <= 0) return 0;
  const grown = initial * 2 ** ((made - 1) / (attempts - 1));
  return grown * (0.5 + Math.random());
}
