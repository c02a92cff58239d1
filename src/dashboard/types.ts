// What the API answers, as far as the dashboard reads it. Written down once more here: an older primary may leave
// things out, so everything but names is optional.

export type Status = 'enabled' | 'disabled' | 'warning';

export interface Listed {
  readonly name: string;
  readonly provider?: string;
  readonly status?: Status;
  readonly error?: readonly string[];
  readonly usedBy?: readonly string[];
  readonly type?: string;
  readonly [field: string]: unknown;
}

export interface Router extends Listed {
  readonly rule?: string;
  readonly service?: string;
  readonly priorityStr?: string;
  readonly entryPoints?: readonly string[];
  readonly middlewares?: readonly string[];
  readonly tls?: { readonly options?: string; readonly certResolver?: string };
}

export interface Service extends Listed {
  readonly serverStatus?: Readonly<Record<string, 'UP' | 'DOWN'>>;
  readonly middlewares?: readonly string[];
  readonly loadBalancer?: {
    readonly servers?: readonly {
      readonly url: string;
      readonly weight?: number;
      readonly drain?: boolean;
    }[];
    readonly healthCheck?: Readonly<Record<string, unknown>>;
    readonly passiveHealthCheck?: Readonly<Record<string, unknown>>;
    readonly [field: string]: unknown;
  };
}

export interface EntryPoint {
  readonly name: string;
  readonly address?: string;
  readonly engine?: string;
  readonly side?: string;
  readonly asDefault?: boolean;
  readonly tlsHosts?: readonly { readonly host: string; readonly options?: string }[];
  readonly http?: Readonly<Record<string, unknown>>;
  readonly transport?: Readonly<Record<string, unknown>>;
}

export interface Walk {
  readonly router: Router;
  readonly entryPoints: readonly EntryPoint[];
  readonly middlewares: readonly Listed[];
  readonly services: readonly Service[];
  readonly children: Readonly<Record<string, readonly string[]>>;
}

export interface Count {
  readonly total: number;
  readonly warnings: number;
  readonly errors: number;
}

export interface Overview {
  readonly http: { readonly routers: Count; readonly services: Count; readonly middlewares: Count };
  readonly certificates?: Count;
  readonly providers?: readonly string[] | null;
}

export interface Version {
  readonly Version: string;
  readonly startDate: string;
  readonly dashboardName?: string;
}

export interface Certificate {
  readonly name: string;
  readonly names: readonly string[];
  readonly notBefore: string;
  readonly notAfter: string;
  readonly status: 'enabled' | 'warning' | 'expired';
  readonly source: string;
}

export interface Acme {
  readonly resolver: string;
  readonly names: readonly string[];
  readonly state: string;
  readonly notAfter: number | null;
  readonly renewAt: number | null;
  readonly lastError: string | null;
  readonly failures: number;
  readonly nextTry: number | null;
}

export interface Diagnostic {
  readonly severity: 'error' | 'warning' | 'info';
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly where: {
    readonly source: string;
    readonly line?: number;
    readonly column?: number;
    readonly path?: string;
  };
}

export interface Point {
  readonly at: number;
  readonly requests: number;
  readonly clientErrors: number;
  readonly serverErrors: number;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  readonly authHits: number;
  readonly authMisses: number;
}

export interface RecentError {
  readonly code: string;
  readonly blame: string;
  readonly status: number;
  readonly entryPoint: string;
  readonly router: string | null;
  readonly service: string | null;
  readonly server: string | null;
  readonly reason: string;
  readonly count: number;
  readonly first: number;
  readonly last: number;
}

export type LiveEvent =
  | {
      readonly kind: 'server';
      readonly at: number;
      readonly service: string;
      readonly url: string;
      readonly up: boolean;
    }
  | { readonly kind: 'snapshot'; readonly at: number; readonly version: number };

export interface LiveAnswer {
  readonly points: readonly Point[];
  readonly revision: number;
  readonly errors: readonly RecentError[] | null;
  readonly events: readonly LiveEvent[] | null;
  readonly version: number;
  readonly hash: string;
  readonly workers: readonly { readonly pid: number; readonly state: string; readonly version: number }[];
  readonly diagnostics: { readonly errors: number; readonly warnings: number };
}

export interface Explanation {
  readonly text: string;
  readonly isServed: boolean;
  readonly router: string | null;
}
