// Middlewares that change an answer's body stand between the Exchange and its client as one Downstream on
// another: the innermost middleware's filter sees the bytes first, the last one hands them to the listener.

import type { Downstream } from './downstream.ts';
import type { Exchange } from './exchange.ts';
import type { HeaderList } from './headers.ts';

/**
 * Made when the head leaves, after every response hook: gets head and body as `Downstream` calls, and calls
 * `below` with what becomes of them. Must pass on `finish` once all is written, `abort`, and the drain call.
 */
export type Filter = (below: Downstream, x: Exchange) => Downstream;

/**
 * Puts the filters of `x` in front of its client. From here on `x` ends, through `end`, when the listener
 * has got the last byte and not before.
 */
export function armFilters(x: Exchange, end: (x: Exchange) => void): void {
  const filters = x.filters as readonly Filter[];
  let downstream: Downstream = new Outlet(x, x.downstream, end);
  for (let i = filters.length - 1; i >= 0; i--) downstream = (filters[i] as Filter)(downstream, x);
  x.downstream = downstream;
}

/** Hands everything on as it is: a filter extends it and overrides what it changes. */
export class PassThrough implements Downstream {
  protected readonly below: Downstream;

  constructor(below: Downstream) {
    this.below = below;
  }

  get aborted(): boolean {
    return this.below.aborted;
  }

  get onDrain(): (() => void) | null {
    return this.below.onDrain;
  }

  set onDrain(call: (() => void) | null) {
    this.below.onDrain = call;
  }

  get onAbort(): (() => void) | null {
    return this.below.onAbort;
  }

  set onAbort(call: (() => void) | null) {
    this.below.onAbort = call;
  }

  respond(status: number, headers: HeaderList, body: string | Uint8Array, bodyless: boolean): void {
    this.below.respond(status, headers, body, bodyless);
  }

  begin(status: number, headers: HeaderList, length: number | null): void {
    this.below.begin(status, headers, length);
  }

  write(chunk: Uint8Array): boolean {
    return this.below.write(chunk);
  }

  finish(): void {
    this.below.finish();
  }

  abort(): void {
    this.below.abort();
  }
}

/** Below all filters: counts what really leaves, and ends the Exchange. */
class Outlet extends PassThrough {
  readonly #x: Exchange;
  readonly #end: (x: Exchange) => void;
  #sent = 0;

  constructor(x: Exchange, listener: Downstream, end: (x: Exchange) => void) {
    super(listener);
    this.#x = x;
    this.#end = end;
  }

  override respond(status: number, headers: HeaderList, body: string | Uint8Array, bodyless: boolean): void {
    if (!bodyless) this.#sent = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
    super.respond(status, headers, body, bodyless);
    this.#over();
  }

  override write(chunk: Uint8Array): boolean {
    this.#sent += chunk.length;
    return super.write(chunk);
  }

  override finish(): void {
    super.finish();
    this.#over();
  }

  override abort(): void {
    super.abort();
    this.#over();
  }

  #over(): void {
    const x = this.#x;
    if (x.ended) return;
    x.originBytes = x.bytesOut;
    x.bytesOut = this.#sent;
    this.#end(x);
  }
}
