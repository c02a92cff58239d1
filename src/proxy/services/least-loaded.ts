// Strategies that look at how busy servers are: p2c and leasttime. Each worker knows its own requests only.

import type { Exchange } from '../exchange.ts';
import type { Picker } from './picker.ts';
import type { Server } from './server.ts';
import type { ServerStats } from './server-stats.ts';

export interface MeasuredServer {
  readonly server: Server;
  readonly stats: ServerStats;
}

/** Of two servers drawn at random the one with fewer requests: almost as good as the best of all, without herds. */
export class TwoChoices implements Picker<Server> {
  readonly #all: readonly MeasuredServer[];
  /** In [0, 1). */
  readonly #random: () => number;
  /** Those that are up, filled anew for every pick. */
  readonly #up: MeasuredServer[] = [];

  constructor(all: readonly MeasuredServer[], random: () => number = Math.random) {
    this.#all = all;
    this.#random = random;
  }

  pick(): Server | null {
    return this.#draw(null);
  }

  pickOther(_: Exchange, failed: Server): Server | null {
    return this.#draw(failed);
  }

  #draw(except: Server | null): Server | null {
    const up = this.#up;
    up.length = 0;
    for (const one of this.#all) if (one.server.up && one.server !== except) up.push(one);
    if (up.length < 2) return up[0]?.server ?? null;
    const first = Math.floor(this.#random() * up.length);
    let second = Math.floor(this.#random() * (up.length - 1));
    if (second >= first) second++;
    const a = up[first] as MeasuredServer;
    const b = up[second] as MeasuredServer;
    return b.stats.inFlight < a.stats.inFlight ? b.server : a.server;
  }
}

/** The lowest time to the first byte, times the requests it would stand behind, by weight; equal ones take turns. */
export class LeastTime implements Picker<Server> {
  readonly #all: readonly MeasuredServer[];
  #start = 0;

  constructor(all: readonly MeasuredServer[]) {
    this.#all = all;
  }

  pick(): Server | null {
    return this.#least(null);
  }

  pickOther(_: Exchange, failed: Server): Server | null {
    return this.#least(failed);
  }

  #least(except: Server | null): Server | null {
    const all = this.#all;
    let best: Server | null = null;
    let least = Number.POSITIVE_INFINITY;
    let at = 0;
    for (let i = 0; i < all.length; i++) {
      const place = (this.#start + i) % all.length;
      const { server, stats } = all[place] as MeasuredServer;
      if (!server.up || server === except) continue;
      const score = (stats.meanMs * (1 + stats.inFlight)) / server.weight;
      if (score >= least) continue;
      least = score;
      best = server;
      at = place;
    }
    this.#start = at + 1;
    return best;
  }
}
