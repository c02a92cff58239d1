// A gRPC answer on its way to a browser: the trailers become a last frame, and all of it base64 where asked for.

import type { Downstream } from '../../downstream.ts';
import type { Exchange } from '../../exchange.ts';
import { PassThrough } from '../../filters.ts';
import type { HeaderList } from '../../headers.ts';

/** Marks the frame that holds trailers. */
const trailerFlag = 0x80;

export class GrpcWebFilter extends PassThrough {
  readonly #x: Exchange;
  readonly #isText: boolean;

  constructor(below: Downstream, x: Exchange, isText: boolean) {
    super(below);
    this.#x = x;
    this.#isText = isText;
  }

  override respond(status: number, headers: HeaderList, body: string | Uint8Array, bodyless: boolean): void {
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    const whole = Buffer.concat([this.#encode(bytes), this.#lastFrame()]);
    this.below.respond(status, headers, bodyless ? '' : whole, bodyless);
  }

  override begin(status: number, headers: HeaderList): void {
    this.below.begin(status, headers, null);
  }

  /** Each piece is base64 of its own, padded: a browser must be able to read it as it comes. */
  override write(chunk: Uint8Array): boolean {
    return this.below.write(this.#encode(chunk));
  }

  override finish(): void {
    const frame = this.#lastFrame();
    if (frame.length > 0) this.below.write(frame);
    this.below.finish();
  }

  #encode(bytes: Uint8Array): Uint8Array {
    if (!this.#isText) return bytes;
    const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    return Buffer.from(view.toString('base64'), 'latin1');
  }

  /** Empty when the server has sent no trailers: its status stands in the head then. */
  #lastFrame(): Uint8Array {
    const { trailers } = this.#x;
    if (trailers === null || trailers.length === 0) return new Uint8Array(0);
    let text = '';
    for (let i = 0; i < trailers.length; i += 2) text += `${trailers[i]}: ${trailers[i + 1]}\r\n`;
    const head = Buffer.alloc(5);
    head[0] = trailerFlag;
    head.writeUInt32BE(text.length, 1);
    return this.#encode(Buffer.concat([head, Buffer.from(text, 'latin1')]));
  }
}
