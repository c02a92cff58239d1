// Servers for tests of what picks them.

import type { TransportSpec } from '../../../../src/model/snapshot.ts';
import { Server } from '../../../../src/proxy/services/server.ts';
import { Http1Pool } from '../../../../src/proxy/upstream/http1/pool.ts';

const transport: TransportSpec = {
  name: 'default@internal',
  serverName: null,
  insecureSkipVerify: false,
  rootCAs: [],
  certificates: [],
  maxIdleConnsPerHost: 2,
  dialTimeout: 1000,
  responseHeaderTimeout: 0,
  idleConnTimeout: 1000,
  errors: [],
};

/** Connects to nothing until it is used. */
export function serverOf(url: string, weight = 1): Server {
  return new Server({ url, path: '', weight }, transport, new Http1Pool(url, transport));
}
