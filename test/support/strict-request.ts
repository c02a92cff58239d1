// Reads what a gateway sends to a server as strictly as RFC 9112 can be read, and names all that another server
// might read in another way.

/** A request as it came, whole or cut off. */
export interface RecordedRequest {
  readonly method: string;
  readonly target: string;
  /** Names in lower case and values, alternating, one char a byte. */
  readonly fields: readonly string[];
  readonly body: string;
  /** False: the connection ended before the request did. */
  readonly isWhole: boolean;
  /** What of it has more than one meaning. */
  readonly flaws: readonly string[];
}

/** Bytes one request may have; what is longer is a flaw. */
const maxBytes = 1024 * 1024;
const token = /^[A-Za-z0-9!#$%&'*+\-.^_`|~]+$/;
// RFC 3986 §3.3 and the brackets that all leave alone; of the query what no server cuts a line at.
const originForm = /^\/[A-Za-z0-9\-._~!$&'()*+,;=:@/%[\]]*(?:\?[\x21\x22\x24-\x7e]*)?$/;
const controls = /[\x00-\x08\x0a-\x1f\x7f]/;
/** Names that frame a message or steer its connection: in any spelling but their own they are traps. */
const guarded = new Set(['content-length', 'transfer-encoding', 'host', 'connection', 'upgrade', 'te']);
/** What is said to the gateway and to nobody behind it. */
const ofOneHop = new Set([
  'keep-alive',
  'proxy-connection',
  'proxy-authorization',
  'http2-settings',
  'trailer',
  'expect',
]);

interface Framing {
  readonly length: number;
  readonly isChunked: boolean;
}

interface Body {
  readonly text: string;
  /** Bytes on the wire; -1 while more must come. */
  readonly size: number;
}

/** One for each connection. */
export class StrictReader {
  #text = '';

  /** The request that has become whole, or is past reading; null while more must come. */
  feed(chunk: string): RecordedRequest | null {
    this.#text += chunk;
    const text = this.#text;
    const headEnd = text.indexOf('\r\n\r\n');
    if (headEnd === -1) return text.length > maxBytes ? this.#take(text, ['a head without an end']) : null;
    const flaws: string[] = [];
    const fields = readFields(text.slice(0, headEnd), flaws);
    const framing = framingOf(fields, flaws);
    const body = readBody(text, headEnd + 4, framing, flaws);
    if (body.size === -1 && flaws.length === 0 && text.length <= maxBytes) return null;
    const end = body.size === -1 ? text.length : headEnd + 4 + body.size;
    if (end < text.length) flaws.push(`${text.length - end} bytes behind the message`);
    return this.#take(text, flaws, fields, body.text);
  }

  /** The connection has ended: what was begun, if anything. */
  cutOff(): RecordedRequest | null {
    const text = this.#text;
    if (text === '') return null;
    const flaws: string[] = [];
    const headEnd = text.indexOf('\r\n\r\n');
    const fields = readFields(headEnd === -1 ? text : text.slice(0, headEnd), headEnd === -1 ? [] : flaws);
    if (/(?<!\r)\n|\r(?!\n)(?!$)/.test(headEnd === -1 ? text : '')) flaws.push('a bare CR or LF');
    return { ...this.#take(text, flaws, fields, ''), isWhole: false };
  }

  #take(text: string, flaws: string[], fields: readonly string[] = [], body = ''): RecordedRequest {
    this.#text = '';
    const [line = ''] = text.split('\r\n', 1);
    const [method = '', target = ''] = line.split(' ');
    return { method, target, fields, body, isWhole: true, flaws };
  }
}

/** Values of the field `name`. */
export function fieldValues({ fields }: RecordedRequest, name: string): string[] {
  return fields.filter((_, i) => i % 2 === 1 && fields[i - 1] === name);
}

function readFields(head: string, flaws: string[]): readonly string[] {
  const [line = '', ...lines] = head.split('\r\n');
  const parts = line.split(' ');
  const [method = '', target = '', version = ''] = parts;
  if (parts.length !== 3 || version !== 'HTTP/1.1') flaws.push('request line');
  if (!token.test(method) || method === 'CONNECT') flaws.push('method');
  if (!originForm.test(target)) flaws.push('target');
  const fields: string[] = [];
  for (const text of lines) {
    const colon = text.indexOf(':');
    const name = text.slice(0, Math.max(colon, 0));
    if (/^[ \t]/.test(text)) flaws.push('a folded line');
    else if (!token.test(name)) flaws.push('a field name');
    if (controls.test(text)) flaws.push('a control character');
    fields.push(name.toLowerCase(), text.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, ''));
  }
  checkNames(fields, flaws);
  return fields;
}

function checkNames(fields: readonly string[], flaws: string[]): void {
  const values = (name: string): string[] => fields.filter((_, i) => i % 2 === 1 && fields[i - 1] === name);
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] as string;
    const folded = name.replace(/[^a-z0-9]/g, '-');
    if (folded !== name && guarded.has(folded)) flaws.push(`another spelling of ${folded}`);
    if (ofOneHop.has(folded)) flaws.push(`${folded}, which is for one hop`);
  }
  const [host = '', ...otherHosts] = values('host');
  if (otherHosts.length > 0 || !/^[A-Za-z0-9.\-_~[\]:]+$/.test(host)) flaws.push('Host');
  const upgrades = values('upgrade').length > 0;
  const connection = values('connection').join(',').toLowerCase();
  if (!(upgrades ? ['upgrade'] : ['', 'close', 'keep-alive']).includes(connection)) flaws.push('Connection');
  if (values('te').some((value) => value !== 'trailers')) flaws.push('TE');
  // Every request that the gateway wrote has it, and nothing that a client slipped past it.
  if (values('x-forwarded-for').join() !== '127.0.0.1') flaws.push('not told by the gateway who asks');
  if (values('x-real-ip').join() !== '127.0.0.1') flaws.push('an address of the client’s choice');
}

