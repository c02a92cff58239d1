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
  if (text.includes('=')) return decodeGroups(text);
  // Memory of its own, as every piece of a body has: who sends it on gives that back.
  const bytes = Buffer.allocUnsafeSlow((text.length / 4) * 3);
  // Node leaves out what it does not understand.
  return bytes.write(text, 'base64') === bytes.length ? bytes : null;
}

/**
 * The same for text that is padded, where Node would end: at a buffer for each piece, who sends pieces of one byte
 * would cost 100 ms of CPU time a megabyte.
 */
function decodeGroups(text: string): Uint8Array | null {
  const bytes = Buffer.allocUnsafeSlow((text.length / 4) * 3);
  let to = 0;
  for (let i = 0; i < text.length; i += 4) {
    const isShort = text.charCodeAt(i + 3) === equals;
    const isShortest = isShort && text.charCodeAt(i + 2) === equals;
    const first = digitAt(text, i);
    const second = digitAt(text, i + 1);
    const third = isShortest ? 0 : digitAt(text, i + 2);
    const fourth = isShort ? 0 : digitAt(text, i + 3);
    if ((first | second | third | fourth) >= noDigit) return null;
    bytes[to++] = (first << 2) | (second >> 4);
    if (!isShortest) bytes[to++] = ((second & 15) << 4) | (third >> 2);
    if (!isShort) bytes[to++] = ((third & 3) << 6) | fourth;
  }
  return bytes.subarray(0, to);
}

const equals = 0x3d;
const noDigit = 64;
/** Value of each character, in both alphabets of RFC 4648, as Node reads them. */
const digits: Uint8Array = digitTable();

function digitTable(): Uint8Array {
  const table = new Uint8Array(256).fill(noDigit);
  const shared = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
  for (const alphabet of [`${shared}+/`, `${shared}-_`])
    for (let value = 0; value < alphabet.length; value++) table[alphabet.charCodeAt(value)] = value;
  return table;
}

/** `text` has one char a byte. */
function digitAt(text: string, at: number): number {
  return digits[text.charCodeAt(at)] as number;
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}
