// A DNS server for tests: 127.0.0.1 for every A, no AAAA, no CAA, and the TXT records it was given.

import { createSocket } from 'node:dgram';

export interface DnsServer {
  /** `127.0.0.1:port`, UDP. */
  readonly address: string;
  readonly port: number;
  /** By name without the full stop at its end, lower case. */
  readonly txt: Map<string, string[]>;
  readonly cname: Map<string, string>;
  /** Names that do not exist. */
  readonly missing: Set<string>;
  /** `TYPE name`, in order. */
  readonly questions: string[];
  close(): Promise<void>;
}

const types: Readonly<Record<number, string>> = {
  1: 'A',
  2: 'NS',
  5: 'CNAME',
  6: 'SOA',
  16: 'TXT',
  28: 'AAAA',
  257: 'CAA',
};

export async function startDnsServer(): Promise<DnsServer> {
  const socket = createSocket('udp4');
  const txt = new Map<string, string[]>();
  const cname = new Map<string, string>();
  const missing = new Set<string>();
  const questions: string[] = [];
  socket.on('message', (query, from) => {
    const question = readQuestion(query);
    if (question === null) return;
    const { name, type, end } = question;
    questions.push(`${types[type] ?? type} ${name}`);
    const alias = cname.get(name);
    const answers = missing.has(name)
      ? []
      : answersFor(type, alias === undefined ? txt.get(name) : [], alias);
    const header = Buffer.alloc(12);
    query.copy(header, 0, 0, 2);
    // An authoritative answer; name error where there is no such name.
    header.writeUInt16BE(0x8580 | (missing.has(name) ? 3 : 0), 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(answers.length, 6);
    socket.send(Buffer.concat([header, query.subarray(12, end), ...answers]), from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address();
  return {
    address: `127.0.0.1:${port}`,
    port,
    txt,
    cname,
    missing,
    questions,
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

function readQuestion(
  query: Buffer,
): { readonly name: string; readonly type: number; readonly end: number } | null {
  if (query.length < 17 || query.readUInt16BE(4) !== 1) return null;
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
    if (at + 5 > query.length) return null;
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

function answersFor(type: number, texts: readonly string[] = [], alias: string | undefined): Buffer[] {
  if (alias !== undefined) return [record(5, nameBytes(alias))];
  if (type === 1) return [record(1, Buffer.from([127, 0, 0, 1]))];
  if (type === 16)
    return texts.map((text) => record(16, Buffer.concat([Buffer.from([text.length]), Buffer.from(text)])));
  return [];
}

/** For the name of the question, for one second. */
function record(type: number, data: Buffer): Buffer {
  const head = Buffer.from([0xc0, 0x0c, type >> 8, type & 0xff, 0, 1, 0, 0, 0, 1, 0, data.length]);
  return Buffer.concat([head, data]);
}

function nameBytes(name: string): Buffer {
  const labels = name
    .split('.')
    .map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]));
  return Buffer.concat([...labels, Buffer.from([0])]);
}
