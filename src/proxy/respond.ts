// The one place that turns an answer or an error into bytes, and that ends an Exchange.

import type { Exchange } from './exchange.ts';
import { type ErrorCode, GatewayError } from './errors.ts';
import { armFilters } from './filters.ts';
import { plainTextHeaders } from './headers.ts';
import { statusText } from './status.ts';

/** Puts what the error's code stands for in place of the answer. */
export function errorAnswer(x: Exchange, error: GatewayError): void {
  x.status = error.status;
  x.responseHeaders = plainTextCodes.has(error.code) ? plainTextHeaders() : [];
  x.answerBody = bodies[error.code] ?? statusText(error.status);
  // They were made for the answer that this one replaces, and may have said in its headers what they do.
  x.filters = null;
  x.trailers = null;
}

/** A whole answer in one write; `body` is dropped where HTTP has no place for one. */
export function sendWhole(x: Exchange, body: string | Uint8Array): void {
  const bodyless = isBodyless(x);
  x.headSent = true;
  x.bytesOut = bodyless ? 0 : byteLength(body);
  const isFiltered = x.filters !== null;
  try {
    if (isFiltered) armFilters(x, end);
    x.downstream.respond(x.status, x.responseHeaders, body, bodyless);
  } catch (error) {
    cut(x, error);
    return;
  }
  if (!isFiltered) end(x);
}

/** The head of a streamed answer; `length` null when only the end will tell. */
export function sendHead(x: Exchange, length: number | null): void {
  x.headSent = true;
  try {
    if (x.filters !== null) armFilters(x, end);
    x.downstream.begin(x.status, x.responseHeaders, length);
  } catch (error) {
    cut(x, error);
  }
}

/** After the last byte of a streamed answer. With filters the Exchange ends when they have let go of it. */
export function finishStream(x: Exchange): void {
  try {
    x.downstream.finish();
  } catch (error) {
    cut(x, error);
    return;
  }
  if (x.filters === null) end(x);
}

/** As UTF-8. */
export function byteLength(body: string | Uint8Array): number {
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
    for (const hook of hooks) {
      try {
        hook(x);
      } catch (error) {
        failLast(x, error);
      }
    }
  }
  if (x.endTasks !== null) {
    for (const task of x.endTasks) {
      try {
        task.run(x);
      } catch (error) {
        failLast(x, error);
      }
    }
  }
  x.entryPoint.ended(x);
}

/** What an engine or a filter throws at would end the worker: nobody stands behind the end of an answer. */
function cut(x: Exchange, cause: unknown): void {
  if (x.ended) return;
  x.error = new GatewayError('gateway.bug', 'an answer that cannot be sent', cause);
  const { running } = x;
  end(x);
  x.downstream.abort();
  running?.cancel();
}

/** For the log: one that fails must not keep the others from giving back what they hold. */
function failLast(x: Exchange, cause: unknown): void {
  x.error = new GatewayError('gateway.bug', 'at the end of a request', cause);
}

const bodies: Partial<Record<ErrorCode, string>> = {
  'router.no_match': '404 page not found\n',
  'router.broken': 'Service Unavailable\n',
  'service.no_server': 'no available server\n',
  'service.failover_down': 'Service Unavailable\n',
  'gateway.bug': 'Internal Server Error\n',
};
const plainTextCodes: ReadonlySet<ErrorCode> = new Set(Object.keys(bodies) as ErrorCode[]);
