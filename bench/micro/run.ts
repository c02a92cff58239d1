// The timer of the micro benches: best of some rounds, which is what the code costs when nothing disturbs it.

const rounds = 5;
const warmUpShare = 0.2;

/** Nanoseconds of one call of `run`, which gets 0, 1, 2 … and returns something, so that it cannot be left out. */
export function nanosecondsOf(run: (i: number) => unknown, count = 200_000): number {
  let kept: unknown;
  for (let i = 0; i < count * warmUpShare; i += 1) kept = run(i);
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round += 1) {
    const startedAt = performance.now();
    for (let i = 0; i < count; i += 1) kept = run(i);
    best = Math.min(best, performance.now() - startedAt);
  }
  if (kept === undefined) throw new Error('a bench must return what it made');
  return (best * 1e6) / count;
}

/** Measures and prints one line. */
export function bench(title: string, run: (i: number) => unknown, count?: number): void {
  const nanoseconds = nanosecondsOf(run, count);
  process.stdout.write(`${title.padEnd(44)}${nanoseconds.toFixed(0).padStart(8)} ns\n`);
}
