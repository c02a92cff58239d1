// An Exchange's way in: router, middlewares in their order, service. Resumes by index after a wait.

import type { Exchange } from './exchange.ts';
import { GatewayError } from './errors.ts';
import { ANSWERED, CONTINUE, type Verdict } from './hooks.ts';
import { answer, fail, failWithBug } from './respond.ts';
import type { Route } from './runtime/route.ts';
import type { Runtime } from './runtime/runtime.ts';

/** Sees `x` to its end. Never throws. */
export function serve(x: Exchange, runtime: Runtime): void {
  x.downstream.onAbort = () => clientGone(x);
  try {
    const route = runtime.routeOf(x);
    if (route === null) {
      fail(x, new GatewayError('router.no_match'));
      return;
    }
    x.route = route;
    if (route.broken !== null) fail(x, new GatewayError('router.broken', route.broken));
    else runFrom(x, route, 0);
  } catch (error) {
    failWithBug(x, error);
  }
}

function runFrom(x: Exchange, route: Route, from: number): void {
  const hooks = route.request;
  if (hooks !== null) {
    for (let at = from; at < hooks.length; at++) {
      const hook = hooks[at];
      x.depth = at;
      if (hook === null || hook === undefined) continue;
      const verdict = hook(x);
      if (typeof verdict !== 'number') {
        resumeAfter(x, route, at, verdict);
        return;
      }
      if (verdict !== CONTINUE) {
        conclude(x, verdict);
        return;
      }
    }
  }
  x.depth = route.depth;
  route.service.handle(x);
}

function resumeAfter(x: Exchange, route: Route, at: number, verdict: Promise<Verdict>): void {
  verdict.then(
    (settled) => {
      if (x.ended) return;
      try {
        if (settled === CONTINUE) runFrom(x, route, at + 1);
        else conclude(x, settled);
      } catch (error) {
        failWithBug(x, error);
      }
    },
    (error: unknown) => failWithBug(x, error),
  );
}

/** Only a clear "go on" lets a request through: a hook that says nothing has a bug. */
function conclude(x: Exchange, verdict: Verdict): void {
  if (verdict === ANSWERED) answer(x);
  else failWithBug(x, new TypeError('a middleware gave no verdict'));
}

function clientGone(x: Exchange): void {
  // The blame is settled first: what is called off below reports an error of its own.
  const { running } = x;
  fail(x, new GatewayError('client.gone'));
  running?.cancel();
}
