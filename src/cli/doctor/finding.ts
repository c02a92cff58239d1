// What a probe says, and how long it may take to say it.

export type Level = 'ok' | 'info' | 'warning' | 'error';

export interface Finding {
  readonly level: Level;
  /** One line, no full stop, no secret. */
  readonly says: string;
  /** What to do about it; with `info` what it means. */
  readonly fix?: string;
}

export interface Probe {
  /** Its name in the first column. */
  readonly area: string;
  /** At least one; empty: there is nothing of the kind here, and nothing is said. */
  run(signal: AbortSignal): Promise<readonly Finding[]> | readonly Finding[];
}

export interface Examined {
  readonly area: string;
  readonly findings: readonly Finding[];
}

/** Milliseconds for each probe; they run beside each other. */
export const probeDeadline = 2_000;

/** Never rejects: a probe that fails or is late is a warning. */
export async function examine({ area, run }: Probe, deadline = probeDeadline): Promise<Examined> {
  const ending = new AbortController();
  const { promise, resolve } = Promise.withResolvers<readonly Finding[]>();
  const timer = setTimeout(() => {
    ending.abort();
    resolve([{ level: 'warning', says: `could not be looked at within ${deadline / 1000} s` }]);
  }, deadline);
  void settle(run, ending.signal).then(resolve, (error: unknown) => {
    const { code, name } = error as NodeJS.ErrnoException;
    resolve([{ level: 'warning', says: `could not be looked at: ${code ?? name}` }]);
  });
  const findings = await promise;
  clearTimeout(timer);
  return { area, findings };
}

/** A probe that throws at once rejects, too. */
async function settle(run: Probe['run'], signal: AbortSignal): Promise<readonly Finding[]> {
  return run(signal);
}
