// Heads of answers that are made to cost time, or to be told for what another one was.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Head } from '../../../../../src/proxy/upstream/http1/head.ts';
import { HeadReader } from '../../../../../src/proxy/upstream/http1/head-reader.ts';
import { parseHead } from '../../../../../src/proxy/upstream/http1/head-parser.ts';
import { readResponseHeaders } from '../../../../../src/proxy/upstream/response-headers.ts';

const names = 'a,'.repeat(110_000);
const fields = Array.from({ length: 2_000 }, (_, i) => [`h${i}`, '1'] as const);

test('a head that nominates a hundred thousand names costs no more than its bytes do', () => {
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const bytes = Buffer.from(`HTTP/1.1 200 OK\r\nConnection: ${names}h7\r\n${lines}\r\n`);
  const head = new Head();
  const used = cpuOf(() => assert.equal(parseHead(bytes, 0, bytes.length, head), bytes.length));
  assert.equal(head.headers.length, 2 * (fields.length - 1));
  assert.ok(!head.headers.includes('h7'));
  assert.ok(used < 150, `${used} ms`);
});

test('so does one that answers a handshake', () => {
  const raw = ['connection', `${names}h7`, ...fields.flat()];
  const used = cpuOf(() => assert.equal(readResponseHeaders(raw).length, 2 * (fields.length - 1)));
  assert.ok(used < 150, `${used} ms`);
});

test('a head over its bound is malformed, whatever was wrong with the one before it', () => {
  const long = new HeadReader();
  const piece = Buffer.from('x'.repeat(60_000));
  assert.equal(long.read(Buffer.from('HTTP/1.1 200 OK\r\nX-A: '), 22), -1);
  for (let i = 0; i < 4; i++) assert.equal(long.read(piece, piece.length), -1);
  const framing = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 4\r\n\r\n');
  const other = new HeadReader();
  assert.equal(other.read(framing, framing.length), -2);
  assert.equal(other.error?.code, 'upstream.bad_framing');
  assert.equal(long.read(piece, piece.length), -2);
  assert.equal(long.error?.code, 'upstream.malformed');
});

/** Milliseconds of this process. */
function cpuOf(act: () => void): number {
  const before = process.cpuUsage();
  act();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
