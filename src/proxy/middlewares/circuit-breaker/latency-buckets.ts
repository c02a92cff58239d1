// Latencies in buckets whose width grows with them: 32 for each doubling, so none is more than 3.2 % wide.

const perDoubling = 32;
/** The shortest latency that is told apart from none, milliseconds. */
const least = 1 / 16;
/** From a sixteenth of a millisecond to more than an hour. */
const doublings = 26;

export const bucketCount: number = perDoubling * doublings;

export function bucketOf(ms: number): number {
  if (!(ms > least)) return 0;
  return Math.min(bucketCount - 1, Math.floor(Math.log2(ms / least) * perDoubling));
}

/** The longest latency a bucket stands for, milliseconds. */
export function upperBound(bucket: number): number {
  return least * 2 ** ((bucket + 1) / perDoubling);
}
