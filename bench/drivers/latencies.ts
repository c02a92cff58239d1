// Latencies of our own drivers.

/** Newer ones take the place of older ones beyond this. */
const capacity = 1_000_000;

export class Latencies {
  readonly #values = new Float64Array(capacity);
  #count = 0;

  /** Milliseconds. */
  add(value: number): void {
    this.#values[this.#count++ % capacity] = value;
  }

  get count(): number {
    return this.#count;
  }

  quantiles(): { readonly p50: number | null; readonly p99: number | null; readonly p999: number | null } {
    const sorted = this.#values.slice(0, Math.min(this.#count, capacity)).sort();
    const at = (share: number): number | null => sorted[Math.floor(sorted.length * share)] ?? null;
    return { p50: at(0.5), p99: at(0.99), p999: at(0.999) };
  }
}
