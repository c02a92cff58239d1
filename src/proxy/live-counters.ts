// Counts for the dashboard, told to the primary once a second: numbers by class, latencies, errors by their kind.

import { latencyBucket, latencyBuckets, type LiveCounts, type LiveError } from '../model/live.ts';
import type { GatewayError } from './errors.ts';
import type { Exchange } from './exchange.ts';

/** Kinds of errors kept until they are told. */
const maxErrors = 32;
const maxReason = 200;

type Counted = { -readonly [K in keyof LiveError]: LiveError[K] };

/** Of one worker since it last told; at most 32 kinds of errors. */
export class LiveCounters {
  #requests = 0;
  readonly #classes = new Uint32Array(5);
  readonly #latencies = new Uint32Array(latencyBuckets);
  readonly #errors: Counted[] = [];

  /** To be called once, at the end of an Exchange. `now`: `performance.now()`. */
  count(x: Exchange, now: number): void {
    // Who looks at the dashboard is not traffic.
    if (x.route !== null && x.route.service.name.endsWith('@internal')) return;
    this.#requests += 1;
    const status = x.status === 0 && x.error !== null ? x.error.status : x.status;
    if (status >= 100 && status < 600) {
      const index = (status / 100 - 1) | 0;
      this.#classes[index] = (this.#classes[index] as number) + 1;
    }
    if (!x.isUpgrade) {
      const bucket = latencyBucket(now - x.startedAt);
      this.#latencies[bucket] = (this.#latencies[bucket] as number) + 1;
    }
    if (x.error !== null) this.#countError(x, x.error);
  }

  /** What was counted since the last call; null for nothing. */
  take(authHits: number, authMisses: number): LiveCounts | null {
    if (this.#requests === 0 && authHits === 0 && authMisses === 0) return null;
    const latencies: number[] = [];
    for (const [bucket, count] of this.#latencies.entries()) if (count > 0) latencies.push(bucket, count);
    const counts: LiveCounts = {
      requests: this.#requests,
      classes: [...this.#classes],
      latencies,
      authHits,
      authMisses,
      errors: this.#errors.splice(0),
    };
    this.#requests = 0;
    this.#classes.fill(0);
    this.#latencies.fill(0);
    return counts;
  }

  #countError(x: Exchange, error: GatewayError): void {
    const router = x.route?.name ?? null;
    const server = x.server?.url ?? null;
    for (const known of this.#errors) {
      if (known.code === error.code && known.router === router && known.server === server) {
        known.count += 1;
        return;
      }
    }
    if (this.#errors.length >= maxErrors) return;
    this.#errors.push({
      code: error.code,
      blame: error.blame,
      status: x.status === 0 ? error.status : x.status,
      entryPoint: x.entryPoint.name,
      router,
      service: x.route?.service.name ?? null,
      server,
      reason: error.message.slice(0, maxReason),
      count: 1,
    });
  }
}
