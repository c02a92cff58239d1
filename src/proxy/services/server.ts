// One server of a service, as the request path sees it.

import type { ServerSpec, TransportSpec } from '../../model/snapshot.ts';
import type { Http1Pool } from '../upstream/http1/pool.ts';

export class Server {
  readonly url: string;
  /** Host and port, for the Host header without passHostHeader and for the log. */
  readonly authority: string;
  /** Prefixed to the request's path; empty unless the spec preserves its URL's path. */
  readonly path: string;
  readonly weight: number;
  readonly transport: TransportSpec;
  readonly pool: Http1Pool;
  /** Health as the primary last said. */
  up = true;

  constructor(spec: ServerSpec, transport: TransportSpec, pool: Http1Pool) {
    this.url = spec.url;
    this.authority = new URL(spec.url).host;
    this.path = spec.path.endsWith('/') ? spec.path.slice(0, -1) : spec.path;
    this.weight = spec.weight;
    this.transport = transport;
    this.pool = pool;
  }
}
