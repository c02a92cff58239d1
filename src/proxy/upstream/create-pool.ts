// Which HTTP a server is spoken to in.

import type { TransportSpec } from '../../model/snapshot.ts';
import { Http1Pool } from './http1/pool.ts';
import { HttpsPool } from './http2/https-pool.ts';
import { Http2Pool } from './http2/pool.ts';
import type { ServerPool } from './server-pool.ts';

/** `h2c://` is HTTP/2 without a question; `https://` is asked when it matters. Throws `TypeError` for other URLs. */
export function createServerPool(url: string, transport: TransportSpec): ServerPool {
  if (url.startsWith('h2c:')) return new Http2Pool(url, transport);
  if (url.startsWith('https:') && transport.disableHTTP2 !== true) return new HttpsPool(url, transport);
  return new Http1Pool(url, transport);
}
