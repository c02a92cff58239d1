// rateLimit: a token bucket for each source; who comes a little too early waits, who comes far too early gets 429.

import { hash } from 'node:crypto';
import { type BucketSpec, type State, StateClosed, type Take } from '../../state/state.ts';
import { canonicalJson } from '../../util/content-hash.ts';
import type { Exchange } from '../exchange.ts';
import { plainTextHeaders } from '../headers.ts';
import { ANSWERED, CONTINUE, type Verdict } from '../hooks.ts';
import { statusText } from '../status.ts';
import { type BuildDeps, defineMiddleware } from './define.ts';
import { duration, int, object, text } from './fields.ts';
import { limitCounts } from './rate-limit/counts.ts';
import { limitTexts, retryHeaders } from './rate-limit/texts.ts';
import { budgetOf, limitRedis, type LimitRedis, redisSettings, withPemFiles } from './rate-limit/redis.ts';
import { DelayRoom } from './rate-limit/delay-room.ts';
import { buildSource, sourceCriterion } from './source-criterion.ts';
import { unreachableNotice } from './state-unreachable.ts';

export const rateLimit = defineMiddleware({
  kind: 'rateLimit',
  summary: 'Lets so many requests of each source through in a time, and some more at once.',
  perRouter: true,
  schema: object({
    average: int.refine((value) => value >= 0, 'expected 0 or more').default(0),
    period: duration.refine((value) => value >= 0, 'expected 0 or more').default(1000),
    burst: int.default(1),
    sourceCriterion: sourceCriterion.optional(),
    mode: text.refine(isMode, 'expected strict or leased').default('leased'),
    redis: limitRedis.optional(),
  }),
  withFiles(options, readFile) {
    const { redis } = options;
    return redis === undefined ? options : { ...options, redis: withPemFiles(redis, readFile) };
  },
  build(options, deps) {
    if (options.average === 0) return {};
    const state = stateOf(options.redis, deps);
    const bucket = bucketOf(options, deps);
    const source = buildSource(options.sourceCriterion, 'peer', deps.decisions?.secret);
    const texts = limitTexts(bucket, options, deps.name);
    // One for all limits of a worker: what waits is bounded as a whole.
    const room = deps.keep('rateLimit.delays', () => new DelayRoom());
    const slot = deps.slot();
    const counts = limitCounts(deps);
    const notice = unreachableNotice(deps, '500');

    const judge = (x: Exchange, { wait, remaining }: Take): Verdict | Promise<Verdict> => {
      if (wait > bucket.maxDelay || (wait > 0 && room.isFull)) {
        counts.refused++;
        const headers = retryHeaders(wait);
        headers.push('ratelimit-policy', texts.policy, 'ratelimit', texts.left(0));
        return x.answer(429, headers, statusText(429));
      }
      x.keepFact(slot, remaining);
      if (wait === 0) counts.passed++;
      else counts.delayed++;
      return wait === 0 ? CONTINUE : room.hold(x, wait);
    };
    const unreachable = (x: Exchange, error: unknown): Verdict => {
      if (x.ended) return ANSWERED;
      counts.failed++;
      // By `state.onError: closed`; the state itself has said so in the log.
      if (error instanceof StateClosed) return x.answer(503, plainTextHeaders(), statusText(503));
      notice();
      return x.answer(500, plainTextHeaders(), 'Could not insert/update bucket\n');
    };

    return {
      request(x) {
        const taken = state.take(bucket, source(x));
        if (!(taken instanceof Promise)) return judge(x, taken);
        return taken.then(
          (take) => (x.ended ? ANSWERED : judge(x, take)),
          (error: unknown) => unreachable(x, error),
        );
      },
      response(x) {
        const remaining = x.fact<number>(slot);
        if (remaining === undefined) return;
        x.responseHeaders.push('ratelimit-policy', texts.policy, 'ratelimit', texts.left(remaining));
      },
    };
  },
});

interface Limits {
  readonly average: number;
  readonly period: number;
  readonly burst: number;
  readonly mode: string;
  readonly redis?: object | undefined;
  readonly sourceCriterion?: object | undefined;
}

function bucketOf(limits: Limits, deps: BuildDeps): BucketSpec {
  const { average, period, burst, sourceCriterion: by } = limits;
  // With a Redis of its own a limit has one bucket for all of its routers, as Traefik has it.
  const router = limits.redis === undefined ? deps.router : '';
  const rate = average / (period === 0 ? 1000 : period);
  const perSecond = rate * 1000;
  const options = hash('sha256', canonicalJson([average, period, burst, by ?? null])).slice(0, 16);
  return {
    space: `rate\n${deps.name}\n${router}\n${options}`,
    rate,
    burst: Math.max(1, burst),
    maxDelay: perSecond < 1 ? 500 : 1000 / (2 * Math.floor(perSecond)),
    mode: limits.mode === 'strict' ? 'strict' : 'leased',
  };
}

function isMode(mode: string): boolean {
  return mode === 'strict' || mode === 'leased';
}

/** One connection for all limits of a worker whose `redis` says the same. */
function stateOf(redis: LimitRedis | undefined, { state, keep }: BuildDeps): State {
  if (redis === undefined || state.elsewhere === undefined) return state;
  const settings = redisSettings(redis);
  const budget = budgetOf(redis);
  const name = hash('sha256', canonicalJson([settings, budget ?? null]));
  return keep(`rateLimit.redis\n${name}`, () => (state as Required<State>).elsewhere(settings, budget));
}
