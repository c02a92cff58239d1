// Connections to one server.

import type { Socket } from 'node:net';
import { buildConnector, Client, type Dispatcher, Pool } from 'undici';
import type { TransportSpec } from '../../model/snapshot.ts';
import { maxConnectionsPerServer, maxResponseHeaderBytes } from '../limits.ts';

/** Outlives reloads as long as server and transport stay the same. */
export class ServerPool {
  readonly origin: string;
  readonly transport: TransportSpec;
  readonly #options: Pool.Options;
  readonly #pool: Pool;

  /** `url` is scheme, host and port. */
  constructor(url: string, transport: TransportSpec) {
    this.origin = url;
    this.transport = transport;
    this.#options = poolOptions(transport);
    this.#pool = new Pool(url, this.#options);
  }

  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void {
    this.#pool.dispatch(options, handler);
  }

  /** On a connection of its own, closed afterwards: for the one retry after a kept connection died. */
  dispatchFresh(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void {
    const { connections: _, ...clientOptions } = this.#options;
    const client = new Client(this.origin, clientOptions as Client.Options);
    client.dispatch(options, handler);
    client.close().catch(() => {});
  }

  /** Running requests are finished first. */
  close(): void {
    this.#pool.close().catch(() => {});
  }
}

/** Bytes a connection had received before an error: more than none means that it was a kept one. */
export interface ReusedError {
  receivedBefore?: number;
}

function poolOptions(transport: TransportSpec): Pool.Options {
  const keepAlive = transport.idleConnTimeout === 0 ? 3_600_000 : transport.idleConnTimeout;
  return {
    connections: maxConnectionsPerServer,
    pipelining: transport.maxIdleConnsPerHost < 0 ? 0 : 1,
    connect: markingConnector(transport),
    headersTimeout: transport.responseHeaderTimeout,
    bodyTimeout: 0,
    keepAliveTimeout: keepAlive,
    keepAliveMaxTimeout: keepAlive,
    maxHeaderSize: maxResponseHeaderBytes,
    allowH2: false,
  };
}

/** undici does not say whether a connection that was reset had served before: the socket does. */
function markingConnector(transport: TransportSpec): buildConnector.connector {
  const connect = buildConnector({ ...tlsOptions(transport), timeout: transport.dialTimeout, allowH2: false });
  return (options, callback) => {
    connect(options, (...result) => {
      const socket = result[1];
      if (socket) markErrors(socket);
      callback(...result);
    });
  };
}

function markErrors(socket: Socket): void {
  socket.prependListener('error', (error: Error & ReusedError) => {
    error.receivedBefore = socket.bytesRead;
  });
}

/** The transport's TLS half, as Node takes it. */
export function tlsOptions(transport: TransportSpec) {
  return {
    rejectUnauthorized: !transport.insecureSkipVerify,
    ...(transport.serverName === null ? {} : { servername: transport.serverName }),
    ...(transport.rootCAs.length === 0 ? {} : { ca: [...transport.rootCAs] }),
    ...(transport.certificates.length === 0
      ? {}
      : {
          cert: transport.certificates.map((pair) => pair.cert),
          key: transport.certificates.map((pair) => pair.key),
        }),
  };
}
