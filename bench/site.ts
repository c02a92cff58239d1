// What every proxy is asked to do, in words of none of them. Each peer writes it in its own.

export interface Site {
  /** Tried in this order; no path is a prefix of another of the same host. */
  readonly routes: readonly Route[];
  readonly accessLog: boolean;
  /** Requests are counted for Prometheus, which does not come by. */
  readonly metrics?: true;
  /** With the certificate all peers share; cleartext unless said. */
  readonly isHttps?: boolean;
  /** Connections of clients open at once. */
  readonly connections: number;
}

export interface Route {
  readonly name: string;
  /** Null takes every host. */
  readonly host: string | null;
  /** What the request's path begins with. */
  readonly path: string;
  readonly to: Target;
  /** Asked of the auth server first: for every request, or with its answer kept by the proxy. */
  readonly guard: 'asked' | 'cached' | null;
  /** Requests of each client's address are counted against `rateLimit`, which is never reached. */
  readonly isLimited?: true;
  /** Where it answers 200; `path` unless said. */
  readonly probe?: string;
}

/** `sticky` is `origin` and its `twin`, a client being kept at one of them by a cookie. */
export type Target = 'origin' | 'node' | 'sticky';

/** Requests per second, and as many at once: more than any machine sends. */
export const rateLimit = 1_000_000;

/** The cookie that keeps a client at its server. */
export const stickyCookie = 'bench_server';

/** `host:port` of what stands behind. `origin` is nginx where there is one, `node` our own. */
export interface Backends {
  /** The same as `origin`, at another port. */
  readonly twin: string;
  readonly origin: string;
  readonly node: string;
  readonly auth: string;
}

export const plainRoute: Route = { name: 'plain', host: null, path: '/plain', to: 'origin', guard: null };

export function siteOf(routes: readonly Route[], rest: Partial<Site> = {}): Site {
  return { routes, accessLog: false, connections: 1_024, ...rest };
}

/** `n` routes of one host and path each. */
export function manyRoutes(n: number): readonly Route[] {
  return Array.from({ length: n }, (_, i) => ({
    name: `app${i}`,
    host: hostOf(i),
    path: '/api',
    to: 'origin',
    guard: null,
  }));
}

export function hostOf(i: number): string {
  return `app${i}.example.com`;
}
