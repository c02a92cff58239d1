// A real auth server, a real forwardAuth middleware and real Exchanges, for the tests of forwardAuth.

import assert from 'node:assert/strict';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { EntryPointSpec } from '../../src/model/entry-point.ts';
import type { RequestBody } from '../../src/proxy/body.ts';
import type { Downstream } from '../../src/proxy/downstream.ts';
import { type EntryPoint, buildEntryPoint } from '../../src/proxy/entrypoints/entry-point.ts';
import { Exchange, type ExchangeRequest } from '../../src/proxy/exchange.ts';
import { getHeader, type HeaderList } from '../../src/proxy/headers.ts';
import type { Hooks, Verdict } from '../../src/proxy/hooks.ts';
import type { BuildDeps, Closable } from '../../src/proxy/middlewares/define.ts';
import { createAuthCacheRegistry } from '../../src/proxy/middlewares/forward-auth/cache.ts';
import { forwardAuth } from '../../src/proxy/middlewares/forward-auth.ts';
import { createAuthClients } from '../../src/proxy/upstream/auth-client.ts';
import { MemoryState } from '../../src/state/memory.ts';

export interface SeenCall {
  readonly method: string;
  readonly url: string;
  /** Raw names and values as on the wire. */
  readonly raw: readonly string[];
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface AuthServer {
  readonly address: string;
  readonly seen: SeenCall[];
  answer: (call: SeenCall, response: ServerResponse) => void;
  close(): Promise<void>;
}

export async function startAuthServer(answer: AuthServer['answer']): Promise<AuthServer> {
  const seen: SeenCall[] = [];
  // As large as the gateway lets a head be, so that what it would forward arrives.
  const server = http.createServer({ maxHeaderSize: 1024 * 1024 }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers, rawHeaders: raw } = request;
      const call = { method, url, raw, headers, body: Buffer.concat(chunks).toString('latin1') };
      seen.push(call);
      auth.answer(call, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const auth: AuthServer = {
    address: `http://127.0.0.1:${port}/verify?x=1`,
    seen,
    answer,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return auth;
}

export interface Bench {
  readonly deps: BuildDeps;
  /** Builds a forwardAuth as a reload would: kept things stay. */
  build(options: Record<string, unknown>, name?: string): Hooks;
  close(): void;
}

export function openBench(secret = 'f00d'.repeat(16)): Bench {
  const clients = createAuthClients();
  const kept = new Map<string, Closable>();
  let slots = 0;
  const depsFor = (name: string): BuildDeps => ({
    name,
    router: '',
    bootSecret: secret,
    slot: () => slots++,
    keep<T extends Closable>(key: string, create: () => T): T {
      const thing = kept.get(key) ?? create();
      kept.set(key, thing);
      return thing as T;
    },
    service() {
      throw new Error('there are no services here');
    },
    authClients: clients,
    authCaches,
    state: new MemoryState(),
    log: { warn() {}, error() {} },
  });
  const authCaches = createAuthCacheRegistry();
  return {
    deps: depsFor('auth@file'),
    build: (options, name = 'auth@file') =>
      forwardAuth.build(forwardAuth.schema.parse(options), depsFor(name)),
    close() {
      for (const thing of kept.values()) thing.close();
      clients.close();
    },
  };
}

export class FakeClient implements Downstream {
  onDrain: (() => void) | null = null;
  onAbort: (() => void) | null = null;
  aborted = false;
  respond(): void {}
  begin(): void {}
  write(): boolean {
    return true;
  }
  finish(): void {}
  abort(): void {}
  leave(): void {
    this.aborted = true;
    this.onAbort?.();
  }
}

const spec = { name: 'web', forwardedHeaders: { insecure: false, trustedIPs: [] } };
const entryPoint: EntryPoint = buildEntryPoint(spec as unknown as EntryPointSpec, () => {});

export interface RequestFacts extends Partial<ExchangeRequest> {
  readonly client?: FakeClient;
}

/** An Exchange as intake leaves it. */
export function exchange(facts: RequestFacts = {}): Exchange {
  const base = {
    entryPoint,
    downstream: facts.client ?? new FakeClient(),
    method: 'GET',
    scheme: 'http' as const,
    authority: 'app.test:8080',
    host: 'app.test',
    path: '/a',
    routePath: '/a',
    search: '?q=1',
    headers: [],
    peer: '10.1.1.1',
    trusted: false,
    isUpgrade: false,
    body: null,
    startedAt: performance.now(),
  };
  const { client: _client, ...rest } = facts;
  return new Exchange({ ...base, ...rest, headers: [...(rest.headers ?? [])] });
}

export async function run(hooks: Hooks, x: Exchange): Promise<Verdict> {
  assert.ok(hooks.request);
  return hooks.request(x);
}

/** A request with these headers through the middleware; the Exchange afterwards. */
export async function pass(
  hooks: Hooks,
  headers: HeaderList = [],
  facts: RequestFacts = {},
): Promise<Exchange> {
  const x = exchange({ ...facts, headers });
  await run(hooks, x);
  return x;
}

export function bearer(token: string): HeaderList {
  return ['authorization', `Bearer ${token}`];
}

export function header(x: Exchange, name: string): string | null {
  return getHeader(x.headers, name);
}

export function jwt(claims: Record<string, unknown>): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'HS256' })}.${part(claims)}.c2ln`;
}

export function bodyOf(text: string): RequestBody {
  const bytes = Buffer.from(text);
  let collected: Uint8Array | null = null;
  return {
    length: bytes.length,
    pipe() {},
    resume() {},
    collect: async (max) => (collected = bytes.length > max ? null : bytes),
    get collected() {
      return collected;
    },
    received: bytes.length,
    isPiped: false,
    discard() {},
  };
}

/** Until `condition` holds; fails after `ms`. */
export async function until(condition: () => boolean, ms = 3_000): Promise<void> {
  const deadline = performance.now() + ms;
  while (!condition()) {
    assert.ok(performance.now() < deadline, 'condition did not come true in time');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
