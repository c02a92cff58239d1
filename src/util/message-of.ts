// What was thrown, in words.

/** Unbounded, and as whoever threw it wrote it: what may hold a secret or a client's text is not for this. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
