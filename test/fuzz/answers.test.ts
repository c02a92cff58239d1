// Answers of servers: heads against llhttp, chunks against a decoder that is as plain as the standard, both cut anywhere.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { maxHeaderLines } from '../../src/proxy/upstream/http1/limits.ts';
import { BodyReader } from '../../src/proxy/upstream/http1/body-reader.ts';
import { Head, refused } from '../../src/proxy/upstream/http1/head.ts';
import { incomplete, parseHead } from '../../src/proxy/upstream/http1/head-parser.ts';
import { HeadReader } from '../../src/proxy/upstream/http1/head-reader.ts';
import { oddBytes } from '../support/odd-bytes.ts';
import { readTheirs } from '../unit/proxy/upstream/http1/oracle-llhttp.ts';
import { applyChanges, bytes, changes, cpuTime, fuzz, property } from './fuzz.ts';

const names = [
  'Content-Type',
  'content-length',
  'Transfer-Encoding',
  'Connection',
  'Keep-Alive',
  'X-A',
  'Set-Cookie',
  'Upgrade',
  'Date',
  'WWW-Authenticate',
  'X-Nominated',
  'TE',
  'x_y!#$',
];
const values = [
  '',
  '0',
  '7',
  '00',
  '+1',
  '1e1',
  '0x1',
  '9007199254740993',
  'chunked',
  'Chunked',
  'gzip',
  'chunked, chunked',
  'close',
  'keep-alive',
  'close, x-nominated',
  'X-Nominated',
  'timeout=5',
  'a b',
  '\xe9',
  'NTLM',
  ' 0 ',
  '1, 1',
  ',',
];
const line = fc
  .tuple(
    fc.constantFrom(...names),
    fc.constantFrom(': ', ':', ':  ', ':\t'),
    fc.constantFrom(...values),
    fc.constantFrom('', ' ', '\t'),
  )
  .map((parts) => `${parts.join('')}\r\n`);
const status = fc.constantFrom(
  'HTTP/1.1 200 OK',
  'HTTP/1.1 200',
  'HTTP/1.1 404 Not\tFound',
  'HTTP/1.0 200 OK',
  'HTTP/1.1 204 No',
  'HTTP/1.1 304 x',
  'HTTP/1.1 999 ',
  'HTTP/1.1 500 \xe9',
);
const odd = fc.constantFrom(
  ...oddBytes,
  '\x80',
  '\xff',
  '\x0b',
  '\x1f',
  ' \r\n',
  '\r\n ',
  '\r\r\n',
  'HTTP/1.1 200 OK\r\n',
);
const head = fc
  .tuple(status, fc.array(line, { maxLength: 6 }), changes(odd, 3))
  .map(([first, lines, edits]) => applyChanges(`${first}\r\n${lines.join('')}\r\n`, edits));

const extension = fc.constantFrom('', ';', ';a', ';a=b', '; a="\xe9"', ' ;a', ';\t', ';\x7f');
const size = fc.constantFrom(
  '0',
  '1',
  '3',
  'A',
  'f',
  '00',
  '0003',
  '10',
  '',
  'g',
  '-1',
  '+1',
  '0x1',
  '11111111111111111',
  'FFFFFFFFFFFFFFFF',
  '1 ',
);
const lineEnd = fc.oneof({ weight: 8, arbitrary: fc.constant('\r\n') }, { weight: 1, arbitrary: odd });
const chunk = fc
  .tuple(fc.option(size), extension, lineEnd, bytes(20), lineEnd)
  .map(([written, rest, first, data, last]) => {
    const length = written ?? data.length.toString(16);
    return length + rest + first + data + last;
  });
const chunked = fc
  .tuple(
    fc.array(chunk, { maxLength: 4 }),
    fc.constantFrom('0\r\n\r\n', '0\r\nA: b\r\n\r\n', '00\r\n', '', '0;x\r\n\r\n', '0\r\n\r'),
    bytes(4),
  )
  .map((parts) => parts.flat().join(''));
const cuts = fc.array(fc.nat(2_000), { maxLength: 6 });