function framingOf(fields: readonly string[], flaws: string[]): Framing {
  const of = (name: string): string[] => fields.filter((_, i) => i % 2 === 1 && fields[i - 1] === name);
  const lengths = of('content-length');
  const encodings = of('transfer-encoding');
  if (lengths.length > 1) flaws.push('two Content-Lengths');
  if (lengths.some((value) => !/^(?:0|[1-9]\d{0,14})$/.test(value))) flaws.push('Content-Length');
  if (encodings.length > 0 && encodings.join() !== 'chunked') flaws.push('Transfer-Encoding');
  if (lengths.length > 0 && encodings.length > 0) flaws.push('Content-Length and Transfer-Encoding');
  return { length: Number(lengths[0] ?? 0), isChunked: encodings.length > 0 };
}

function readBody(text: string, from: number, { length, isChunked }: Framing, flaws: string[]): Body {
  if (isChunked) return readChunks(text, from, flaws);
  const isThere = text.length >= from + length;
  return { text: text.slice(from, from + length), size: isThere ? length : -1 };
}

function readChunks(text: string, from: number, flaws: string[]): Body {
  let content = '';
  for (let at = from; ; ) {
    const lineEnd = text.indexOf('\n', at);
    if (lineEnd === -1) return { text: content, size: -1 };
    const line = /^([0-9a-fA-F]{1,8})\r\n$/.exec(text.slice(at, lineEnd + 1));
    if (line === null) {
      flaws.push('a chunk’s first line');
      return { text: content, size: -1 };
    }
    const size = Number.parseInt(line[1] as string, 16);
    at = lineEnd + 1;
    if (text.length < at + size + 2) return { text: content, size: -1 };
    content += text.slice(at, at + size);
    at += size;
    if (text.slice(at, at + 2) !== '\r\n') {
      flaws.push(size === 0 ? 'trailers' : 'a chunk’s end');
      return { text: content, size: -1 };
    }
    at += 2;
    if (size === 0) return { text: content, size: at - from };
  }
}
