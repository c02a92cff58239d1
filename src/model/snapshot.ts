// What the primary resolved and every worker runs: plain data, versioned and hashed.

import type { RouterTls } from './entry-point.ts';
import type { TlsSpec } from './tls.ts';

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
  readonly tls: TlsSpec;
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
  /** Absent: its requests are counted. */
  readonly metrics?: false;
  /** Absent: its requests are traced, with few spans each. */
  readonly tracing?: false;
  readonly traceVerbosity?: 'detailed';
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

export type ServiceSpec =
  | LoadBalancerSpec
  | WeightedSpec
  | HighestRandomWeightSpec
  | MirroringSpec
  | FailoverSpec
  | InternalServiceSpec;

/** Services made of other services. They never contain themselves, and lie at most 16 deep. */
export type NestedServiceSpec = WeightedSpec | HighestRandomWeightSpec | MirroringSpec | FailoverSpec;

interface CommonServiceSpec {
  /** Qualified. */
  readonly name: string;
  readonly provider: string;
  /** Qualified, chains inlined; run behind those of the router. Absent: none. */
  readonly middlewares?: readonly string[];
  readonly errors: readonly string[];
}

export interface InternalServiceSpec {
  readonly kind: 'internal';
  /** `ping@internal`, `api@internal`, `dashboard@internal`, `prometheus@internal`, `acme-http@internal`, `noop@internal`. */
  readonly name: string;
  readonly provider: 'internal';
  readonly target: 'ping' | 'api' | 'dashboard' | 'prometheus' | 'acme-http' | 'noop';
  readonly errors: readonly string[];
}

export interface ServerSpec {
  /** Scheme, host and port: `http://10.0.0.1:8000`. */
  readonly url: string;
  /** Path of the written URL, prefixed to requests; empty unless `preservePath`. */
  readonly path: string;
  readonly weight: number;
  /** It keeps the sessions it has and gets nothing else. */
  readonly drain?: true;
}

export interface LoadBalancerSpec extends CommonServiceSpec {
  readonly kind: 'loadBalancer';
  readonly servers: readonly ServerSpec[];
  /** Absent: weighted round robin. */
  readonly strategy?: 'p2c' | 'hrw' | 'leasttime';
  readonly passHostHeader: boolean;
  /** Milliseconds, for the API only: bytes go on as they come, nothing is ever held back to be flushed. */
  readonly flushInterval: number;
  /** Qualified. */
  readonly serversTransport: string;
  readonly sticky: StickyCookieSpec | null;
  /** Absent: no header leads to a server. */
  readonly stickyHeader?: StickyHeaderSpec;
  readonly healthCheck: HealthCheckSpec | null;
  /** Absent: requests say nothing about health. */
  readonly passiveHealthCheck?: PassiveHealthCheckSpec;
}

export interface PassiveHealthCheckSpec {
  /** Milliseconds: failures further apart do not add up; also how long a server stays down. */
  readonly failureWindow: number;
  /** Failures in a row, 1 or more. */
  readonly maxFailedAttempts: number;
}

/** One of the services another one is made of. */
export interface ChildSpec {
  /** Qualified. */
  readonly name: string;
  /** As it was written: sticky cookies and the API show that. */
  readonly written: string;
  /** 0 is never picked. */
  readonly weight: number;
}

export interface WeightedSpec extends CommonServiceSpec {
  readonly kind: 'weighted';
  readonly children: readonly ChildSpec[];
  readonly sticky: StickyCookieSpec | null;
  /** Absent: no header leads to a child. */
  readonly stickyHeader?: StickyHeaderSpec;
  /** Children that are down are left out, and this one is down with the last of them. */
  readonly followsHealth: boolean;
}

export interface HighestRandomWeightSpec extends CommonServiceSpec {
  readonly kind: 'highestRandomWeight';
  readonly children: readonly ChildSpec[];
  readonly followsHealth: boolean;
}

export interface MirroringSpec extends CommonServiceSpec {
  readonly kind: 'mirroring';
  /** Qualified. */
  readonly service: string;
  readonly mirrorBody: boolean;
  /** Bytes; -1 is the gateway's own bound. */
  readonly maxBodySize: number;
  readonly mirrors: readonly MirrorSpec[];
  readonly followsHealth: boolean;
}

export interface MirrorSpec {
  /** Qualified. */
  readonly name: string;
  /** 0 to 100. */
  readonly percent: number;
}

export interface FailoverSpec extends CommonServiceSpec {
  readonly kind: 'failover';
  /** Qualified, both. */
  readonly service: string;
  readonly fallback: string;
  readonly followsHealth: boolean;
  /** Null: only health decides. */
  readonly onErrors: FailoverErrorsSpec | null;
}

export interface FailoverErrorsSpec {
  /** Answers of the first service with one of these go to the fallback; both ends included. */
  readonly status: readonly (readonly [from: number, to: number])[];
  /** Bytes; -1 is the gateway's own bound. */
  readonly maxRequestBodyBytes: number;
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

export interface StickyHeaderSpec {
  /** Lower case. */
  readonly name: string;
  /** Milliseconds a session may be unused. */
  readonly ttl: number;
  /** What a request gets whose session is unknown, or at a server that is gone. */
  readonly onLost: 'repick' | '404';
}

export interface HealthCheckSpec {
  /** Absent: an HTTP request. */
  readonly mode?: 'grpc';
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

export type TlsVersion = 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';

export interface TransportSpec {
  readonly name: string;
  readonly serverName: string | null;
  readonly insecureSkipVerify: boolean;
  /** PEM texts, already read from their files. */
  readonly rootCAs: readonly string[];
  readonly certificates: readonly { readonly cert: string; readonly key: string }[];
  /** As OpenSSL names them, those of TLS 1.3 first. Absent: the runtime's own. */
  readonly cipherSuites?: readonly string[];
  readonly minVersion?: TlsVersion;
  readonly maxVersion?: TlsVersion;
  /** A URI that the server's certificate must name (SAN), beside its host name. */
  readonly peerCertURI?: string;
  /** Servers of the scheme https are spoken to in HTTP/1.1 alone. */
  readonly disableHTTP2?: true;
  readonly maxIdleConnsPerHost: number;
  /** Milliseconds; 0 means none. */
  readonly dialTimeout: number;
  readonly responseHeaderTimeout: number;
  readonly idleConnTimeout: number;
  readonly errors: readonly string[];
}
