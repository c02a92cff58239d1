// The client's side of an Exchange: what a listener engine lets the request path do.

import type { HeaderList } from './headers.ts';

export interface Downstream {
  /** A whole answer in one go. `length` is the reported Content-Length of a bodyless answer (HEAD). */
  respond(status: number, headers: HeaderList, body: string | Uint8Array, bodyless: boolean): void;
  /** Begins a streamed answer; `length` null is chunked. */
  begin(status: number, headers: HeaderList, length: number | null): void;
  /** False: wait for `onDrain`. The chunk is the caller's again on return. */
  write(chunk: Uint8Array): boolean;
  finish(): void;
  /** Cuts the connection: the client can tell that the answer is not whole. */
  abort(): void;
  /** Called when a held-back answer may go on. */
  onDrain: (() => void) | null;
  /** Called once when the client goes away before the end. */
  onAbort: (() => void) | null;
  readonly aborted: boolean;
}
