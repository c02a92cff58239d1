// The HTTP client of auth calls: one connection pool per address and TLS settings, kept over reloads. Its
// promise is to settle within the call's timeout and never to hold more than the call's body bound.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { buildConnector, Client, Pool } from 'undici';
import { GatewayError } from '../errors.ts';
import { hasHeader } from '../headers.ts';
import { type AuthCall, CallExchange, type PendingAnswer } from './auth-call.ts';

/** Texts are PEM, or the path of a file that holds PEM; files are read when the client is got. */
export interface AuthTls {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly insecureSkipVerify: boolean;
}

export interface AuthClientOptions {
  /** `http:` or `https:` URL. */
  readonly address: string;
  readonly tls: AuthTls | null;
}

export interface AuthClient {
  ask(call: AuthCall): PendingAnswer;
}

export interface AuthClients {
  /** Throws `Error` when the address is no http(s) URL. */
  get(options: AuthClientOptions): AuthClient;
}

/** Connections of one worker to one auth server. */
const maxConnections = 256;
/** Calls of one worker to one auth server, waiting ones included; more fail closed at once. */
const maxCalls = 4_096;
/** Pools kept; the one asked for longest ago is closed and opens again when it is used. */
const maxClients = 256;
/** Milliseconds; under the 5 s after which Node servers drop an idle connection. */
const idleTimeout = 4_000;
/** Bytes of an answer's head. */
const maxHeadSize = 64 * 1024;

export function createAuthClients(): AuthClients & { close(): Promise<void> } {
  const clients = new Map<string, PooledClient>();
  return {
    get(options) {
      const target = readTarget(options);
      const client = clients.get(target.id) ?? new PooledClient(target);
      clients.delete(target.id);
      clients.set(target.id, client);
      if (clients.size > maxClients) evictOldest(clients);
      return client;
    },
    async close() {
      const closing = [...clients.values()].map((client) => client.close());
      clients.clear();
      await Promise.all(closing);
    },
  };
}

function evictOldest(clients: Map<string, PooledClient>): void {
  for (const [id, client] of clients) {
    clients.delete(id);
    void client.rest();
    return;
  }
}

interface Target {
  readonly id: string;
  readonly origin: string;
  readonly path: string;
  /** Value of Authorization when the address carries `user:password@`. */
  readonly userinfo: string | null;
  readonly tls: { ca?: string; cert?: string; key?: string; rejectUnauthorized: boolean };
}

function readTarget(options: AuthClientOptions): Target {
  const url = URL.parse(options.address);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new Error('address is not an http or https URL');
  }
  const tls: Target['tls'] = { rejectUnauthorized: options.tls?.insecureSkipVerify !== true };
  for (const part of ['ca', 'cert', 'key'] as const) {
    const written = options.tls?.[part];
    if (written !== undefined && written !== '') tls[part] = readPem(written, part);
  }
  const userinfo = url.username === '' && url.password === '' ? null : basicAuth(url);
  const path = url.pathname + url.search;
  const id = createHash('sha256')
    .update(JSON.stringify([url.origin, path, userinfo, tls]))
    .digest('hex');
  return { id, origin: url.origin, path, userinfo, tls };
}

function basicAuth(url: URL): string {
  const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}

function readPem(written: string, part: string): string {
  if (written.includes('-----BEGIN')) return written;
  try {
    return readFileSync(written, 'utf8');
  } catch {
    throw new Error(`tls.${part} is neither PEM nor a readable file`);
  }
}

class PooledClient implements AuthClient {
  readonly #target: Target;
  #pool: Pool | null = null;
  #calls = 0;
  #closed = false;
  /** Bytes a connection had read when it broke: more than none means that it was used before. */
  readonly #readBeforeError = new WeakMap<Error, number>();

  constructor(target: Target) {
    this.#target = target;
  }

  ask(call: AuthCall): PendingAnswer {
    if (this.#closed || this.#calls >= maxCalls) {
      const why = this.#closed ? 'client is closed' : `more than ${maxCalls} calls under way`;
      return { answer: Promise.reject(new GatewayError('auth.unreachable', why)), cancel() {} };
    }
    this.#calls++;
    const exchange = new CallExchange(call, this.#requestHeaders(call), this.#target.path);
    exchange.onDone = () => this.#calls--;
    exchange.retry = (error) => this.#retryFresh(exchange, error);
    this.#pool ??= new Pool(this.#target.origin, { ...this.#clientOptions(), connections: maxConnections });
    exchange.dispatch(this.#pool);
    return exchange;
  }

  /** Closes connections once they are idle. */
  async rest(): Promise<void> {
    const pool = this.#pool;
    this.#pool = null;
    await pool?.close();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#pool?.destroy();
  }

  // An idle connection that the server closed just as we wrote: RFC 9110 §9.2.2 lets a client repeat that.
  #retryFresh(exchange: CallExchange, error: Error): boolean {
    const read = this.#readBeforeError.get(error) ?? readOf(error);
    if (read === 0 || this.#closed) return false;
    const client = new Client(this.#target.origin, this.#clientOptions());
    exchange.dispatch(client);
    void client.close();
    return true;
  }

  #clientOptions(): Client.Options {
    const connect = buildConnector({ ...this.#target.tls, allowH2: false, timeout: 30_000 });
    return {
      pipelining: 1,
      allowH2: false,
      keepAliveTimeout: idleTimeout,
      keepAliveMaxTimeout: idleTimeout,
      maxHeaderSize: maxHeadSize,
      // The call's own deadline covers head and body.
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: (options, callback) => {
        connect(options, (...result: [null, Socket] | [Error, null]) => {
          // A failed connect gives an error and no second argument at all.
          if (result[0] === null) this.#watch(result[1]);
          callback(...result);
        });
      },
    };
  }

  #watch(socket: Socket): void {
    socket.prependListener('error', (error) => this.#readBeforeError.set(error, socket.bytesRead));
  }

  #requestHeaders(call: AuthCall): string[] {
    const headers = [...call.headers];
    const { userinfo } = this.#target;
    if (userinfo !== null && !hasHeader(headers, 'authorization')) headers.push('authorization', userinfo);
    return headers;
  }
}

/** Bytes the broken connection had read, by what the library tells. */
function readOf(error: Error): number {
  const socket = (error as { socket?: { bytesRead?: number } | null }).socket;
  return socket?.bytesRead ?? 0;
}
