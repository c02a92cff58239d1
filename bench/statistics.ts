// Numbers out of numbers: medians, spreads, trends, and whether two sets of rounds differ. Pure.

/** Null for an empty list. */
export function median(values: readonly number[]): number | null {
  return quantile(values, 0.5);
}

/** Interpolated between neighbours; `share` from 0 to 1. Null for an empty list. */
export function quantile(values: readonly number[], share: number): number | null {
  const sorted = values.toSorted((one, other) => one - other);
  const at = (sorted.length - 1) * share;
  const below = sorted[Math.floor(at)];
  const above = sorted[Math.ceil(at)];
  if (below === undefined || above === undefined) return null;
  return below + (above - below) * (at - Math.floor(at));
}

/** From the least to the most, as a share of the median; null with fewer than two values, or a median of 0. */
export function spread(values: readonly number[]): number | null {
  const middle = median(values);
  if (values.length < 2 || middle === null || middle === 0) return null;
  return (Math.max(...values) - Math.min(...values)) / middle;
}

/** More pairs than this are thinned out: 2,000 values have two million. */
const maxTrendValues = 400;

/**
 * Growth per step, the median of the slopes between all pairs (Theil and Sen): a peak that a garbage collector
 * leaves behind does not bend it. Null with fewer than two values.
 */
export function trend(values: readonly number[]): number | null {
  const step = Math.ceil(values.length / maxTrendValues);
  const slopes: number[] = [];
  for (let i = 0; i < values.length; i += step) {
    for (let j = i + step; j < values.length; j += step) {
      slopes.push(((values[j] ?? 0) - (values[i] ?? 0)) / (j - i));
    }
  }
  return median(slopes);
}

/** Above this many ways to share out the values, the exact count gives way to the normal approximation. */
const maxExactValues = 20;

/**
 * How likely rounds of one and the same thing fall apart at least as much as these two sets do (rank test of
 * Mann and Whitney, two-sided): exact for small sets, 1 when one of them is empty.
 */
export function rankTest(one: readonly number[], other: readonly number[]): number {
  if (one.length === 0 || other.length === 0) return 1;
  const apart = Math.abs(wins(one, other) - (one.length * other.length) / 2);
  const all = [...one, ...other];
  return all.length <= maxExactValues
    ? exactShare(all, one.length, apart)
    : normalShare(one.length, other.length, apart);
}

/** Pairs in which the first is the greater; a tie is half of one. */
function wins(one: readonly number[], other: readonly number[]): number {
  let count = 0;
  for (const a of one) for (const b of other) count += a > b ? 1 : a === b ? 0.5 : 0;
  return count;
}

/** Of all ways to share out the values, the part that lies as far apart. */
function exactShare(all: readonly number[], size: number, apart: number): number {
  const ranks = all.map((value) => wins([value], all) + 0.5);
  const expected = (size * (all.length + 1)) / 2;
  // By number of values taken and their sum of ranks (times two, so that ties stay whole): how many ways.
  const ways: Map<number, number>[] = Array.from({ length: size + 1 }, () => new Map<number, number>());
  ways[0]?.set(0, 1);
  for (const rank of ranks) {
    for (let taken = size; taken > 0; taken -= 1) {
      for (const [sum, count] of ways[taken - 1] ?? []) {
        const next = sum + rank * 2;
        ways[taken]?.set(next, (ways[taken]?.get(next) ?? 0) + count);
      }
    }
  }
  let far = 0;
  let total = 0;
  for (const [sum, count] of ways[size] ?? []) {
    total += count;
    if (Math.abs(sum / 2 - expected) >= apart - 1e-9) far += count;
  }
  return far / total;
}

function normalShare(n: number, m: number, apart: number): number {
  const deviation = Math.sqrt((n * m * (n + m + 1)) / 12);
  const z = Math.max(0, apart - 0.5) / deviation;
  // The upper tail after Abramowitz and Stegun 26.2.17: within 7.5e-8.
  const t = 1 / (1 + 0.2316419 * z);
  const polynomial =
    t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return Math.min(1, 2 * (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * polynomial);
}
