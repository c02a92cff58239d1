// What the dashboard shows as it happens: traffic of the last minutes, recent errors, servers that come and go. In
// memory, bounded, told to whoever waits for the next second.

import { latencyBuckets, latencyOf, type LiveCounts, type LiveError } from '../model/live.ts';
import type { ServerState } from '../model/ipc.ts';

/** One second of traffic over all workers; latencies in milliseconds, null without requests. */
export interface LivePoint {
  /** Seconds since 1970. */
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

/** All failures of one kind at one place. */
export interface RecentError extends LiveError {
  /** Milliseconds since 1970. */
  readonly first: number;
  readonly last: number;
}

/** A server went up or down, or another Snapshot came into force. */
export type LiveEvent =
  | (ServerState & { readonly kind: 'server'; readonly at: number })
  | { readonly kind: 'snapshot'; readonly at: number; readonly version: number };

export interface LiveView {
  readonly points: readonly LivePoint[];
  /** Counts up when errors or events change. */
  readonly revision: number;
  /** The youngest first; null: as they were at the revision the client has. */
  readonly errors: readonly RecentError[] | null;
  readonly events: readonly LiveEvent[] | null;
}

export interface LiveNumbers {
  add(counts: LiveCounts): void;
  serverChanged(state: ServerState): void;
  snapshotChanged(version: number): void;
  /** Points younger than second `after`, at most 300, and what has changed since `revision`. */
  view(after: number, revision: number): LiveView;
  /** Settles with the next second; at once when too many wait, or when it has ended. */
  next(): Promise<void>;
  close(): void;
}

/** Seconds that are remembered. */
const maxPoints = 300;
const maxRecentErrors = 200;
const maxEvents = 200;
/** Who waits for the next second, over all workers. */
export const maxWaiting = 64;

export function createLive(now: () => number = Date.now): LiveNumbers {
  return new Live(now);
}

class Live implements LiveNumbers {
  readonly #now: () => number;
  readonly #points: LivePoint[] = [];
  #sum: Sum = new Sum();
  /** By kind and place; the youngest last. */
  readonly #errors = new Map<string, RecentError>();
  readonly #events: LiveEvent[] = [];
  #revision = 1;
  readonly #waiting = new Set<() => void>();
  readonly #timer: NodeJS.Timeout;
  #closed = false;

  constructor(now: () => number) {
    this.#now = now;
    this.#timer = setInterval(() => this.#tick(), 1_000);
    this.#timer.unref();
  }

  add(counts: LiveCounts): void {
    this.#sum.add(counts);
    for (const error of counts.errors) this.#addError(error);
    if (counts.errors.length > 0) this.#revision += 1;
  }

  serverChanged(state: ServerState): void {
    this.#addEvent({ kind: 'server', at: this.#now(), ...state });
  }

  snapshotChanged(version: number): void {
    this.#addEvent({ kind: 'snapshot', at: this.#now(), version });
  }

  view(after: number, revision: number): LiveView {
    const last = this.#points.at(-1)?.at ?? 0;
    // Whoever knows more than there is has seen another process.
    const isOfOther = after > last || revision > this.#revision;
    const points = isOfOther ? this.#points : this.#points.filter(({ at }) => at > after);
    const isNew = isOfOther || revision !== this.#revision;
    return {
      points,
      revision: this.#revision,
      errors: isNew ? [...this.#errors.values()].toReversed() : null,
      events: isNew ? this.#events.toReversed() : null,
    };
  }

  next(): Promise<void> {
    if (this.#closed || this.#waiting.size >= maxWaiting) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.add(resolve));
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    this.#wake();
  }

  #tick(): void {
    this.#points.push(this.#sum.point(Math.floor(this.#now() / 1000)));
    if (this.#points.length > maxPoints) this.#points.shift();
    this.#sum = new Sum();
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }

  #addError(error: LiveError): void {
    const key = JSON.stringify([error.code, error.router, error.server]);
    const known = this.#errors.get(key);
    const at = this.#now();
    this.#errors.delete(key);
    this.#errors.set(key, {
      ...error,
      count: (known?.count ?? 0) + error.count,
      first: known?.first ?? at,
      last: at,
    });
    if (this.#errors.size <= maxRecentErrors) return;
    const [oldest] = this.#errors.keys();
    if (oldest !== undefined) this.#errors.delete(oldest);
  }

  #addEvent(event: LiveEvent): void {
    this.#events.push(event);
    if (this.#events.length > maxEvents) this.#events.shift();
    this.#revision += 1;
  }
}

/** One second, as it adds up. */
class Sum {
  #requests = 0;
  #clientErrors = 0;
  #serverErrors = 0;
  #authHits = 0;
  #authMisses = 0;
  readonly #latencies = new Uint32Array(latencyBuckets);

  add(counts: LiveCounts): void {
    this.#requests += counts.requests;
    this.#clientErrors += counts.classes[3] ?? 0;
    this.#serverErrors += counts.classes[4] ?? 0;
    this.#authHits += counts.authHits;
    this.#authMisses += counts.authMisses;
    for (let i = 0; i + 1 < counts.latencies.length; i += 2) {
      const bucket = counts.latencies[i] as number;
      if (bucket < latencyBuckets)
        this.#latencies[bucket] = (this.#latencies[bucket] as number) + (counts.latencies[i + 1] as number);
    }
  }

  point(at: number): LivePoint {
    return {
      at,
      requests: this.#requests,
      clientErrors: this.#clientErrors,
      serverErrors: this.#serverErrors,
      p50: quantile(this.#latencies, 0.5),
      p95: quantile(this.#latencies, 0.95),
      p99: quantile(this.#latencies, 0.99),
      authHits: this.#authHits,
      authMisses: this.#authMisses,
    };
  }
}

/** Milliseconds, right to about 10 %; null when there is nothing. */
export function quantile(buckets: Uint32Array, share: number): number | null {
  const total = buckets.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  let left = Math.ceil(total * share);
  for (const [bucket, count] of buckets.entries()) {
    left -= count;
    if (left <= 0) return Number(latencyOf(bucket).toPrecision(3));
  }
  return null;
}
