// The body of a gRPC-Web text request: base64 in pieces, each padded on its own, read as the bytes it stands for.

import type { BodySink, RequestBody } from '../../body.ts';
import { GatewayError } from '../../errors.ts';

export class DecodedBody implements RequestBody {
  readonly length = null;
  readonly #inner: RequestBody;
  #collected: Uint8Array | null = null;

  constructor(inner: RequestBody) {
    this.#inner = inner;
  }

  get received(): number {
    return this.#inner.received;
  }

  get isPiped(): boolean {
    return this.#inner.isPiped;
  }

  /** Throws `GatewayError` when it is no base64. */
  get collected(): Uint8Array | null {
    const { collected } = this.#inner;
    if (collected === null) return null;
    this.#collected ??= decodeWhole(collected);
    return this.#collected;
  }

  pipe(sink: BodySink): void {
    // Less than four characters: what is left of a group that goes on in the next chunk.
    let rest = '';
    let isBroken = false;
    const breakOff = (): void => {
      isBroken = true;
      sink.abort();
    };
    this.#inner.pipe({
      data(chunk) {
        if (isBroken) return true;
        const text = rest + latin1(chunk);
        const whole = text.length - (text.length % 4);
        rest = text.slice(whole);
        const bytes = decode(text.slice(0, whole));
        if (bytes !== null) return bytes.length === 0 || sink.data(bytes);
        breakOff();
        return true;
      },
      end() {
        if (isBroken) return;
        if (rest === '') sink.end();
        else breakOff();
      },
      abort() {
        if (!isBroken) sink.abort();
      },
    });
  }

  resume(): void {
    this.#inner.resume();
  }

  async collect(maxBytes: number): Promise<Uint8Array | null> {
    const text = await this.#inner.collect(Math.ceil(maxBytes / 3) * 4);
    return text === null ? null : this.collected;
  }

  discard(): void {
    this.#inner.discard();
  }
}

function decodeWhole(text: Uint8Array): Uint8Array {
  const bytes = text.length % 4 === 0 ? decode(latin1(text)) : null;
  if (bytes === null) throw new GatewayError('intake.bad_request', 'the body is no base64');
  return bytes;
}

/** Whole groups of four characters; null when they are no base64. */
function decode(text: string): Uint8Array | null {
  const parts: Buffer[] = [];
  let from = 0;
  while (from < text.length) {
    const padding = text.indexOf('=', from);
    const end = padding === -1 ? text.length : padding - (padding % 4) + 4;
    const part = text.slice(from, end);
    const padded = padding === -1 ? 0 : part.length - part.indexOf('=');
    const bytes = Buffer.from(part, 'base64');
    // Node leaves out what it does not understand.
    if (padded > 2 || !part.endsWith('='.repeat(padded)) || bytes.length !== (part.length / 4) * 3 - padded)
      return null;
    parts.push(bytes);
    from = end;
  }
  return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}
