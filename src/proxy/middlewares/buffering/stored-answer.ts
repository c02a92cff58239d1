// An answer's body that was read whole and lies in a file: it takes the empty one's place on the way out.

import type { Downstream } from '../../downstream.ts';
import type { Exchange } from '../../exchange.ts';
import type { HeaderList } from '../../headers.ts';
import { Replay } from './replay.ts';
import type { Spool } from './spool.ts';

export class StoredAnswer implements Downstream {
  onDrain: (() => void) | null = null;
  readonly #below: Downstream;
  readonly #x: Exchange;
  readonly #spool: Spool;
  #replay: Replay | null = null;

  constructor(below: Downstream, x: Exchange, spool: Spool) {
    this.#below = below;
    this.#x = x;
    this.#spool = spool;
  }

  get aborted(): boolean {
    return this.#below.aborted;
  }

  get onAbort(): (() => void) | null {
    return this.#below.onAbort;
  }

  set onAbort(call: (() => void) | null) {
    this.#below.onAbort = call;
  }

  respond(status: number, headers: HeaderList, _body: string | Uint8Array, bodyless: boolean): void {
    const below = this.#below;
    if (bodyless) {
      below.respond(status, headers, '', true);
      return;
    }
    this.#x.bytesOut = this.#spool.length;
    below.begin(status, headers, this.#spool.length);
    const replay = new Replay(this.#spool, {
      data: (chunk) => below.write(chunk),
      end: () => below.finish(),
      failed: () => below.abort(),
    });
    this.#replay = replay;
    below.onDrain = () => replay.resume();
    replay.start();
  }

  // Whoever stands in front of this one answers whole: these are here for the interface.
  begin(status: number, headers: HeaderList, length: number | null): void {
    this.#below.begin(status, headers, length);
  }

  write(chunk: Uint8Array): boolean {
    return this.#below.write(chunk);
  }

  finish(): void {
    this.#below.finish();
  }

  abort(): void {
    this.#replay?.stop();
    this.#below.abort();
  }
}
