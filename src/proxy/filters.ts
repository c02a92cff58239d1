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

/** Below all filters: counts what really leaves, and ends the Exchange. */
class Outlet implements Downstream {
  readonly #x: Exchange;
  readonly #listener: Downstream;
  readonly #end: (x: Exchange) => void;
  #sent = 0;

  constructor(x: Exchange, listener: Downstream, end: (x: Exchange) => void) {
    this.#x = x;
    this.#listener = listener;
    this.#end = end;
  }

  get aborted(): boolean {
    return this.#listener.aborted;
  }

  get onDrain(): (() => void) | null {
    return this.#listener.onDrain;
  }

  set onDrain(call: (() => void) | null) {
    this.#listener.onDrain = call;
  }

  get onAbort(): (() => void) | null {
    return this.#listener.onAbort;
  }

  set onAbort(call: (() => void) | null) {
    this.#listener.onAbort = call;
  }

  respond(status: number, headers: HeaderList, body: string | Uint8Array, bodyless: boolean): void {
    if (!bodyless) this.#sent = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
    this.#listener.respond(status, headers, body, bodyless);
    this.#over();
  }

  begin(status: number, headers: HeaderList, length: number | null): void {
    this.#listener.begin(status, headers, length);
  }

  write(chunk: Uint8Array): boolean {
    this.#sent += chunk.length;
    return this.#listener.write(chunk);
  }

  finish(): void {
    this.#listener.finish();
    this.#over();
  }

  abort(): void {
    this.#listener.abort();
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
