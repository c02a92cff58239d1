// A request's body on its way to a server, copied as it passes.

import type { BodySink, RequestBody } from '../body.ts';

export class CopiedBody implements RequestBody {
  readonly #body: RequestBody;
  readonly #maxBytes: number;
  #chunks: Uint8Array[] | null = [];
  #bytes = 0;
  #isWhole = false;

  /** What is longer than `maxBytes` passes without a copy. */
  constructor(body: RequestBody, maxBytes: number) {
    this.#body = body;
    this.#maxBytes = maxBytes;
  }

  /** Null: it did not pass whole, or it was too long. */
  get copy(): Uint8Array | null {
    const collected = this.#stored();
    if (collected !== null) return collected.length > this.#maxBytes ? null : collected;
    return this.#isWhole && this.#chunks !== null ? Buffer.concat(this.#chunks) : null;
  }

  get length(): number | null {
    return this.#body.length;
  }

  get received(): number {
    return this.#body.received;
  }

  get isPiped(): boolean {
    return this.#body.isPiped;
  }

  get collected(): Uint8Array | null {
    return this.#body.collected;
  }

  pipe(sink: BodySink): void {
    // One that was stored can be had again for another attempt: the copy is of the last one.
    this.#chunks = [];
    this.#bytes = 0;
    this.#isWhole = false;
    this.#body.pipe({
      data: (chunk) => {
        this.#keep(chunk);
        return sink.data(chunk);
      },
      end: () => {
        this.#isWhole = true;
        sink.end();
      },
      abort: () => sink.abort(),
    });
  }

  resume(): void {
    this.#body.resume();
  }

  collect(maxBytes: number): Promise<Uint8Array | null> {
    return this.#body.collect(maxBytes);
  }

  discard(): void {
    this.#body.discard();
  }

  /** What is stored may turn out not to be readable: of a request that was refused for it nothing is copied. */
  #stored(): Uint8Array | null {
    try {
      return this.#body.collected;
    } catch {
      return null;
    }
  }

  #keep(chunk: Uint8Array): void {
    if (this.#chunks === null) return;
    this.#bytes += chunk.length;
    if (this.#bytes > this.#maxBytes) this.#chunks = null;
    else this.#chunks.push(Buffer.from(chunk));
  }
}
