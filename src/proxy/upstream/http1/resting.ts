// Connections between two calls: an answer may have a tail.

import { type Connection, resting } from './connection.ts';

/**
 * Bytes a server sends behind the end of an answer were on their way with it. So a connection is used again
 * only once the event loop has polled all sockets after the answer: a tail then meets a connection that
 * nobody uses, not the next client's request. That costs one turn of the loop, and no time of its own.
 */
export class Resting {
  /** Answered since the last turn, and in the one before. */
  #fresh: Connection[] = [];
  #polled: Connection[] = [];
  /** Always empty: three lists take turns, so that no turn makes one. */
  #spare: Connection[] = [];
  #isTurning = false;
  readonly #onRested: (connection: Connection) => void;

  constructor(onRested: (connection: Connection) => void) {
    this.#onRested = onRested;
  }

  add(connection: Connection): void {
    connection.state = resting;
    this.#fresh.push(connection);
    if (this.#isTurning) return;
    this.#isTurning = true;
    setImmediate(turn, this);
  }

  close(): void {
    for (const connection of [...this.#fresh, ...this.#polled]) connection.close();
  }

  /** After the poll phase of a turn of the event loop. */
  turn(): void {
    const ready = this.#polled;
    this.#polled = this.#fresh;
    this.#fresh = this.#spare;
    for (const connection of ready) if (connection.state === resting) this.#onRested(connection);
    ready.length = 0;
    this.#spare = ready;
    this.#isTurning = this.#polled.length > 0 || this.#fresh.length > 0;
    if (this.#isTurning) setImmediate(turn, this);
  }
}

// One function for all: no closure per turn.
function turn(of: Resting): void {
  of.turn();
}
