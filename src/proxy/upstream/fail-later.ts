// A call that failed before it began.

import { GatewayError } from '../errors.ts';
import type { UpstreamCall, UpstreamHandler } from './http1/call.ts';

/** Tells `handler` once the caller has what is returned, unless it is aborted by then. */
export function failLater(handler: UpstreamHandler, error: GatewayError): UpstreamCall {
  let isOver = false;
  process.nextTick(() => {
    if (!isOver) handler.onError(error);
  });
  return {
    abort() {
      isOver = true;
    },
    resume() {},
  };
}

/** For a call that finds no place to wait: nothing of it was sent. */
export function queueFull(): GatewayError {
  const error = new GatewayError('upstream.connect_refused', 'too many calls wait for a connection');
  error.unsent = true;
  return error;
}
