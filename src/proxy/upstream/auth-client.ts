// The HTTP client of auth calls: one connection pool per address and TLS settings, kept over reloads. Its
// promise is to settle within the call's timeout and never to hold more than the call's body bound.

import { createHash } from 'node:crypto';
import type { TransportSpec } from '../../model/snapshot.ts';
import { GatewayError } from '../errors.ts';
import { hasHeader, type HeaderList } from '../headers.ts';
import {
  type AuthCall,
  type AuthListener,
  CallExchange,
  type CallOwner,
  type PendingAnswer,
} from './auth-call.ts';
import { AuthCalls } from './auth-calls.ts';
import { Http1Pool } from './http1/pool.ts';

/** PEM texts, empty for none: files were read in the primary. */
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
  /** Never throws. */
  ask(call: AuthCall, listener: AuthListener): PendingAnswer;
}

export interface AuthClients {
  /** Throws `Error` when the address is no http(s) URL, or a text no PEM. */
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
/** Milliseconds; the call's own deadline covers all of it. */
const dialTimeout = 30_000;

export function createAuthClients(): AuthClients & { close(): void } {
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
    close() {
      for (const client of clients.values()) client.close();
      clients.clear();
    },
  };
}

function evictOldest(clients: Map<string, PooledClient>): void {
  for (const [id, client] of clients) {
    clients.delete(id);
    client.rest();
    return;
  }
}

interface Target {
  readonly id: string;
  readonly origin: string;
  readonly host: string;
  readonly path: string;
  /** Value of Authorization when the address carries `user:password@`. */
  readonly userinfo: string | null;
  readonly transport: TransportSpec;
}

function readTarget(options: AuthClientOptions): Target {
  const url = URL.parse(options.address);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new Error('address is not an http or https URL');
  }
  const pem = (part: 'ca' | 'cert' | 'key'): string => checkedPem(options.tls?.[part] ?? '', part);
  const [ca, cert, key] = [pem('ca'), pem('cert'), pem('key')];
  const transport: TransportSpec = {
    name: 'auth',
    serverName: null,
    insecureSkipVerify: options.tls?.insecureSkipVerify === true,
    rootCAs: ca === '' ? [] : [ca],
    certificates: cert === '' ? [] : [{ cert, key }],
    maxIdleConnsPerHost: maxConnections,
    dialTimeout,
    responseHeaderTimeout: 0,
    idleConnTimeout: idleTimeout,
    errors: [],
  };
  const userinfo = url.username === '' && url.password === '' ? null : basicAuth(url);
  const path = url.pathname + url.search;
  const id = createHash('sha256')
    .update(JSON.stringify([url.origin, path, userinfo, transport]))
    .digest('hex');
  return { id, origin: url.origin, host: url.host, path, userinfo, transport };
}

function basicAuth(url: URL): string {
  const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}

/** A worker reads no files: a path that is left over must not look like no authorities at all. */
function checkedPem(text: string, part: string): string {
  if (text === '' || text.includes('-----BEGIN')) return text;
  throw new Error(`tls.${part}: the file was not read`);
}

class PooledClient implements AuthClient, CallOwner {
  readonly path: string;
  readonly origin: string;
  readonly #target: Target;
  #pool: Http1Pool | null = null;
  /** At most `maxCalls`. */
  readonly #running = new AuthCalls<CallExchange>();
  #closed = false;

  constructor(target: Target) {
    this.path = target.path;
    this.origin = target.origin;
    this.#target = target;
  }

  ask(call: AuthCall, listener: AuthListener): PendingAnswer {
    if (this.#closed || this.#running.size >= maxCalls) {
      const why = this.#closed ? 'client is closed' : `more than ${maxCalls} calls under way`;
      return failLater(listener, new GatewayError('auth.unreachable', why));
    }
    const exchange = new CallExchange(call, this.#requestHeaders(call), this, listener);
    this.#running.add(exchange);
    exchange.send();
    return exchange;
  }

  get pool(): Http1Pool {
    const { origin, transport } = this.#target;
    this.#pool ??= new Http1Pool(origin, transport, { connections: maxConnections, waiting: maxCalls });
    return this.#pool;
  }

  left(call: CallExchange): void {
    this.#running.remove(call);
  }

  /** Closes connections once they are idle; opens again when it is used. */
  rest(): void {
    this.#pool?.close();
    this.#pool = null;
  }

  close(): void {
    this.#closed = true;
    this.#running.forEach((call) => call.fail(new GatewayError('client.gone')));
    this.rest();
  }

  #requestHeaders(call: AuthCall): HeaderList {
    const { host, userinfo } = this.#target;
    const headers = ['host', host];
    for (const text of call.headers) headers.push(text);
    if (userinfo !== null && !hasHeader(headers, 'authorization')) headers.push('authorization', userinfo);
    return headers;
  }
}

function failLater(listener: AuthListener, error: GatewayError): PendingAnswer {
  let isOver = false;
  process.nextTick(() => {
    if (!isOver) listener.onAnswer(error);
  });
  return {
    cancel() {
      isOver = true;
    },
  };
}
