// The ClientHello reader: hellos that openssl sent, hellos made up by the book, and both spoilt, with OpenSSL as a judge.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import fc from 'fast-check';
import { maxHelloBytes, readHello } from '../../src/proxy/entrypoints/node/hello.ts';
import { fuzz, property } from './fuzz.ts';

interface Captured {
  readonly args: string;
  readonly serverName: string | null;
  readonly protocols: readonly string[];
  /** Base64. */
  readonly hello: string;
}

const file = join(import.meta.dirname, 'captured/openssl-hellos.json');
const captured = JSON.parse(readFileSync(file, 'utf8')) as readonly Captured[];
const hellos = captured.map(({ hello }) => Buffer.from(hello, 'base64'));

const label = fc.stringMatching(/^[A-Za-z0-9_-]{1,12}$/);
const serverName = fc.array(label, { minLength: 1, maxLength: 5 }).map((labels) => labels.join('.'));
const protocol = fc.oneof(
  fc.constantFrom('h2', 'http/1.1', 'acme-tls/1'),
  fc.stringMatching(/^[ -~]{1,20}$/),
);
const made = fc.record({
  serverName: fc.option(serverName),
  protocols: fc.array(protocol, { maxLength: 4 }),
  others: fc.array(fc.tuple(fc.integer({ min: 17, max: 65_535 }), fc.nat(60)), { maxLength: 6 }),
  isNameLast: fc.boolean(),
  session: fc.constantFrom(0, 32),
  cuts: fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 5 }),
});
const edits = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });

fuzz('hello', [
  property(
    'hellos of openssl say the name and the protocols they were told to',
    fc.nat(captured.length - 1),
    (index) => {
      const { serverName: name, protocols } = captured[index] as Captured;
      assert.deepEqual(readHello(hellos[index] as Buffer), { serverName: name, protocols });
    },
    30,
  ),
  property(
    'a hello made by the book reads as it was made, in however many records',
    made,
    (wanted) => {
      const message = makeMessage(wanted);
      const records = inRecords(message, wanted.cuts);
      const expected = { serverName: wanted.serverName?.toLowerCase() ?? null, protocols: wanted.protocols };
      assert.deepEqual(readHello(records), expected);
      assert.deepEqual(readHello(Buffer.concat([records, Buffer.from('early data')])), expected);
    },
    1_000,
  ),
  property(
    'every prefix of a hello asks for more',
    made,
    (wanted) => {
      const records = inRecords(makeMessage(wanted), wanted.cuts);
      for (let at = 0; at < records.length; at++)
        assert.equal(readHello(records.subarray(0, at)), 'incomplete', String(at));
    },
    60,
  ),
  property(
    'random bytes are refused or ask for more, within the bound',
    fc.tuple(
      fc.constantFrom(
        '',
        '\x16',
        '\x16\x03\x01',
        '\x16\x03\x01\x00\x40\x01',
        '\x16\x03\x01\x40\x00\x01\x00\x3f\x00',
      ),
      fc.uint8Array({ maxLength: 300 }).map((list) => [...list]),
    ),
    ([start, list]) => {
      const text = Buffer.concat([Buffer.from(start, 'latin1'), Buffer.from(list)]);
      checkShape(readHello(text));
      const long = readHello(Buffer.concat([text, Buffer.alloc(maxHelloBytes + 20_000, 0x16)]));
      assert.notEqual(long, 'incomplete');
    },
    1_000,
  ),
  property(
    'a spoilt hello never names another server to OpenSSL than to us',
    fc.tuple(fc.nat(hellos.length - 1), edits),
    ([index, list]) => {
      const changed = Buffer.from(hellos[index] as Buffer);
      for (const [at, byte] of list) changed[at % changed.length] = byte;
      return agree(changed);
    },
    400,
  ),
  property(
    'a hello with odd names never names another server to OpenSSL than to us',
    fc.tuple(fc.string({ maxLength: 20 }), fc.boolean(), fc.nat(2)),
    ([name, isTwice, extra]) => {
      const content = nameExtension(Buffer.from(name));
      const names = isTwice ? [content, nameExtension(Buffer.from('other.test'))] : [content];
      const supported = Buffer.from([0, 43, 0, 3, 2, 3, 4]);
      const body = helloBody(Buffer.concat([...names, supported, Buffer.alloc(extra)]), 32);
      return agree(inRecords(body, []));
    },
    200,
  ),
]);

