// An answer's body that was read whole and lies in a file: it takes the empty one's place on the way out.

import type { Downstream } from '../../downstream.ts';
import type { Exchange } from '../../exchange.ts';
import { PassThrough } from '../../filters.ts';
import type { HeaderList } from '../../headers.ts';
import { Replay } from './replay.ts';
import type { Spool } from './spool.ts';

/** Whoever stands in front of this one answers whole. */
export class StoredAnswer extends PassThrough {
  readonly #x: Exchange;
  readonly #spool: Spool;
  #replay: Replay | null = null;

  constructor(below: Downstream, x: Exchange, spool: Spool) {
    super(below);
    this.#x = x;
    this.#spool = spool;
  }

  override respond(status: number, headers: HeaderList, _body: string | Uint8Array, bodyless: boolean): void {
    const { below } = this;
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

  override abort(): void {
    this.#replay?.stop();
    super.abort();
  }
}
