// The requests of one entry point, router or service: under which keys there are cells.

import type { Cells, Counted, ScopeNumber } from './cells.ts';
import { headerStep, overflowKey } from './request-key.ts';

/** Combinations of status, method and protocol counted apart, per entry point, router or service. */
export const maxCellsPerMeter = 256;
/** The same with header labels. */
const maxHeaderCellsPerMeter = 256;

/** Never written to. */
const none: number[] = [];

/** The cells of one entry point, router or service. */
export class Meter {
  readonly scope: ScopeNumber;
  readonly name: string;
  /** Of a router; empty for the others. */
  readonly service: string;
  readonly #all: Cells;
  #keys: number[] = none;
  #cells: number[] = none;
  #withHeaders = 0;
  #isRetired = false;
  /** Attempts beyond the first; counted by whoever counts the request. */
  retries = 0;

  constructor(all: Cells, scope: ScopeNumber, name: string, service: string) {
    this.#all = all;
    this.scope = scope;
    this.name = name;
    this.service = service;
  }

  count(counted: Counted): void {
    const { key } = counted;
    const cell = this.#keys[0] === key ? (this.#cells[0] as number) : this.#find(key);
    if (cell !== -1) this.#all.add(cell, counted);
  }

  /** By number alone: a request over TLS, or with header labels. */
  countKey(key: number): void {
    const cell = this.#find(key);
    if (cell !== -1) this.#all.addOne(cell);
  }

  /** It is in no configuration any more: what still runs is not counted here. After everything was taken. */
  retire(): void {
    this.#isRetired = true;
    for (const cell of this.#cells) this.#all.release(cell);
    this.#keys = none;
    this.#cells = none;
  }

  #find(key: number): number {
    const keys = this.#keys;
    for (let i = 0; i < keys.length; i++) if (keys[i] === key) return this.#toFront(i);
    if (this.#isRetired) return -1;
    // Whoever can make a server answer with any status, by any method, must not fill memory with it.
    const overflow = overflowKey(key);
    if (key >= 0 && key !== overflow && this.#isFull(key)) return this.#find(overflow);
    if (!this.#all.hasRoom(true)) return -1;
    const cell = this.#all.create(this, key);
    if (key >= headerStep) this.#withHeaders++;
    if (keys.length === 0) {
      // Most have one for long: an array that begins empty takes room for seventeen with the first.
      this.#keys = [key];
      this.#cells = [cell];
    } else {
      keys.push(key);
      this.#cells.push(cell);
    }
    return cell;
  }

  #isFull(key: number): boolean {
    if (!this.#all.hasRoom(false)) return true;
    if (key >= headerStep) return this.#withHeaders >= maxHeaderCellsPerMeter;
    return this.#keys.length - this.#withHeaders >= maxCellsPerMeter;
  }

  /** What is asked for oftener comes to the front, step by step. */
  #toFront(at: number): number {
    const keys = this.#keys;
    const cells = this.#cells;
    const cell = cells[at] as number;
    if (at === 0) return cell;
    const key = keys[at] as number;
    keys[at] = keys[at - 1] as number;
    cells[at] = cells[at - 1] as number;
    keys[at - 1] = key;
    cells[at - 1] = cell;
    return cell;
  }
}
