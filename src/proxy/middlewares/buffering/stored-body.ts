// A request's body that was read whole: servers get it with its length, and as often as it takes.

import type { BodySink, RequestBody } from '../../body.ts';
import { Replay } from './replay.ts';
import type { Spool } from './spool.ts';

export class StoredBody implements RequestBody {
  readonly length: number;
  readonly received: number;
  readonly collected: Uint8Array | null;
  /** It can be had again and again. */
  readonly isPiped = false;
  readonly #spool: Spool;
  #replay: Replay | null = null;

  constructor(spool: Spool) {
    this.#spool = spool;
    this.length = spool.length;
    this.received = spool.length;
    this.collected = spool.bytes();
  }

  pipe(sink: BodySink): void {
    this.#replay?.stop();
    if (this.collected !== null) {
      if (this.collected.length > 0) sink.data(this.collected);
      sink.end();
      return;
    }
    this.#replay = new Replay(this.#spool, {
      data: (chunk) => sink.data(chunk),
      end: () => sink.end(),
      failed: () => sink.abort(),
    });
    this.#replay.start();
  }

  resume(): void {
    this.#replay?.resume();
  }

  async collect(maxBytes: number): Promise<Uint8Array | null> {
    if (this.length > maxBytes) return null;
    return this.collected ?? (await this.#spool.read(0, this.length));
  }

  discard(): void {
    this.#replay?.stop();
  }
}