function checkShape(read: ReturnType<typeof readHello>): void {
  if (typeof read === 'string') return;
  assert.ok(read.serverName === null || /^[a-z0-9._-]{1,255}$/.test(read.serverName));
  assert.ok(read.protocols.every((one) => one.length >= 1 && one.length <= 255));
}

/** What OpenSSL takes for the name, if it comes so far as to ask for a certificate for it, is what we read. */
async function agree(bytes: Buffer): Promise<void> {
  const ours = readHello(bytes);
  checkShape(ours);
  const theirs = await askOpenssl(bytes);
  if (theirs === null || ours === 'broken') return;
  assert.notEqual(ours, 'incomplete');
  assert.equal((ours as { serverName: string | null }).serverName ?? '', theirs.toLowerCase());
}

/** The name OpenSSL finds; empty: none was given; null: it asks for no certificate. */
function askOpenssl(bytes: Buffer): Promise<string | null> {
  return new Promise((resolve) => {
    const wire = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
    const options = {
      isServer: true,
      SNICallback(name: string): void {
        finish(name);
      },
    };
    const socket = new TLSSocket(wire as never, options);
    const finish = (found: string | null): void => {
      resolve(found);
      socket.destroy();
      wire.destroy();
    };
    // What fails before a server has taken it over is told by this name alone.
    for (const event of ['error', '_tlsError', 'end', 'close']) socket.on(event, () => finish(null));
    wire.push(bytes);
    wire.push(null);
  });
}

function makeMessage(wanted: {
  serverName: string | null;
  protocols: readonly string[];
  others: readonly (readonly [number, number])[];
  isNameLast: boolean;
  session: number;
}): Buffer {
  const others = wanted.others.map(([type, length]) => extension(type, Buffer.alloc(length, type & 255)));
  const name = wanted.serverName === null ? [] : [nameExtension(Buffer.from(wanted.serverName))];
  const list = Buffer.concat(wanted.protocols.map((one) => vector(1, Buffer.from(one, 'latin1'))));
  const alpn = wanted.protocols.length === 0 ? [] : [extension(16, vector(2, list))];
  const extensions = wanted.isNameLast ? [...others, ...alpn, ...name] : [...name, ...alpn, ...others];
  return helloBody(Buffer.concat(extensions), wanted.session);
}

/** With its head of type and length. */
function helloBody(extensions: Buffer, session: number): Buffer {
  const body = Buffer.concat([
    Buffer.from([3, 3]),
    Buffer.alloc(32, 7),
    vector(1, Buffer.alloc(session, 9)),
    vector(2, Buffer.from([0x13, 1, 0x13, 2, 0xc0, 0x2f])),
    vector(1, Buffer.from([0])),
    vector(2, extensions),
  ]);
  return Buffer.concat([Buffer.from([1, 0, body.length >> 8, body.length & 255]), body]);
}

function nameExtension(name: Buffer): Buffer {
  return extension(0, vector(2, Buffer.concat([Buffer.from([0]), vector(2, name)])));
}

function extension(type: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([type >> 8, type & 255]), vector(2, content)]);
}

function vector(size: 1 | 2, content: Buffer): Buffer {
  const length = Buffer.alloc(size);
  length.writeUIntBE(content.length, 0, size);
  return Buffer.concat([length, content]);
}

function inRecords(message: Buffer, cuts: readonly number[]): Buffer {
  const records: Buffer[] = [];
  let rest = message;
  for (const cut of [...cuts, message.length]) {
    const part = rest.subarray(0, cut);
    rest = rest.subarray(cut);
    if (part.length > 0) records.push(Buffer.from([0x16, 3, 1]), vector(2, part));
  }
  return Buffer.concat(records);
}
