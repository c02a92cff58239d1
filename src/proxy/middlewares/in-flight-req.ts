// inFlightReq: so many requests of each source at a time, counted until the last byte of their answers.

import { hash } from 'node:crypto';
import { StateClosed } from '../../state/state.ts';
import { canonicalJson } from '../../util/content-hash.ts';
import type { Exchange } from '../exchange.ts';
import { ANSWERED, CONTINUE, type Verdict } from '../hooks.ts';
import { statusText } from '../status.ts';
import { defineMiddleware } from './define.ts';
import { int, object } from './fields.ts';
import { buildSource, sourceCriterion } from './source-criterion.ts';
import { unreachableNotice } from './state-unreachable.ts';

export const inFlightReq = defineMiddleware({
  kind: 'inFlightReq',
  summary: 'Lets so many requests of each source run at a time.',
  perRouter: true,
  schema: object({
    amount: int.refine((value) => value >= 0, 'expected 0 or more').default(0),
    sourceCriterion: sourceCriterion.optional(),
  }),
  build({ amount, sourceCriterion: by }, deps) {
    const { state } = deps;
    const source = buildSource(by, 'host', deps.decisions?.secret);
    // Without the amount: what runs goes on counting when that changes.
    const criterion = hash('sha256', canonicalJson([by ?? null])).slice(0, 16);
    const space = `inFlight\n${deps.name}\n${deps.router}\n${criterion}`;
    const slot = deps.slot();
    const body = `max connections reached: ${amount}`;
    const notice = unreachableNotice(deps, '503');

    const judge = (x: Exchange, key: string, entered: boolean): Verdict => {
      if (!entered) return x.answer(429, [], body);
      x.keepFact(slot, key);
      return CONTINUE;
    };
    const settle = (x: Exchange, key: string, entered: boolean): Verdict => {
      if (!x.ended) return judge(x, key, entered);
      // The client went while this was asked: nobody else will give it back.
      if (entered) state.leave(space, key);
      return ANSWERED;
    };
    const unreachable = (x: Exchange, error: unknown): Verdict => {
      if (x.ended) return ANSWERED;
      // By `state.onError: closed`, of which the state itself has said so in the log.
      if (!(error instanceof StateClosed)) notice();
      return x.answer(503, [], statusText(503));
    };

    return {
      request(x) {
        // A retry further out runs this once more for a request that is counted already.
        if (x.fact(slot) !== undefined) return CONTINUE;
        const key = source(x);
        const entered = state.enter(space, amount, key);
        if (typeof entered === 'boolean') return judge(x, key, entered);
        return entered.then(
          (value) => settle(x, key, value),
          (error: unknown) => unreachable(x, error),
        );
      },
      end(x) {
        const key = x.fact<string>(slot);
        if (key === undefined) return;
        x.keepFact(slot, undefined);
        state.leave(space, key);
      },
    };
  },
});
