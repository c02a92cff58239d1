// Raw servers, and calls as promises, for the tests of the HTTP/1.1 client.

import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { TransportSpec } from '../../../../../src/model/snapshot.ts';
import type { BodySink, RequestBody } from '../../../../../src/proxy/body.ts';
import type { GatewayError } from '../../../../../src/proxy/errors.ts';
import type { HeaderList } from '../../../../../src/proxy/headers.ts';
import type {
  UpstreamCall,
  UpstreamHandler,
  UpstreamRequest,
} from '../../../../../src/proxy/upstream/http1/call.ts';
import type { ServerPool } from '../../../../../src/proxy/upstream/server-pool.ts';
import { transport as usualTransport } from '../../../../support/specs.ts';

export interface RawServer {
  readonly url: string;
  readonly port: number;
  /** Open connections, in the order they came. */
  readonly sockets: Socket[];
  /** Connections accepted so far. */
  accepted: number;
  /** Bytes received on all connections, as latin1. */
  received: string;
  stop(): Promise<void>;
}

/** `serve` gets every connection; `onRequest` of `answering` is the usual way to write one. */
export async function rawServer(serve: (socket: Socket) => void): Promise<RawServer> {
  const server = createServer({ noDelay: true }, (socket) => {
    raw.accepted++;
    raw.sockets.push(socket);
    socket.on('error', () => {});
    socket.on('data', (bytes: Buffer) => (raw.received += bytes.toString('latin1')));
    socket.on('close', () => raw.sockets.splice(raw.sockets.indexOf(socket), 1));
    serve(socket);
  });
  await listen(server);
  const { port } = server.address() as AddressInfo;
  const raw: RawServer = {
    url: `http://127.0.0.1:${port}`,
    port,
    sockets: [],
    accepted: 0,
    received: '',
    stop: () => stop(server, raw.sockets),
  };
  return raw;
}

/** Calls `onRequest` once per request head that ends a read, bodies not being looked at. */
export function answering(onRequest: (socket: Socket, head: string) => void): (socket: Socket) => void {
  return (socket) => {
    let text = '';
    socket.on('data', (bytes: Buffer) => {
      text += bytes.toString('latin1');
      for (let end = text.indexOf('\r\n\r\n'); end !== -1; end = text.indexOf('\r\n\r\n')) {
        const head = text.slice(0, end);
        text = text.slice(end + 4);
        onRequest(socket, head);
      }
    });
  };
}

export function ok(body: string): string {
  return `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

export function transport(differences: Partial<TransportSpec> = {}): TransportSpec {
  return {
    ...usualTransport,
    dialTimeout: 5_000,
    ...differences,
  };
}

export interface Outcome {
  status: number;
  headers: HeaderList;
  length: number;
  body: string;
  trailers: HeaderList | null;
  ended: boolean;
  error: GatewayError | null;
}

export interface Asked {
  readonly call: UpstreamCall;
  /** Grows as the answer comes. */
  readonly outcome: Outcome;
  /** Resolves at the end, whichever it is. */
  readonly done: Promise<Outcome>;
}

export interface AskOptions extends Partial<UpstreamRequest> {
  readonly fresh?: boolean;
  readonly onData?: (chunk: Uint8Array) => boolean;
  readonly onHead?: () => void;
}

/** Sends a request; handler calls after the end make the test fail. */
export function ask(pool: ServerPool, options: AskOptions = {}): Asked {
  const outcome: Outcome = {
    status: 0,
    headers: [],
    length: 0,
    body: '',
    trailers: null,
    ended: false,
    error: null,
  };
  let settle: (outcome: Outcome) => void;
  const done = new Promise<Outcome>((resolve) => (settle = resolve));
  const alive = (): void => {
    if (outcome.ended || outcome.error !== null) throw new Error('called after the end');
  };
  const handler: UpstreamHandler = {
    onHead(status, headers, length) {
      alive();
      Object.assign(outcome, { status, headers, length });
      options.onHead?.();
    },
    onData(chunk) {
      alive();
      outcome.body += Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length).toString('latin1');
      return options.onData?.(chunk) ?? true;
    },
    onTrailers(trailers) {
      alive();
      outcome.trailers = trailers;
    },
    onEnd() {
      alive();
      outcome.ended = true;
      settle(outcome);
    },
    onError(error) {
      alive();
      outcome.error = error;
      settle(outcome);
    },
  };
  const { method = 'GET', path = '/', headers = ['host', 'test'], body = null, fresh = false } = options;
  const call = pool.send({ method, path, headers, body }, handler, fresh);
  return { call, outcome, done };
}

/** The code of what went wrong, or a description of what should not have gone right. */
export async function failure(asked: Asked): Promise<string> {
  const { error, status, body } = await asked.done;
  return error === null ? `${status} ${body}` : error.code;
}

/** A body pushed by the test. */
export class PushedBody implements RequestBody {
  readonly length: number | null;
  received = 0;
  collected: Uint8Array | null = null;
  sink: BodySink | null = null;
  resumed = 0;

  constructor(length: number | null) {
    this.length = length;
  }

  get isPiped(): boolean {
    return this.sink !== null;
  }

  pipe(sink: BodySink): void {
    this.sink = sink;
  }

  push(text: string): boolean {
    return (this.sink as BodySink).data(Buffer.from(text, 'latin1'));
  }

  end(): void {
    this.sink?.end();
  }

  resume(): void {
    this.resumed++;
  }

  collect(): Promise<Uint8Array | null> {
    return Promise.resolve(null);
  }

  discard(): void {}
}

/** Polls until `check` holds; throws naming `what` after 5 s. */
export async function until(what: string, check: () => boolean): Promise<void> {
  const deadline = performance.now() + 5_000;
  while (!check()) {
    if (performance.now() > deadline) throw new Error(`waited 5 s for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

export function listen(server: Server, path?: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    if (path === undefined) server.listen(0, '127.0.0.1', resolve);
    else server.listen(path, resolve);
  });
}

export function stop(server: Server, sockets: readonly Socket[]): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    for (const socket of sockets) socket.destroy();
  });
}