fuzz('answers', [
  property(
    'a head that is taken is taken by llhttp, with the same status, fields and framing',
    head,
    (text) => {
      const ours = readWhole(text);
      if (ours.after < 0 || ours.status === 101) return;
      // White space that RFC 9110 §5.6.3 allows around these; theirs takes it for a part of them.
      if (/^(?:content-length|transfer-encoding):[^\r]*\t/im.test(text)) return;
      if (ours.contentLength > 100 || ours.status < 200) return;
      const isBodiless = ours.status === 204 || ours.status === 304;
      const body = isBodiless
        ? ''
        : ours.chunked
          ? '3\r\nabc\r\n0\r\n\r\n'
          : 'x'.repeat(Math.max(0, ours.contentLength));
      const theirs = readTheirs([text.slice(0, ours.after), body], 'GET');
      assert.equal(theirs.verdict, 'end', JSON.stringify(text));
      assert.deepEqual([ours.status, ours.headers], [theirs.status, theirs.headers]);
      if (!isBodiless) assert.equal(theirs.body, ours.chunked ? 'abc' : body, 'framing');
      if (theirs.isReusable === false && !isBodiless && ours.contentLength >= 0) assert.ok(ours.close);
    },
    3_000,
  ),
  property(
    'a head reads the same whole, cut at every position, and byte by byte',
    head,
    (text) => {
      const whole = readParts([text]);
      for (let at = 1; at < text.length; at++)
        assert.deepEqual(readParts([text.slice(0, at), text.slice(at)]), whole, String(at));
      assert.deepEqual(
        readParts(Array.from({ length: text.length }, (_, at) => text.charAt(at))),
        whole,
        'bytes',
      );
    },
    200,
  ),
  property(
    'no prefix of a head that is taken is refused, and bytes behind it change nothing',
    fc.tuple(head, bytes(10)),
    ([text, behind]) => {
      const whole = readWhole(text);
      if (whole.after < 0) return;
      for (let at = 0; at < whole.after; at++)
        assert.equal(readWhole(text.slice(0, at)).after, incomplete, String(at));
      assert.deepEqual(readWhole(text.slice(0, whole.after) + behind), whole);
    },
    300,
  ),
  property(
    'random bytes are refused or wait for more, and say why in words without them',
    fc.oneof(
      bytes(200),
      bytes(100).map((tail) => `HTTP/1.1 200 OK\r\n${tail}`),
    ),
    (text) => {
      const reader = new Head();
      const buffer = Buffer.from(text, 'latin1');
      const after = parseHead(buffer, 0, buffer.length, reader);
      assert.ok(after === incomplete || after === refused || (after > 0 && after <= buffer.length));
      if (after === refused) assert.match(reader.problem, /^[A-Za-z0-9 /,-]{3,80}$/);
    },
    2_000,
  ),
  property(
    'a head of many lines and nominations is refused, or read in little time',
    fc.tuple(
      fc.constantFrom(
        'A:\r\n',
        'Connection: a,b,c\r\n',
        'Connection: ,\r\n',
        `X: ${'y'.repeat(1_000)}\r\n`,
        'Set-Cookie: a\r\n',
      ),
      fc.integer({ min: 1, max: 4_000 }),
    ),
    ([unit, count]) => {
      const text = `HTTP/1.1 200 OK\r\n${unit.repeat(Math.min(count, 65_000 / unit.length))}\r\n`;
      let after = 0;
      const spent = cpuTime(() => (after = readWhole(text).after));
      assert.ok(spent < 500, `${spent} ms`);
      assert.equal(after === refused, text.split('\r\n').length - 3 > maxHeaderLines);
    },
    40,
  ),
  property(
    'chunks are those of a plain decoder, however they are cut',
    fc.tuple(chunked, cuts),
    ([text, at]) => {
      const wanted = decodeChunks(text);
      for (const parts of [
        [text],
        cutAt(text, at),
        Array.from({ length: text.length }, (_, i) => text.charAt(i)),
      ]) {
        const got = readChunks(parts);
        assert.equal(got.done, wanted !== null, JSON.stringify(text));
        if (wanted !== null) assert.deepEqual([got.body, got.pos], [wanted.body, wanted.pos]);
      }
    },
    3_000,
  ),
  property(
    'chunks that are done are read as llhttp reads them',
    chunked,
    (text) => {
      const got = readChunks([text]);
      // It has a stricter word for extensions and trailers, which are dropped here.
      if (!got.done || text.includes(';') || /0\r\n[^\r]/.test(text)) return;
      const theirs = readTheirs(
        ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', text.slice(0, got.pos)],
        'GET',
      );
      assert.deepEqual([theirs.verdict, theirs.body], ['end', got.body]);
    },
    1_000,
  ),
  property(
    'bodies of a known length and until the close are what came, and no byte more',
    fc.tuple(bytes(80), fc.nat(100), cuts, fc.boolean()),
    ([text, length, at, isUntilClose]) => {
      const got = readBody(cutAt(text, at), isUntilClose ? 'until-close' : 'length', length);
      assert.equal(got.body, isUntilClose ? text : text.slice(0, length));
      assert.equal(got.done, !isUntilClose && text.length >= length);
    },
    500,
  ),
  property(
    'lines between chunks are bounded',
    fc.constantFrom(';', '0', '\t', 'A: b\r\n', 'a'),
    (unit) => {
      const got = readChunks([`${unit === 'A: b\r\n' ? '0\r\n' : '1;'}${unit.repeat(70_000)}`]);
      assert.notEqual(got.problem, '');
      assert.ok(got.pos < 70_000);
    },
    10,
  ),
]);

