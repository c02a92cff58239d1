// circuitBreaker: answers in a service's place for a while when too many of its answers were bad or late.

import { metricNames } from '../../observability/names.ts';
import { CONTINUE } from '../hooks.ts';
import { statusText } from '../status.ts';
import { Breaker, type BreakerState } from './circuit-breaker/breaker.ts';
import { parseCondition } from './circuit-breaker/expression.ts';
import { defineMiddleware } from './define.ts';
import { int, object, timeout } from './fields.ts';
import { expressionText } from './predicate.ts';

const schema = object({
  expression: expressionText(parseCondition),
  checkPeriod: timeout.default(100),
  fallbackDuration: timeout.default(10_000),
  recoveryDuration: timeout.default(10_000),
  responseCode: int
    .refine((code) => code >= 200 && code <= 599, 'expected a status code from 200 to 599')
    .default(503),
});

const words: Readonly<Record<BreakerState, string>> = {
  standby: 'is closed again: everything passes',
  tripped: 'has opened: its condition holds, nothing passes',
  recovering: 'lets a growing share pass',
};

export const circuitBreaker = defineMiddleware({
  kind: 'circuitBreaker',
  summary: 'Answers in a service’s place for a while when too many of its answers were bad or late.',
  schema,
  perRouter: true,
  build(options, deps) {
    const slot = deps.slot();
    const { responseCode } = options;
    const refusal = statusText(responseCode);
    const key = `circuitBreaker\n${deps.name}\n${deps.router}\n${JSON.stringify(options)}`;
    const place = deps.router.replace(/^(?:service\n|)/, (kind) => (kind === '' ? 'router ' : 'service '));
    const breaker = deps.keep(key, () => {
      const { window, condition } = parseCondition(options.expression);
      const changed = (state: BreakerState): void =>
        deps.log.warn(`circuitBreaker ${deps.name} of ${place} ${words[state]}`);
      const periods = {
        checkPeriod: orDefault(options.checkPeriod, 100),
        fallbackDuration: orDefault(options.fallbackDuration, 10_000),
        recoveryDuration: orDefault(options.recoveryDuration, 10_000),
      };
      return new Breaker({ options: periods, window, condition, changed });
    });
    const { meters } = deps;
    if (meters != null) {
      const where = deps.router.replace('\n', ' ');
      const read = (): number => ['standby', 'recovering', 'tripped'].indexOf(breaker.state);
      deps.keep(`${key}\nmetrics`, () =>
        meters.instruments.gauge(metricNames.breakerState, [deps.name, where], read),
      );
    }

    return {
      request(x) {
        const now = performance.now();
        if (!breaker.admits(now)) return x.answer(responseCode, [], refusal);
        x.keepFact(slot, now);
        return CONTINUE;
      },
      // At the head: how long a client takes to read, or a stream to end, says nothing about the service.
      response(x) {
        const askedAt = x.fact<number>(slot);
        if (askedAt === undefined) return;
        x.keepFact(slot, undefined);
        const now = performance.now();
        breaker.answered(x.status, now - askedAt, now);
      },
      /** Whoever has left without an answer counts as answered 499. */
      end(x) {
        const askedAt = x.fact<number>(slot);
        if (askedAt === undefined) return;
        const now = performance.now();
        breaker.answered(x.status, now - askedAt, now);
      },
    };
  },
});

/** A period of nothing means the default, as in Traefik. */
function orDefault(ms: number, byDefault: number): number {
  return ms > 0 ? ms : byDefault;
}
