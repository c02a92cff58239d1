// A request that waits for the auth server: until there is an answer, its deadline passes or its client goes.

import { GatewayError } from '../../errors.ts';
import type { Exchange } from '../../exchange.ts';

/**
 * Resolves with the answer, or with the `GatewayError` (`client.gone`, `auth.timeout`) that ended the wait;
 * then `leave` has been called with it. `deadline` on the clock of `performance.now()`.
 */
export function waitFor<Answer>(
  x: Exchange,
  answer: Promise<Answer>,
  deadline: number,
  leave: (why: GatewayError) => void,
): Promise<Answer | GatewayError> {
  return new Promise((resolve) => {
    const { downstream } = x;
    const before = downstream.onAbort;
    const release = () => {
      clearTimeout(timer);
      if (downstream.onAbort === gone) downstream.onAbort = before;
    };
    const giveUp = (error: GatewayError) => {
      release();
      leave(error);
      resolve(error);
    };
    const gone = () => {
      giveUp(new GatewayError('client.gone'));
      before?.();
    };
    const late = () => giveUp(new GatewayError('auth.timeout', 'no answer in time'));
    const timer = setTimeout(late, Math.max(1, deadline - performance.now()));
    if (downstream.aborted) {
      gone();
      return;
    }
    downstream.onAbort = gone;
    void answer.then((value) => {
      release();
      resolve(value);
    });
  });
}
