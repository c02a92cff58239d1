// Every waiting time of ACME, and when a failed order or a renewal is next tried.

/** Milliseconds throughout. */
export interface Times {
  /** The longest pause between two looks at what is due: a clock that jumps is noticed after that at the latest. */
  readonly check: number;
  readonly backoffFirst: number;
  readonly backoffMost: number;
  /** Share by which a back-off is spread, 0 to 1. */
  readonly jitter: number;
  /** Until it is asked again for what another node works on. */
  readonly lease: number;
  /** From showing a challenge to telling the authority: workers get it in that time. */
  readonly settle: number;
  /** One order, from its first call to the certificate; challenges over DNS get more, see `orderTime`. */
  readonly order: number;
  /** First pause between two questions whether the authority is done; it doubles up to twenty times that. */
  readonly poll: number;
  /** For the storages, at start; what takes longer goes on beside. */
  readonly open: number;
  /** One run of the hook. */
  readonly hook: number;
  /** What a running order gets when the gateway ends. */
  readonly close: number;
}

export const defaultTimes: Times = {
  check: 60_000,
  backoffFirst: 60_000,
  backoffMost: 24 * 3_600_000,
  jitter: 0.1,
  lease: 5_000,
  settle: 250,
  order: 10 * 60_000,
  poll: 250,
  open: 5_000,
  hook: 60_000,
  close: 2_000,
};

/** What an authority may ask for by Retry-After; Let's Encrypt counts some limits by the week. */
const longestRetryAfter = 7 * 24 * 3_600_000;

export interface Failure {
  /** In a row, this one counted. */
  readonly failures: number;
  /** Milliseconds the authority asked for. */
  readonly retryAfter: number | null;
  /** Milliseconds the certificate to be renewed lives in all; null: there is none. */
  readonly lifetime: number | null;
}

/** Milliseconds until the next try. */
export function backoff({ failures, retryAfter, lifetime }: Failure, times: Times): number {
  // A certificate of an hour cannot wait a day: an eighth of its life leaves room for a few more tries.
  const most = Math.max(times.backoffFirst, Math.min(times.backoffMost, (lifetime ?? Infinity) / 8));
  const doubled = Math.min(times.backoffFirst * 2 ** Math.min(failures - 1, 30), most);
  const spread = doubled * (1 + times.jitter * (2 * Math.random() - 1));
  return Math.round(Math.max(spread, Math.min(retryAfter ?? 0, longestRetryAfter)));
}

/** The latest that a stored next try can be right; a later one was written under a wrong clock. */
export function latestTry(now: number): number {
  return now + longestRetryAfter + 3_600_000;
}

/** Two thirds into its life, give or take 5 % of it; the same on every node. */
export function renewalTime(certificate: {
  readonly fingerprint: string;
  readonly notBefore: number;
  readonly notAfter: number;
}): number {
  const { fingerprint, notBefore, notAfter } = certificate;
  const spread = Number.parseInt(fingerprint.slice(0, 8), 16) / 0xffff_ffff;
  return Math.round(notBefore + (notAfter - notBefore) * (2 / 3 + 0.1 * (spread - 0.5)));
}

/** Rejects with the signal's reason when that comes first. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', aborted);
      resolve();
    }, ms);
    const aborted = (): void => {
      clearTimeout(timer);
      reject(reasonOf(signal));
    };
    if (signal.aborted) aborted();
    else signal.addEventListener('abort', aborted, { once: true });
  });
}

/** What `work` gives, or the signal's reason; `work` itself goes on. */
export function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const aborted = (): void => reject(reasonOf(signal));
    if (signal.aborted) aborted();
    signal.addEventListener('abort', aborted, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', aborted));
  });
}

function reasonOf({ reason }: AbortSignal): Error {
  return reason instanceof Error ? reason : new Error('aborted');
}
