// Says the same thing in the log now and then, and not for every request.

/** Milliseconds between two lines. */
const quietTime = 10_000;

/** `say`, called once in ten seconds at most, however often this is. */
export function quietly(say: () => void): () => void {
  let last = Number.NEGATIVE_INFINITY;
  return () => {
    const now = performance.now();
    if (now - last < quietTime) return;
    last = now;
    say();
  };
}
