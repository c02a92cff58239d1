// Who is still inside, and the way out for them: Exchanges finish, tunnels get a close frame at the deadline.

import type { Exchange } from './exchange.ts';

/** One for a worker: what has begun to drain does nothing else any more. */
export class Drain {
  begun = false;
  #running = 0;
  /** Tunnels only: they never end by themselves. Bounded by the process's descriptors. */
  readonly #tunnels = new Set<Exchange>();
  #empty: (() => void) | null = null;
  #leaving: NodeJS.Timeout | null = null;

  entered(x: Exchange): void {
    this.#running++;
    if (x.isUpgrade) this.#tunnels.add(x);
  }

  left(x: Exchange): void {
    this.#running--;
    if (x.isUpgrade) this.#tunnels.delete(x);
    if (this.#running === 0) this.#empty?.();
  }

  /**
   * Tunnels are asked to go on elsewhere, those that still come too: whoever takes this machine's address away
   * leaves them without a word.
   */
  leave(): void {
    this.begun = true;
    this.#closeTunnels();
    this.#leaving ??= setInterval(() => this.#closeTunnels(), farewellEvery);
  }

  /** Resolves when nobody is inside, or when `deadline` milliseconds have passed. */
  async finish(deadline: number): Promise<void> {
    this.begun = true;
    if (this.#leaving !== null) clearInterval(this.#leaving);
    if (this.#running === 0) return;
    const empty = new Promise<void>((resolve) => {
      this.#empty = resolve;
    });
    // Close frames go out while there is still time for their answers.
    const closing = setTimeout(() => this.#closeTunnels(), Math.max(0, deadline - tunnelFarewell));
    let giveUp: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      giveUp = setTimeout(resolve, deadline);
    });
    await Promise.race([empty, late]);
    clearTimeout(closing);
    clearTimeout(giveUp);
  }

  #closeTunnels(): void {
    for (const x of this.#tunnels) x.running?.cancel();
  }
}

/** Milliseconds: sooner than an address is moved. */
const farewellEvery = 100;
/** Milliseconds between the close frames and the end. */
const tunnelFarewell = 500;
