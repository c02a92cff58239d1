// What a TLS client says before anything is encrypted: which name it wants, and which protocols it speaks.

/** Bytes a client may take to say it, record heads included. A hello with post-quantum keys has about 2,000. */
export const maxHelloBytes: number = 20 * 1024;
/** Records one hello may be spread over: clients that hide its middle from onlookers use a handful. */
const maxRecords = 64;
/** RFC 8446 §5.1. */
const maxRecordBytes = 16 * 1024;
const recordHead = 5;
const messageHead = 4;

const handshakeRecord = 0x16;
const clientHello = 1;
const extensionServerName = 0;
const extensionAlpn = 16;

export interface Hello {
  /** Lower case; null when it names nobody. */
  readonly serverName: string | null;
  /** In the client's order of preference. */
  readonly protocols: readonly string[];
}

/** A host name, or an address that has no business there but does no harm. Go refuses a final dot as well. */
const namePattern = /^(?=.{1,255}$)[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/;

/**
 * The hello at the beginning of `bytes`; `incomplete` asks for more of them, `broken` is none and never becomes
 * one. Never throws.
 */
export function readHello(bytes: Buffer): Hello | 'incomplete' | 'broken' {
  const message = readMessage(bytes);
  if (typeof message === 'string') return message;
  return readBody(new Reader(message)) ?? 'broken';
}

/** The first handshake message without its head, of however many records. */
function readMessage(bytes: Buffer): Buffer | 'incomplete' | 'broken' {
  const parts: Buffer[] = [];
  let have = 0;
  let wanted = -1;
  let at = 0;
  while (wanted === -1 || have < wanted) {
    if (parts.length === maxRecords) return 'broken';
    if (bytes.length > at && bytes[at] !== handshakeRecord) return 'broken';
    if (bytes.length > at + 1 && bytes[at + 1] !== 3) return 'broken';
    if (bytes.length < at + recordHead) return more(bytes);
    const length = bytes.readUInt16BE(at + 3);
    if (length === 0 || length > maxRecordBytes) return 'broken';
    at += recordHead;
    const part = bytes.subarray(at, at + length);
    at += length;
    parts.push(part);
    have += part.length;
    if (wanted === -1) {
      const length = messageLength(parts);
      if (length === -2) return 'broken';
      wanted = length;
    }
    if (part.length < length) break;
  }
  if (wanted === -1 || have < wanted) return more(bytes);
  return (parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)).subarray(messageHead, wanted);
}

function more(bytes: Buffer): 'incomplete' | 'broken' {
  return bytes.length > maxHelloBytes ? 'broken' : 'incomplete';
}

/** With its head; -1 while that is not there, -2 for what is no hello or too long. */
function messageLength(parts: readonly Buffer[]): number {
  const head = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
  if (head.length > 0 && head[0] !== clientHello) return -2;
  if (head.length < messageHead) return -1;
  const length = messageHead + head.readUIntBE(1, 3);
  return length > maxHelloBytes ? -2 : length;
}

/** RFC 8446 §4.1.2; null for anything else. */
function readBody(hello: Reader): Hello | null {
  hello.skip(2 + 32);
  hello.vector(1);
  hello.vector(2);
  hello.vector(1);
  const nothing: Hello = { serverName: null, protocols: [] };
  if (hello.isBroken) return null;
  // Extensions are a newer invention than the hello.
  if (hello.isAtEnd) return nothing;
  const extensions = hello.vector(2);
  if (hello.isBroken || !hello.isAtEnd) return null;
  let serverName: string | null | undefined;
  let protocols: readonly string[] | null | undefined;
  while (!extensions.isAtEnd) {
    const type = extensions.number(2);
    const content = extensions.vector(2);
    if (extensions.isBroken) return null;
    // One that stands there twice has no one meaning.
    if (type === extensionServerName) serverName = serverName === undefined ? readName(content) : null;
    else if (type === extensionAlpn) protocols = protocols === undefined ? readProtocols(content) : null;
  }
  if (serverName === null || protocols === null) return null;
  return { serverName: serverName ?? null, protocols: protocols ?? [] };
}

/** RFC 6066 §3: one host name; null for anything else. */
function readName(content: Reader): string | null {
  const list = content.vector(2);
  const type = list.number(1);
  const name = list.vector(2);
  if (content.isBroken || list.isBroken || !content.isAtEnd || !list.isAtEnd || type !== 0) return null;
  const text = name.rest.toString('latin1');
  return namePattern.test(text) ? text.toLowerCase() : null;
}

/** RFC 7301 §3.1; null for what is none. */
function readProtocols(content: Reader): readonly string[] | null {
  const list = content.vector(2);
  if (content.isBroken || !content.isAtEnd || list.isAtEnd) return null;
  const protocols: string[] = [];
  while (!list.isAtEnd) {
    const name = list.vector(1).rest.toString('latin1');
    if (list.isBroken || name === '') return null;
    protocols.push(name);
  }
  return protocols;
}

/** Reads on, and past the end stays there and says so. */
class Reader {
  readonly #bytes: Buffer;
  #at = 0;
  isBroken = false;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  get rest(): Buffer {
    return this.#bytes.subarray(this.#at);
  }

  skip(length: number): void {
    this.#take(length);
  }

  number(size: 1 | 2): number {
    const bytes = this.#take(size);
    return bytes.length === size ? bytes.readUIntBE(0, size) : 0;
  }

  /** What a length of `size` bytes stands before. */
  vector(size: 1 | 2): Reader {
    return new Reader(this.#take(this.number(size)));
  }

  #take(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#bytes.length) {
      this.isBroken = true;
      this.#at = this.#bytes.length;
      return this.#bytes.subarray(0, 0);
    }
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}
