// What takes requests to one server, whichever HTTP it speaks.

import type { UpstreamCall, UpstreamHandler, UpstreamRequest } from './http1/call.ts';

export interface ServerPool {
  /**
   * Sends `request` on a connection that stands, or a new one; `fresh` takes none that
   * could share what has just failed another.
   * Never throws and never calls `handler` before it returns. A closed pool still sends.
   */
  send(request: UpstreamRequest, handler: UpstreamHandler, fresh: boolean): UpstreamCall;
  /** Running and waiting calls finish; nothing is kept after that. */
  close(): void;
}