function readWhole(text: string) {
  const result = new Head();
  const buffer = Buffer.from(text, 'latin1');
  const after = parseHead(buffer, 0, buffer.length, result);
  const { status: code, headers, contentLength, chunked: isChunked, close, keepAlive } = result;
  if (after < 0) return { after, status: 0, headers: [], contentLength: -1, chunked: false, close: false };
  return { after, status: code, headers, contentLength, chunked: isChunked, close, keepAlive };
}

/** As a connection reads it: 1xx are passed over, and a refusal is one wherever it is found. */
function readParts(parts: readonly string[]) {
  const reader = new HeadReader();
  reader.begin();
  const buffer = Buffer.alloc(64 * 1024);
  let behind = '';
  let isOver = false;
  let result: unknown = 'incomplete';
  for (const part of parts) {
    if (isOver) {
      behind += part;
      continue;
    }
    const end = buffer.write(part, 0, 'latin1');
    const pos = reader.read(buffer, end);
    if (pos === incomplete) continue;
    isOver = true;
    if (pos === refused) {
      result = `refused ${reader.error?.code}`;
      continue;
    }
    behind = part.slice(pos);
    result = structuredClone(reader.head);
  }
  return { result, behind: typeof result === 'string' ? '' : behind };
}

function cutAt(text: string, at: readonly number[]): string[] {
  const places = [0, ...at.map((place) => place % (text.length + 1)), text.length].sort((a, b) => a - b);
  return places.slice(1).map((place, i) => text.slice(places[i], place));
}

function readChunks(parts: readonly string[]) {
  return readBody(parts, 'chunked', 0);
}

function readBody(parts: readonly string[], framing: 'chunked' | 'length' | 'until-close', length: number) {
  const reader = new BodyReader();
  let body = '';
  const onData = (chunkOf: Uint8Array): boolean => {
    body += Buffer.from(chunkOf).toString('latin1');
    return true;
  };
  reader.begin({ onData }, framing, length);
  let pos = 0;
  for (const part of parts) {
    if (reader.done || reader.problem !== '') break;
    const buffer = Buffer.from(part, 'latin1');
    pos += reader.read(buffer, 0, buffer.length).pos;
  }
  return { done: reader.done, problem: reader.problem, body, pos };
}

/** RFC 9112 §7.1, a piece at a time; null for what is no whole body. */
function decodeChunks(text: string): { readonly body: string; readonly pos: number } | null {
  let body = '';
  let pos = 0;
  for (;;) {
    const first = /^([0-9A-Fa-f]{1,16})(?:;[\t\x20-\x7e\x80-\xff]*)?\r\n/.exec(text.slice(pos));
    if (first === null) return null;
    const length = BigInt(`0x${first[1]}`);
    pos += first[0].length;
    if (length === 0n) break;
    if (length > BigInt(text.length)) return null;
    body += text.slice(pos, pos + Number(length));
    pos += Number(length);
    if (text.slice(pos, pos + 2) !== '\r\n') return null;
    pos += 2;
  }
  const trailers = /^(?:[\t\x20-\x7e\x80-\xff]+\r\n)*\r\n/.exec(text.slice(pos));
  return trailers === null ? null : { body, pos: pos + trailers[0].length };
}
