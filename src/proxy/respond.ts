// The one place that turns an answer or an error into bytes, and that ends an Exchange.

import type { Exchange } from './exchange.ts';
import { type ErrorCode, GatewayError } from './errors.ts';
import { getHeader, plainTextHeaders } from './headers.ts';
import { statusText } from './status.ts';

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
  x.status = error.status;
  x.responseHeaders = plainTextCodes.has(error.code) ? plainTextHeaders() : [];
  x.answerBody = bodies[error.code] ?? statusText(error.status);
  answer(x);
}

/** For a bug of ours, wherever it is caught: 500, and the log gets the stack. */
export function failWithBug(x: Exchange, cause: unknown): void {
  // The hooks that failed must not run again for the answer that says so.
  x.depth = 0;
  fail(x, cause instanceof GatewayError ? cause : new GatewayError('gateway.bug', '', cause));
}

/**
 * Runs the response hooks, once, last middleware first. False when one of them threw: the Exchange has
 * been failed then.
 */
export function runResponseHooks(x: Exchange): boolean {
  const hooks = x.route?.response ?? null;
  if (hooks === null) return true;
  let at = x.depth;
  x.depth = 0;
  try {
    while (--at >= 0) hooks[at]?.(x);
    return true;
  } catch (error) {
    failWithBug(x, error);
    return false;
  }
}

/** A whole answer in one write; `body` is dropped where HTTP has no place for one. */
export function sendWhole(x: Exchange, body: string | Uint8Array): void {
  const bodyless = isBodyless(x);
  x.headSent = true;
  x.bytesOut = bodyless ? 0 : byteLength(body);
  x.downstream.respond(x.status, x.responseHeaders, body, bodyless);
  end(x);
}

function byteLength(body: string | Uint8Array): number {
  return typeof body === 'string' ? Buffer.byteLength(body) : body.length;
}

/** RFC 9110 §6.4.1: answers that cannot have a body. */
export function isBodyless(x: Exchange): boolean {
  return x.method === 'HEAD' || x.status === 204 || x.status === 304;
}

/** Exactly once, whatever happened. */
export function end(x: Exchange): void {
  if (x.ended) return;
  x.ended = true;
  x.running = null;
  if (x.body !== null) x.bytesIn = x.body.received;
  const hooks = x.route?.end ?? null;
  if (hooks !== null) {
    for (const hook of hooks) hook(x);
  }
  x.entryPoint.ended(x);
}

const bodies: Partial<Record<ErrorCode, string>> = {
  'router.no_match': '404 page not found\n',
  'router.broken': 'Service Unavailable\n',
  'service.no_server': 'no available server\n',
  'gateway.bug': 'Internal Server Error\n',
};
const plainTextCodes: ReadonlySet<ErrorCode> = new Set(Object.keys(bodies) as ErrorCode[]);
