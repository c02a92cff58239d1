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
  #closed = false;

  /** `url` is scheme, host and port. */
  constructor(url: string, transport: TransportSpec) {
    this.origin = url;
    this.transport = transport;
    this.#options = poolOptions(transport);
    this.#pool = new Pool(url, this.#options);
  }

  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void {
    // A request that waited in a middleware while its Runtime was replaced is still served.
    if (this.#closed) this.dispatchFresh(options, handler);
    else this.#pool.dispatch(options, handler);
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
    this.#closed = true;
    this.#pool.close().catch(() => {});
  }
}

/** What the connection had received when it failed, bytes. */
export interface MarkedError {
  /** In all. */
  received?: number;
  /** Before the request that failed: more than none means that the connection was a kept one. */
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
  const connect = buildConnector({
    ...tlsOptions(transport),
    timeout: transport.dialTimeout,
    allowH2: false,
  });
  return (options, callback) => {
    connect(options, (...result) => {
      const socket = result[1];
      if (socket) markErrors(socket);
      callback(...result);
    });
  };
}

function markErrors(socket: Socket): void {
  let receivedBefore = 0;
  const write = socket.write as (...args: unknown[]) => boolean;
  socket.write = (chunk: unknown, encoding?: unknown, callback?: unknown): boolean => {
    receivedBefore = socket.bytesRead;
    return write.call(socket, chunk, encoding, callback);
  };
  socket.prependListener('error', (error: Error & MarkedError) => {
    error.receivedBefore = receivedBefore;
    error.received = socket.bytesRead;
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
