// Tells the log when Redis is reached and when it no longer is: one line a change, however often is tried.

import type { RedisSettings } from '../../model/redis.ts';
import { reasonOf } from './errors.ts';

export interface RedisLog {
  readonly info: (fields: Readonly<Record<string, unknown>>, message: string) => void;
  readonly warn: (fields: Readonly<Record<string, unknown>>, message: string) => void;
}

/** Milliseconds after which another reason, while it stays away, is worth a line. */
const reasonEvery = 30_000;
/** Addresses named in a line. */
const maxNamed = 5;

export class Reachability {
  readonly #log: RedisLog;
  readonly #address: string;
  readonly #secrets: readonly (string | null)[];
  #isReachable: boolean | null = null;
  #reason = '';
  #toldAt = 0;

  constructor(settings: RedisSettings, log: RedisLog) {
    this.#log = log;
    this.#address = addressOf(settings);
    this.#secrets = [settings.password, settings.sentinel?.password ?? null];
  }

  reached(): void {
    if (this.#isReachable === true) return;
    this.#isReachable = true;
    this.#log.info({ address: this.#address }, 'Redis is reachable');
  }

  lost(error: unknown): void {
    const reason = reasonOf(error, this.#secrets);
    const now = performance.now();
    const isNews =
      this.#isReachable !== false || (reason !== this.#reason && now - this.#toldAt >= reasonEvery);
    this.#isReachable = false;
    if (!isNews) return;
    this.#reason = reason;
    this.#toldAt = now;
    this.#log.warn(
      { address: this.#address, reason },
      'Redis is not reachable; it is tried again until it is',
    );
  }
}

function addressOf({ endpoints, sentinel }: RedisSettings): string {
  const named = endpoints.slice(0, maxNamed).map(({ host, port }) => `${host}:${port}`);
  if (endpoints.length > maxNamed) named.push('…');
  const all = named.join(',');
  return sentinel === null ? all : `${sentinel.masterName} of the sentinels ${all}`;
}
