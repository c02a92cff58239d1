// Requests counted in a worker: numbers in one array, and per entry point, router and service the places in it. What
// was counted is sent to the primary every second and begins at zero again, so a worker holds no totals.

import { Meter } from './meter.ts';
import { headerStep } from './request-key.ts';
import { tlsTexts } from './tls-terms.ts';

/** 0 entry point, 1 router, 2 service: as messages name them. */
export type ScopeNumber = 0 | 1 | 2;

/** Of all meters of a worker: 7 MB; beyond it only classes of status are told apart, and then nothing new is. */
export const maxCells = 100_000;

/** Where the values of a cell stand, from its first one. */
const requestsAt = 0;
const secondsAt = 1;
const bytesInAt = 2;
const bytesOutAt = 3;
const bucketsAt = 4;

/** One request, ready to be counted; filled anew for each. */
export interface Counted {
  key: number;
  seconds: number;
  bytesIn: number;
  bytesOut: number;
  /** `Cells.bucketOf(seconds)`. */
  bucket: number;
}

export interface CellDelta {
  readonly newCells: (number | string)[];
  readonly cells: number[];
  readonly values: number[];
}

/** The cells of all meters, at most `maxCells` and those for what is too many; removed ones are used again. */
export class Cells {
  readonly stride: number;
  /** Replaced as it grows. */
  values: Float64Array;
  readonly #bounds: Float64Array;
  #used = 0;
  readonly #free: number[] = [];
  /** Cells with something to send, each once: their first value was 0. */
  #dirty: number[] = [];
  /** Six entries a cell that the primary does not know yet. */
  #news: (number | string)[] = [];
  /** What the numbers of header labels stand for; grows behind our back. */
  readonly #headerTexts: readonly string[];

  /** `bounds`: seconds, ascending. `headerTexts`: of `HeaderLabels`. */
  constructor(bounds: readonly number[], headerTexts: readonly string[] = []) {
    this.#bounds = Float64Array.from(bounds);
    this.stride = bucketsAt + bounds.length + 1;
    this.values = new Float64Array(64 * this.stride);
    this.#headerTexts = headerTexts;
  }

  bucketOf(seconds: number): number {
    const bounds = this.#bounds;
    let at = 0;
    while (at < bounds.length && seconds > (bounds[at] as number)) at++;
    return at;
  }

  meter(scope: ScopeNumber, name: string, service = ''): Meter {
    return new Meter(this, scope, name, service);
  }

  add(cell: number, counted: Counted): void {
    const { values } = this;
    const at = cell * this.stride;
    if (values[at] === 0) this.#dirty.push(cell);
    values[at + requestsAt]! += 1;
    values[at + secondsAt]! += counted.seconds;
    values[at + bytesInAt]! += counted.bytesIn;
    values[at + bytesOutAt]! += counted.bytesOut;
    values[at + bucketsAt + counted.bucket]! += 1;
  }

  addOne(cell: number): void {
    const at = cell * this.stride;
    if (this.values[at] === 0) this.#dirty.push(cell);
    this.values[at]! += 1;
  }

  create(meter: Meter, key: number): number {
    const cell = this.#free.pop() ?? this.#used++;
    if ((cell + 1) * this.stride > this.values.length) {
      const grown = new Float64Array(this.values.length * 2);
      grown.set(this.values);
      this.values = grown;
    }
    this.#news.push(cell, meter.scope, meter.name, meter.service, key, this.#textOf(key));
    return cell;
  }

  /** Labels that the key alone does not tell. */
  #textOf(key: number): string {
    if (key < 0) return tlsTexts[-1 - key] ?? '';
    return key < headerStep ? '' : (this.#headerTexts[Math.floor(key / headerStep)] ?? '');
  }

  /** Only once what it counted was taken. */
  release(cell: number): void {
    this.#free.push(cell);
  }

  /** Whether there is room for a cell, or for one that stands for many. */
  hasRoom(isOverflow: boolean): boolean {
    return this.#used - this.#free.length < (isOverflow ? maxCells * 1.2 : maxCells);
  }

  get hasNews(): boolean {
    return this.#dirty.length > 0;
  }

  /** What was counted since the last call, of at most `most` cells; they begin at zero again. */
  take(most: number): CellDelta {
    const cells = this.#dirty.slice(0, most);
    this.#dirty = this.#dirty.length > most ? this.#dirty.slice(most) : [];
    const values: number[] = [];
    for (const cell of cells) {
      const at = cell * this.stride;
      for (let i = at; i < at + this.stride; i++) values.push(this.values[i] as number);
      this.values.fill(0, at, at + this.stride);
    }
    const newCells = this.#news;
    this.#news = [];
    return { newCells, cells, values };
  }
}
