// What a circuit breaker has seen in the last ten seconds: sums in cells of one second each, made once.

import { bucketOf, bucketCount, upperBound } from './latency-buckets.ts';

/** Cells of the window, one second each. */
const cells = 10;
const cellMs = 1000;
// Counters of every cell before those of the ratios.
const total = 0;
const networkErrors = 1;
const firstRatio = 2;

/** Statuses from `from` up to but not including `to`. */
interface StatusSpan {
  readonly from: number;
  readonly to: number;
}

export class Window {
  readonly #spans: StatusSpan[] = [];
  /** `cells` × (2 + spans); null until the first record. */
  #counts: Uint32Array | null = null;
  /** `cells` × `bucketCount`, 40 KiB; null unless somebody asks for latencies. */
  #latencies: Uint32Array | null = null;
  /** The second of the newest cell, counted as the caller's clock counts. */
  #second = -1;

  /** Before the first record: a span of statuses to be counted; its number. */
  count(from: number, to: number): number {
    this.#spans.push({ from, to });
    return this.#spans.length - 1;
  }

  /** Before the first record: latencies will be asked for. */
  keepLatencies(): void {
    this.#latencies ??= new Uint32Array(cells * bucketCount);
  }

  /** An answer with `status`, `ms` milliseconds after it was asked for; `now` in milliseconds. */
  record(status: number, ms: number, now: number): void {
    this.advance(now);
    const width = firstRatio + this.#spans.length;
    this.#counts ??= new Uint32Array(cells * width);
    const counts = this.#counts;
    const at = (this.#second % cells) * width;
    counts[at + total] = (counts[at + total] as number) + 1;
    if (status === 502 || status === 504)
      counts[at + networkErrors] = (counts[at + networkErrors] as number) + 1;
    for (let i = 0; i < this.#spans.length; i++) {
      const { from, to } = this.#spans[i] as StatusSpan;
      if (status < from || status >= to) continue;
      counts[at + firstRatio + i] = (counts[at + firstRatio + i] as number) + 1;
    }
    if (this.#latencies === null) return;
    const bucket = (this.#second % cells) * bucketCount + bucketOf(ms);
    this.#latencies[bucket] = (this.#latencies[bucket] as number) + 1;
  }

  /** Forgets what is older than the window. */
  advance(now: number): void {
    const second = Math.floor(now / cellMs);
    if (second <= this.#second) return;
    const width = firstRatio + this.#spans.length;
    const from = Math.max(this.#second + 1, second - cells + 1);
    for (let one = from; one <= second; one++) {
      const cell = one % cells;
      this.#counts?.fill(0, cell * width, (cell + 1) * width);
      this.#latencies?.fill(0, cell * bucketCount, (cell + 1) * bucketCount);
    }
    this.#second = second;
  }

  reset(): void {
    this.#counts?.fill(0);
    this.#latencies?.fill(0);
  }

  /** 0 without any answer. */
  networkErrorRatio(): number {
    return ratio(this.#sum(networkErrors), this.#sum(total));
  }

  /** Of two spans by their numbers; 0 when the second has none. */
  spanRatio(part: number, whole: number): number {
    return ratio(this.#sum(firstRatio + part), this.#sum(firstRatio + whole));
  }

  /** Whole milliseconds that `quantile` per cent of the answers took at most, 2 % off at most; 0 without any. */
  latencyAt(quantile: number): number {
    const latencies = this.#latencies;
    if (latencies === null) return 0;
    const wanted = Math.max(1, Math.ceil((this.#sum(total) * quantile) / 100));
    let seen = 0;
    for (let bucket = 0; bucket < bucketCount; bucket++) {
      for (let cell = 0; cell < cells; cell++) seen += latencies[cell * bucketCount + bucket] as number;
      if (seen >= wanted) return Math.floor(upperBound(bucket));
    }
    return 0;
  }

  #sum(counter: number): number {
    const counts = this.#counts;
    if (counts === null) return 0;
    const width = firstRatio + this.#spans.length;
    let sum = 0;
    for (let cell = 0; cell < cells; cell++) sum += counts[cell * width + counter] as number;
    return sum;
  }
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
