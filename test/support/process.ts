// What a test asks of a process it knows by its number alone.

/** Counts one that has ended but is not reaped yet. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
