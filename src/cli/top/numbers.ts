// What `top` shows, worked out of what it has heard: plain data, as `--json` prints it.

import type { Seen } from './seen.ts';

export interface Numbers {
  /** ISO 8601. */
  readonly at: string;
  readonly endpoint: string;
  readonly version: string;
  /** Seconds; null when the gateway does not say. */
  readonly uptime: number | null;
  readonly configuration: {
    readonly version: number;
    readonly hash: string;
    readonly errors: number;
    readonly warnings: number;
  };
  /** Of the last ten seconds; `peak` of the busiest second of those that are kept. */
  readonly requests: { readonly perSecond: number; readonly peak: number; readonly seconds: number };
  /** Milliseconds, of the last second that had requests; null without any. */
  readonly latency: {
    readonly p50: number | null;
    readonly p95: number | null;
    readonly p99: number | null;
  };
  /** Of all seconds that are kept, at most 300. */
  readonly statuses: {
    readonly requests: number;
    readonly clientErrors: number;
    readonly serverErrors: number;
  };
  readonly authCache: { readonly hits: number; readonly misses: number };
  readonly workers: {
    readonly running: number;
    readonly total: number;
    /** Running, but with an older configuration. */
    readonly behind: number;
  };
  readonly routers: { readonly total: number; readonly off: number; readonly warnings: number };
  readonly servers: Seen['servers'];
  readonly certificates: {
    readonly total: number;
    readonly soon: number;
    readonly expired: number;
    readonly failing: Seen['orders'];
  };
  /** The youngest first. */
  readonly errors: Seen['errors'];
}

/** `now` is milliseconds since 1970. */
export function numbersOf(seen: Seen, endpoint: string, now: number): Numbers {
  const { points, workers, routers, certificates } = seen;
  const recent = points.slice(-10);
  const last = recent.findLast(({ requests }) => requests > 0);
  const running = workers.filter(({ state }) => state === 'running');
  return {
    at: new Date(now).toISOString(),
    endpoint: withoutUserinfo(endpoint),
    version: seen.version,
    uptime: Number.isNaN(seen.since) ? null : Math.max(0, Math.floor((now - seen.since) / 1000)),
    configuration: { version: seen.snapshot, hash: seen.hash, ...seen.diagnostics },
    requests: {
      perSecond: recent.length === 0 ? 0 : total(recent, 'requests') / recent.length,
      peak: points.reduce((most, { requests }) => Math.max(most, requests), 0),
      seconds: points.length,
    },
    latency: { p50: last?.p50 ?? null, p95: last?.p95 ?? null, p99: last?.p99 ?? null },
    statuses: {
      requests: total(points, 'requests'),
      clientErrors: total(points, 'clientErrors'),
      serverErrors: total(points, 'serverErrors'),
    },
    authCache: { hits: total(points, 'authHits'), misses: total(points, 'authMisses') },
    workers: {
      running: running.length,
      total: workers.length,
      behind: running.filter(({ version }) => version !== seen.snapshot).length,
    },
    routers: { total: routers.total, off: routers.errors, warnings: routers.warnings },
    servers: seen.servers,
    certificates: {
      total: certificates.total,
      soon: certificates.warnings,
      expired: certificates.errors,
      failing: seen.orders,
    },
    errors: seen.errors,
  };
}

type Counted = 'requests' | 'clientErrors' | 'serverErrors' | 'authHits' | 'authMisses';

function total(points: Seen['points'], of: Counted): number {
  return points.reduce((sum, point) => sum + point[of], 0);
}

/** User and password of an address are for the gateway alone. */
export function withoutUserinfo(endpoint: string): string {
  const url = new URL(endpoint);
  url.username = '';
  url.password = '';
  return url.href.replace(/\/$/, '');
}
