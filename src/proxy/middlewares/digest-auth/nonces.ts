// Nonces that every worker of a boot can check without having issued them, and the counters of requests made
// with each, so that none is taken twice here.

import { createHmac, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { timingSafeSame } from '../same-text.ts';

/** Milliseconds until a client has to take a new one. */
const lifetime = 5 * 60_000;
/** Milliseconds by which clocks of workers may differ: it is one machine's. */
const leeway = 1_000;
/** Nonces whose counters one worker remembers. */
const maxNonces = 10_000;
/** Counters below the highest seen that may still come: requests on several connections overtake each other. */
const windowBits = 31;

interface Counters {
  highest: number;
  /** Bit n: `highest - n` was used. */
  used: number;
}

export class Nonces {
  readonly #secret: string;
  readonly #counters = new LRUCache<string, Counters>({
    max: maxNonces,
    dispose: (_, nonce, reason) => {
      if (reason === 'evict') this.#forgotten = Math.max(this.#forgotten, issuedAt(nonce));
    },
  });
  /** When the youngest nonce was issued whose counters had to go: of one as old it is open what was used. */
  #forgotten = 0;

  constructor(secret: string) {
    this.#secret = secret;
  }

  issue(): string {
    const body = `${Date.now().toString(36)}.${randomBytes(9).toString('base64url')}`;
    return `${body}.${this.#sign(body)}`;
  }

  /**
   * Whether `nonce` is ours and young and `nc` was not used with it. A counter that this worker has seen is never
   * taken again; other workers, and one that takes this one's place, do not know of it.
   */
  accept(nonce: string, nc: number): boolean {
    if (!this.#isGood(nonce) || nc < 1) return false;
    const known = this.#counters.get(nonce);
    if (known === undefined) {
      if (issuedAt(nonce) <= this.#forgotten) return false;
      this.#counters.set(nonce, { highest: nc, used: 1 });
      return true;
    }
    if (nc > known.highest) {
      const step = nc - known.highest;
      known.used = step > windowBits ? 1 : ((known.used << step) | 1) >>> 0;
      known.highest = nc;
      return true;
    }
    const back = known.highest - nc;
    if (back > windowBits || (known.used & (1 << back)) !== 0) return false;
    known.used = (known.used | (1 << back)) >>> 0;
    return true;
  }

  close(): void {
    this.#counters.clear();
  }

  #isGood(nonce: string): boolean {
    const match = /^([0-9a-z]{1,10}\.[\w-]{12})\.([\w-]{22})$/.exec(nonce);
    if (match === null) return false;
    const [, body = '', signature = ''] = match;
    if (!timingSafeSame(this.#sign(body), signature)) return false;
    const age = Date.now() - issuedAt(nonce);
    return age >= -leeway && age <= lifetime;
  }

  #sign(body: string): string {
    return createHmac('sha256', this.#secret).update(`nonce ${body}`).digest('base64url').slice(0, 22);
  }
}

/** Milliseconds since 1970, of a nonce of ours. */
function issuedAt(nonce: string): number {
  return Number.parseInt(nonce, 36);
}
