// Weighted round robin over the servers that are up: the smooth kind, which spreads a heavy server's turns.

import type { Server } from './server.ts';

export class Rotation {
  readonly #servers: readonly Server[];
  readonly #credits: number[];
  readonly #isEven: boolean;
  #next: number;

  /** `start` in [0, 1): where the first turn falls, so that workers do not all begin with the same server. */
  constructor(servers: readonly Server[], start: number) {
    this.#servers = servers;
    this.#credits = servers.map(() => 0);
    this.#isEven = servers.every((server) => server.weight === servers[0]?.weight);
    this.#next = Math.floor(start * servers.length);
  }

  /** Null when none is up. */
  pick(): Server | null {
    return this.#isEven ? this.#pickEven() : this.#pickWeighted();
  }

  #pickEven(): Server | null {
    const servers = this.#servers;
    for (let tried = 0; tried < servers.length; tried++) {
      if (this.#next >= servers.length) this.#next = 0;
      const server = servers[this.#next++] as Server;
      if (server.up) return server;
    }
    return null;
  }

  #pickWeighted(): Server | null {
    let best = -1;
    let total = 0;
    for (let i = 0; i < this.#servers.length; i++) {
      const server = this.#servers[i] as Server;
      if (!server.up) continue;
      total += server.weight;
      this.#credits[i] = (this.#credits[i] as number) + server.weight;
      if (best === -1 || (this.#credits[i] as number) > (this.#credits[best] as number)) best = i;
    }
    if (best === -1) return null;
    this.#credits[best] = (this.#credits[best] as number) - total;
    return this.#servers[best] as Server;
  }
}
