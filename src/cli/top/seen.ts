// What `top` has heard from a gateway so far: asked again each second, kept for five minutes.

import type { LiveEvent, LivePoint, RecentError } from '../../primary/live.ts';
import { type Asking, ask } from './ask.ts';

export interface Count {
  readonly total: number;
  readonly warnings: number;
  readonly errors: number;
}

export interface DownServer {
  readonly service: string;
  readonly url: string;
}

export interface Seen {
  readonly version: string;
  /** Milliseconds since 1970; NaN when the gateway does not say. */
  readonly since: number;
  /** In order, each second once, the last 300. */
  readonly points: readonly LivePoint[];
  readonly revision: number;
  /** The youngest first. */
  readonly errors: readonly RecentError[];
  readonly events: readonly LiveEvent[];
  /** Of the Snapshot in force. */
  readonly snapshot: number;
  readonly hash: string;
  readonly workers: readonly { readonly pid: number; readonly state: string; readonly version: number }[];
  readonly diagnostics: { readonly errors: number; readonly warnings: number };
  readonly routers: Count;
  readonly certificates: Count;
  readonly servers: { readonly total: number; readonly down: readonly DownServer[] };
  /** Orders of certificates that have failed: the last reason of each, by its first name. */
  readonly orders: readonly { readonly name: string; readonly reason: string }[];
  /** When the slower half was last asked for: milliseconds of the monotonic clock. */
  readonly slowAt: number;
}

/** Milliseconds between two looks at what changes seldom; a server that went up or down is seen at once. */
const slowEvery = 10_000;
const maxPoints = 300;
const perPage = 500;
/** 2,000 services: with more, servers of the others are not counted. */
const maxPages = 4;

/** Rejects as `ask` does. */
export async function look(asking: Asking, before: Seen | null): Promise<Seen> {
  const after = before?.points.at(-1)?.at ?? 0;
  const live = asLive(
    await ask(asking, `/api/portcullis/live?after=${after}&revision=${before?.revision ?? 0}`),
  );
  const events = live.events ?? before?.events ?? [];
  const isOld = before === null || performance.now() - before.slowAt > slowEvery;
  const slow =
    isOld || live.events?.[0]?.at !== before.events[0]?.at || live.version !== before.snapshot
      ? await lookSlowly(asking)
      : before;
  const { version, since, routers, certificates, servers, orders, slowAt } = slow;
  return {
    version,
    since,
    routers,
    certificates,
    servers,
    orders,
    slowAt,
    points: merged(before?.points ?? [], live.points),
    // Another process has answered in between: what it has to tell is asked for as if nothing were known.
    revision: before === null || Object.is(since, before.since) ? live.revision : 0,
    errors: live.errors ?? before?.errors ?? [],
    events,
    snapshot: live.version,
    hash: live.hash,
    workers: live.workers,
    diagnostics: live.diagnostics,
  };
}

/** For the next look after one that failed: who answers then may be another process, which counts from its own start. */
export function outdated(seen: Seen): Seen {
  return { ...seen, revision: 0, slowAt: Number.NEGATIVE_INFINITY };
}

type Slow = Pick<Seen, 'version' | 'since' | 'routers' | 'certificates' | 'servers' | 'orders' | 'slowAt'>;

async function lookSlowly(asking: Asking): Promise<Slow> {
  const [about, overview, servers, orders] = await Promise.all([
    ask(asking, '/api/version'),
    ask(asking, '/api/overview'),
    lookAtServers(asking),
    lookAtOrders(asking),
  ]);
  const { Version, startDate } = record(about);
  const counts = record(overview);
  return {
    version: text(Version),
    since: Date.parse(text(startDate)),
    routers: countOf(record(counts['http'])['routers']),
    certificates: countOf(counts['certificates']),
    servers,
    orders,
    slowAt: performance.now(),
  };
}

async function lookAtServers(asking: Asking): Promise<Seen['servers']> {
  const down: DownServer[] = [];
  let total = 0;
  for (let page = 1; page <= maxPages; page += 1) {
    const found = await ask(asking, `/api/http/services?page=${page}&per_page=${perPage}`);
    const services = Array.isArray(found) ? found.map(record) : [];
    for (const service of services)
      for (const [url, state] of Object.entries(record(service['serverStatus']))) {
        total += 1;
        if (state === 'DOWN') down.push({ service: text(service['name']), url });
      }
    if (services.length < perPage) break;
  }
  return { total, down };
}

async function lookAtOrders(asking: Asking): Promise<Seen['orders']> {
  const found = await ask(asking, '/api/portcullis/acme').catch(() => []);
  return (Array.isArray(found) ? found : []).map(record).flatMap(({ names, lastError }) => {
    const name = Array.isArray(names) ? text(names[0]) : '';
    return typeof lastError === 'string' && lastError !== '' ? [{ name, reason: lastError }] : [];
  });
}

interface Live {
  readonly points: readonly LivePoint[];
  readonly revision: number;
  readonly errors: readonly RecentError[] | null;
  readonly events: readonly LiveEvent[] | null;
  readonly version: number;
  readonly hash: string;
  readonly workers: Seen['workers'];
  readonly diagnostics: Seen['diagnostics'];
}

function asLive(value: unknown): Live {
  const found = record(value);
  const isLive = Array.isArray(found['points']) && Array.isArray(found['workers']) && 'diagnostics' in found;
  if (!isLive) throw new Error('what answers there is no API of this gateway');
  return found as unknown as Live;
}

function merged(old: readonly LivePoint[], fresh: readonly LivePoint[]): readonly LivePoint[] {
  const [first] = fresh;
  if (first === undefined) return old;
  return [...old.filter(({ at }) => at < first.at), ...fresh].slice(-maxPoints);
}

function countOf(value: unknown): Count {
  const { total, warnings, errors } = record(value);
  return { total: number(total), warnings: number(warnings), errors: number(errors) };
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function number(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}
