// An Exchange's two walks: in, through router and middlewares in their order to the service; and out, through
// the response hooks in reverse to the client. Both resume by index after a wait.

import type { Exchange } from './exchange.ts';
import { GatewayError } from './errors.ts';
import { getHeader } from './headers.ts';
import { ANSWERED, type AnswerVerdict, CONTINUE, RETRY, type Verdict } from './hooks.ts';
import { byteLength, end, errorAnswer, sendWhole } from './respond.ts';
import type { Route } from './runtime/route.ts';
import type { Runtime } from './runtime/runtime.ts';
import { beginTrace } from './tracing.ts';

/** One for all: a stack each would be most of what a flood of unknown paths costs. */
const noMatch = new GatewayError('router.no_match');

/** Times one request is begun again, by whatever middlewares: as often as one `retry` and its servers allow. */
const maxAttempts = 300;

/** Sees `x` to its end. Never throws. */
export function serve(x: Exchange, runtime: Runtime): void {
  x.downstream.onAbort = goneOf(x);
  try {
    const route = runtime.routeOf(x);
    const { tracing } = x.entryPoint;
    if (tracing !== null) beginTrace(tracing, x, route);
    if (route === null) {
      fail(x, noMatch);
      return;
    }
    x.route = route;
    if (route.broken !== null) fail(x, new GatewayError('router.broken', route.broken));
    else runFrom(x, route, 0);
  } catch (error) {
    failWithBug(x, error);
  }
}

/** The middlewares of `route` from the given place on, then its service. */
export function runFrom(x: Exchange, route: Route, from: number): void {
  const hooks = route.request;
  const trace = x.trace !== null && x.trace.isDetailed ? x.trace : null;
  if (hooks !== null) {
    for (let at = from; at < hooks.length; at++) {
      const hook = hooks[at];
      x.depth = at;
      if (trace !== null) trace.enter(at);
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
  if (trace !== null) trace.enterService(route.service.name);
  route.service.handle(x);
}

/** Sends `x.status`, `x.responseHeaders` and `x.answerBody`, after the response hooks, and ends `x`. */
export function answer(x: Exchange): void {
  if (x.ended) return;
  if (!runResponseHooks(x)) return;
  if (x.method === 'HEAD' && getHeader(x.responseHeaders, 'content-length') === null) {
    x.responseHeaders.push('content-length', String(byteLength(x.answerBody)));
  }
  sendWhole(x, x.answerBody);
}

/** Answers with what the error's code stands for; cuts the connection when the head is sent already. */
export function fail(x: Exchange, error: GatewayError): void {
  if (x.ended) return;
  x.error = error;
  if (x.headSent || error.code === 'client.gone') {
    if (!x.headSent) x.status = error.status;
    end(x);
    // Only now: cutting the connection is reported back as a client that went away.
    x.downstream.abort();
    return;
  }
  errorAnswer(x, error);
  answer(x);
}

/** For a bug of ours, wherever it is caught: 500, and the log gets the stack. */
export function failWithBug(x: Exchange, cause: unknown): void {
  // The hooks that failed must not run again for the answer that says so.
  x.depth = 0;
  fail(x, cause instanceof GatewayError ? cause : new GatewayError('gateway.bug', '', cause));
}

/**
 * Runs the response hooks, once, last middleware first. False when the answer may not be sent as it is: a
 * hook threw, replaced it, runs the request again or still waits. A server's stream is over then, unless
 * it is being collected; all else is seen to here.
 */
export function runResponseHooks(x: Exchange): boolean {
  const route = x.route;
  const hooks = route?.response ?? null;
  if (route === null || hooks === null) return true;
  try {
    while (x.depth > 0) {
      const at = --x.depth;
      const verdict = hooks[at]?.(x);
      if (verdict === undefined || verdict === CONTINUE) continue;
      if (typeof verdict === 'number') settleAnswer(x, route, at, verdict);
      else settleLater(x, route, at, verdict);
      return false;
    }
    return true;
  } catch (error) {
    failWithBug(x, error);
    return false;
  }
}

function settleLater(x: Exchange, route: Route, at: number, verdict: Promise<AnswerVerdict>): void {
  verdict.then(
    (settled) => {
      if (x.ended) return;
      try {
        settleAnswer(x, route, at, settled);
      } catch (error) {
        failWithBug(x, error);
      }
    },
    (error: unknown) => {
      // A server that breaks off while its answer is held: those further out see that answer.
      if (error instanceof GatewayError && !x.ended) {
        x.depth = at;
        fail(x, error);
      } else failWithBug(x, error);
    },
  );
}

function settleAnswer(x: Exchange, route: Route, at: number, verdict: AnswerVerdict): void {
  if (verdict === RETRY) {
    // Each middleware has its own bound, but one that runs again within another's attempts begins to count anew.
    if (x.retries >= maxAttempts) {
      failWithBug(x, new GatewayError('gateway.bug', 'begun again too often'));
      return;
    }
    x.trace?.leave(at);
    x.forgetAnswer();
    x.retries++;
    const owner = ownerOf(route, at);
    x.route = owner;
    runFrom(x, owner, at + 1);
    return;
  }
  x.depth = at;
  if (verdict === ANSWERED || verdict === CONTINUE || verdict === undefined) answer(x);
  else failWithBug(x, new TypeError('a middleware gave no verdict on an answer'));
}

/** The route whose middleware stands at `at`: those of a service behind it may not be asked again. */
function ownerOf(route: Route, at: number): Route {
  let owner = route;
  while (owner.within !== undefined && at < owner.within.depth) owner = owner.within;
  return owner;
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

/**
 * Not written within `serve`: there, until it is optimised, V8 has each closure keep the next one's Exchange, so
 * that all of the first second of load went to the old generation, 17 MB.
 */
function goneOf(x: Exchange): () => void {
  return () => clientGone(x);
}

function clientGone(x: Exchange): void {
  // The blame is settled first: what is called off below reports an error of its own.
  const { running } = x;
  fail(x, new GatewayError('client.gone'));
  running?.cancel();
}
