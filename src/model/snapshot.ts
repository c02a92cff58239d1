// What the primary resolved and every worker runs: plain data, versioned and hashed.

import type { RouterTls } from './entry-point.ts';

/** Highest priority of all (Go's MaxInt64): the internal routers. */
export const maxPriority = 9223372036854775807n;
/** Highest priority a user's router may have. */
export const maxUserPriority: bigint = maxPriority - 1000n;

export interface Snapshot {
  /** Counts up with every change the primary broadcasts; starts at 1. */
  readonly version: number;
  /** SHA-256 over everything below, hex. Equal hash means equal behaviour. */
  readonly hash: string;
  readonly routers: readonly RouterSpec[];
  readonly middlewares: readonly MiddlewareSpec[];
  readonly services: readonly ServiceSpec[];
  readonly transports: readonly TransportSpec[];
}

export type RuleSyntax = 'v2' | 'v3';

export interface RouterSpec {
  /** Qualified, `name@provider`; a copy made for one entry point's model is `<entryPoint>-<name>@provider`. */
  readonly name: string;
  readonly provider: string;
  readonly entryPoints: readonly string[];
  readonly rule: string;
  readonly ruleSyntax: RuleSyntax;
  /** Never 0: the rule's length in bytes is already put in. */
  readonly priority: bigint;
  /** Qualified, in the order they run; entry point middlewares first, chains already inlined. */
  readonly middlewares: readonly string[];
  /** Qualified. */
  readonly service: string;
  /** Null: the router exists on the cleartext side only. */
  readonly tls: RouterTls | null;
  readonly accessLogs: boolean;
  /**
   * Why this router cannot do its work. With a rule that parses it stays in place and answers 503;
   * with one that does not it is nowhere.
   */
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
}

export interface MiddlewareSpec {
  readonly name: string;
  readonly provider: string;
  /** As Traefik spells it: `forwardAuth`, `stripPrefix`. */
  readonly kind: string;
  /** What the kind's schema made of the written options. Secrets stay in: never log it. */
  readonly options: unknown;
  readonly errors: readonly string[];
}

export type ServiceSpec = LoadBalancerSpec | InternalServiceSpec;

export interface InternalServiceSpec {
  readonly kind: 'internal';
  /** `ping@internal`, `api@internal`, `noop@internal`. */
  readonly name: string;
  readonly provider: 'internal';
  readonly target: 'ping' | 'api' | 'noop';
  readonly errors: readonly string[];
}

export interface ServerSpec {
  /** Scheme, host and port: `http://10.0.0.1:8000`. */
  readonly url: string;
  /** Path of the written URL, prefixed to requests; empty unless `preservePath`. */
  readonly path: string;
  readonly weight: number;
}

export interface LoadBalancerSpec {
  readonly kind: 'loadBalancer';
  readonly name: string;
  readonly provider: string;
  readonly servers: readonly ServerSpec[];
  readonly passHostHeader: boolean;
  /** Milliseconds; negative flushes every write. */
  readonly flushInterval: number;
  /** Qualified. */
  readonly serversTransport: string;
  readonly sticky: StickyCookieSpec | null;
  readonly healthCheck: HealthCheckSpec | null;
  readonly errors: readonly string[];
}

export interface StickyCookieSpec {
  readonly name: string;
  readonly secure: boolean;
  readonly httpOnly: boolean;
  readonly sameSite: 'none' | 'lax' | 'strict' | null;
  /** Seconds; 0 is a session cookie, negative is `Max-Age=0`. */
  readonly maxAge: number;
  readonly path: string;
  readonly domain: string | null;
}

export interface HealthCheckSpec {
  readonly path: string;
  readonly scheme: 'http' | 'https' | null;
  readonly port: number | null;
  readonly hostname: string | null;
  readonly method: string;
  /** 0 accepts 200 to 399. */
  readonly status: number;
  /** Milliseconds. */
  readonly interval: number;
  readonly unhealthyInterval: number;
  readonly timeout: number;
  readonly followRedirects: boolean;
  readonly headers: Readonly<Record<string, string>>;
  /** Probes in a row that change the state. */
  readonly rise: number;
  readonly fall: number;
  readonly initial: 'up' | 'down';
}

export interface TransportSpec {
  readonly name: string;
  readonly serverName: string | null;
  readonly insecureSkipVerify: boolean;
  /** PEM texts, already read from their files. */
  readonly rootCAs: readonly string[];
  readonly certificates: readonly { readonly cert: string; readonly key: string }[];
  readonly maxIdleConnsPerHost: number;
  /** Milliseconds; 0 means none. */
  readonly dialTimeout: number;
  readonly responseHeaderTimeout: number;
  readonly idleConnTimeout: number;
  readonly errors: readonly string[];
}
