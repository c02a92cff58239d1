// rateLimit: a token bucket for each source; who comes a little too early waits, who comes far too early gets 429.

import { hash } from 'node:crypto';
import type { BucketSpec, Take } from '../../state/state.ts';
import { canonicalJson } from '../../util/content-hash.ts';
import type { Exchange } from '../exchange.ts';
import { plainTextHeaders } from '../headers.ts';
import { ANSWERED, CONTINUE, type Verdict } from '../hooks.ts';
import { statusText } from '../status.ts';
import { type BuildDeps, defineMiddleware } from './define.ts';
import { bool, duration, int, list, object, secret, section, text } from './fields.ts';
import { limitTexts, retryHeaders } from './rate-limit/texts.ts';
import { DelayRoom } from './rate-limit/delay-room.ts';
import { buildSource, sourceCriterion } from './source-criterion.ts';
import { unreachableNotice } from './state-unreachable.ts';

const redis = section({
  endpoints: list.default(['localhost:6379']),
  username: text.optional(),
  password: secret(text.optional()),
  db: int.default(0),
  poolSize: int.default(0),
  minIdleConns: int.default(0),
  maxActiveConns: int.default(0),
  readTimeout: duration.default(3000),
  writeTimeout: duration.default(3000),
  dialTimeout: duration.default(5000),
  tls: section({
    ca: secret(text.optional()),
    cert: secret(text.optional()),
    key: secret(text.optional()),
    insecureSkipVerify: bool.default(false),
  }).optional(),
});

export const rateLimit = defineMiddleware({
  kind: 'rateLimit',
  summary: 'Lets so many requests of each source through in a time, and some more at once.',
  perRouter: true,
  schema: object({
    average: int.refine((value) => value >= 0, 'expected 0 or more').default(0),
    period: duration.refine((value) => value >= 0, 'expected 0 or more').default(1000),
    burst: int.default(1),
    sourceCriterion: sourceCriterion.optional(),
    redis: redis.optional().meta({ status: 'later' }),
  }),
  build(options, deps) {
    if (options.redis !== undefined) mentionRedis(deps);
    if (options.average === 0) return {};
    const { state } = deps;
    const bucket = bucketOf(options, deps);
    const source = buildSource(options.sourceCriterion, 'peer');
    const texts = limitTexts(bucket, options, deps.name);
    // One for all limits of a worker: what waits is bounded as a whole.
    const room = deps.keep('rateLimit.delays', () => new DelayRoom());
    const slot = deps.slot();
    const notice = unreachableNotice(deps, '500');

    const judge = (x: Exchange, { wait, remaining }: Take): Verdict | Promise<Verdict> => {
      if (wait > bucket.maxDelay || (wait > 0 && room.isFull)) {
        const headers = retryHeaders(wait);
        headers.push('ratelimit-policy', texts.policy, 'ratelimit', texts.left(0));
        return x.answer(429, headers, statusText(429));
      }
      x.keepFact(slot, remaining);
      return wait === 0 ? CONTINUE : room.hold(x, wait);
    };
    const unreachable = (x: Exchange): Verdict => {
      notice();
      return x.ended ? ANSWERED : x.answer(500, plainTextHeaders(), 'Could not insert/update bucket\n');
    };

    return {
      request(x) {
        const taken = state.take(bucket, source(x));
        if (!(taken instanceof Promise)) return judge(x, taken);
        return taken.then(
          (take) => (x.ended ? ANSWERED : judge(x, take)),
          () => unreachable(x),
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
  readonly sourceCriterion?: object | undefined;
}

function bucketOf({ average, period, burst, sourceCriterion: by }: Limits, deps: BuildDeps): BucketSpec {
  const rate = average / (period === 0 ? 1000 : period);
  const perSecond = rate * 1000;
  const options = hash('sha256', canonicalJson([average, period, burst, by ?? null])).slice(0, 16);
  return {
    space: `rate\n${deps.name}\n${deps.router}\n${options}`,
    rate,
    burst: Math.max(1, burst),
    maxDelay: perSecond < 1 ? 500 : 1000 / (2 * Math.floor(perSecond)),
  };
}

/** Once for the middleware, however many routers use it. */
function mentionRedis(deps: BuildDeps): void {
  deps.keep(`rateLimit.redis\n${deps.name}`, () => {
    deps.log.warn(
      `${deps.name}: rateLimit.redis has no effect yet; the limit holds for all workers of this node, each node counts for itself`,
    );
    return { close() {} };
  });
}
