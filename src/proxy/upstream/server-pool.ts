// What takes requests to one server, whichever HTTP it speaks.

import type { PoolFigures } from './pool-figures.ts';
import type { UpstreamCall, UpstreamHandler, UpstreamRequest } from './http1/call.ts';

export interface ServerPool {
  /** For the metrics: one, or two where a server is spoken to in two ways; absent: it shows none. */
  readonly figures?: readonly PoolFigures[];
  /**
   * Sends `request` on a connection that stands, or a new one; `fresh` takes none that
   * could share what has just failed another.
   * Never throws and never calls `handler` before it returns. A closed pool still sends.
   */
  send(request: UpstreamRequest, handler: UpstreamHandler, fresh: boolean): UpstreamCall;
  /** Running and waiting calls finish; nothing is kept after that. */
  close(): void;
}
