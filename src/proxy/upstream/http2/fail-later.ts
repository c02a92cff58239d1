// A call that failed before it began.

import type { GatewayError } from '../../errors.ts';
import type { UpstreamCall, UpstreamHandler } from '../http1/call.ts';

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
