// The client's parsers against llhttp: the same bytes, whole and cut anywhere, must read the same. Where they
// do not, the table says why.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { oddBytes } from '../../../../support/odd-bytes.ts';
import { corpus } from './corpus.ts';
import { readOurs } from './oracle.ts';
import { type Reading, readTheirs } from './oracle-llhttp.ts';

/** What differs, and why it is meant to. Names are those of the corpus. */
const differences: Readonly<
  Record<string, { readonly we: 'refuse' | 'take' | 'close' | 'read'; readonly why: string }>
> = {
  'control in the reason': { we: 'refuse', why: 'RFC 9112 §4: HTAB, SP, VCHAR and obs-text only' },
  'HTTP/1.0 keep-alive': { we: 'close', why: 'HTTP/1.0 connections are not kept' },
  'HTTP/1.0 chunked': { we: 'refuse', why: 'RFC 9112 §6.1: faulty framing' },
  'HTTP/0.9 number': { we: 'refuse', why: 'HTTP/1.0 and HTTP/1.1 only' },
  'HTTP/2.0 number': { we: 'refuse', why: 'HTTP/1.0 and HTTP/1.1 only' },
  'an empty line before': {
    we: 'refuse',
    why: 'bytes before an answer belong to nothing; servers may not send them',
  },
  'a bare LF before': { we: 'refuse', why: 'as an empty line before' },
  'an empty line behind': { we: 'close', why: 'bytes behind an answer, whichever, end the connection' },
  'length of 17 digits': { we: 'refuse', why: 'digits are bounded as well as the value' },
  'length over 2^53': { we: 'refuse', why: 'refused with the head; theirs waits for that many bytes' },
  'size of 17 digits': { we: 'refuse', why: 'digits are bounded as well as the value' },
  'size over 2^53': { we: 'refuse', why: 'refused at once; theirs waits for that many bytes' },
  'gzip, chunked': { we: 'refuse', why: 'codings other than chunked alone are not passed on, as in Go' },
  'chunked, gzip': { we: 'refuse', why: 'as gzip, chunked' },
  'chunked twice': { we: 'refuse', why: 'repeated framing is refused, even when equal' },
  identity: { we: 'refuse', why: 'no coding any more (RFC 9112); Go refuses it too' },
  xchunked: { we: 'refuse', why: 'as gzip, chunked' },
  'empty Transfer-Encoding': { we: 'refuse', why: 'as gzip, chunked' },
  '101': { we: 'refuse', why: 'told as bad_upgrade; theirs leaves it to its caller' },
  '101 without Upgrade': { we: 'refuse', why: 'as 101' },
  'empty chunk extension': { we: 'take', why: 'extensions are dropped unread; only their characters count' },
  'blanks in an extension': { we: 'take', why: 'bad white space is allowed there (RFC 9112 §7.1.1)' },
  'tab behind a length': { we: 'take', why: 'optional white space is SP or HTAB (RFC 9110 §5.6.3)' },
  'tab behind chunked': { we: 'read', why: 'as behind a length; theirs takes it for another coding' },
  '100 with a length': {
    we: 'refuse',
    why: 'no 1xx has a body; theirs skips that of 100 and reads that of 110',
  },
  '110 with a length': { we: 'refuse', why: 'as 100 with a length, before any of it' },
  '103 in chunks': { we: 'refuse', why: 'as 100 with a length' },
  '100 of HTTP/1.0': { we: 'take', why: 'a 1xx says nothing about the connection of the answer behind it' },
  '100 with close': { we: 'take', why: 'as 100 of HTTP/1.0' },
  'trailer Content-Length': { we: 'take', why: 'trailers are dropped, so it says nothing to anybody' },
  'trailer without a colon': { we: 'take', why: 'trailers are dropped unread; only their line ends count' },
};

test('the corpus reads as llhttp reads it, but for the table', () => {
  const found: string[] = [];
  for (const { name, bytes, method = 'GET' } of corpus) {
    const { error: _, ...ours } = readOurs([bytes], method);
    const theirs = readTheirs([bytes], method);
    const expected = differences[name];
    if (expected === undefined) {
      assert.deepEqual(ours, theirs, name);
      continue;
    }
    found.push(name);
    assert.notDeepEqual(ours, theirs, `${name} does not differ any more`);
    assert.equal(ours.verdict, expected.we === 'refuse' ? 'error' : 'end', name);
    if (expected.we === 'take') assert.equal(theirs.verdict, 'error', name);
    if (expected.we === 'close') assert.deepEqual({ ...ours, isReusable: true }, theirs, name);
  }
  assert.deepEqual(found.sort(), Object.keys(differences).sort(), 'every row of the table is about a case');
});

test('cut at every position, and into single bytes, the corpus reads as it does whole', () => {
  for (const { name, bytes, method = 'GET' } of corpus) {
    const whole = readOurs([bytes], method);
    const theirs = readTheirs([bytes], method);
    const splits = Array.from({ length: bytes.length + 1 }, (_, at) => [bytes.slice(0, at), bytes.slice(at)]);
    // Not split(''): every char is one byte here.
    splits.push(Array.from({ length: bytes.length }, (_, at) => bytes.charAt(at)));
    for (const parts of splits) {
      const where = `${name}, cut at ${parts[0]?.length} of ${bytes.length}`;
      const filled = parts.filter((part) => part !== '');
      assert.deepEqual(comparable(readOurs(filled, method)), comparable(whole), where);
      if (differences[name] === undefined) assert.deepEqual(readTheirs(filled, method), theirs, where);
    }
  }
});

test('answers made at random, cut at random, read as they were made and as llhttp reads them', () => {
  fc.assert(
    fc.property(answers, cuts, (made, at) => {
      const parts = cut(made.bytes, at);
      const { error, ...ours } = readOurs(parts, 'GET');
      assert.equal(error, null);
      assert.deepEqual(ours, readTheirs(parts, 'GET'));
      assert.deepEqual([ours.verdict, ours.status, ours.body], ['end', made.status, made.body]);
    }),
    { numRuns: 2_000 },
  );
});

test('spoilt answers are never read more kindly than by llhttp, and never otherwise', () => {
  fc.assert(
    fc.property(spoilt, cuts, ({ bytes, method }, at) => {
      const parts = cut(bytes, at);
      const ours = readOurs(parts, method);
      assert.deepEqual(comparable(ours), comparable(readOurs([bytes], method)), 'cut and whole');
      const theirs = readTheirs([bytes], method);
      if (ours.verdict === 'error' || isKindlyRead(bytes)) return;
      const { error: _, isReusable, ...rest } = ours;
      const { isReusable: isTheirsReusable, ...theirRest } = theirs;
      assert.deepEqual(rest, theirRest);
      assert.ok(!isReusable || isTheirsReusable, 'kept by us alone');
    }),
    { numRuns: Number(process.env['ORACLE_RUNS'] ?? 10_000) },
  );
});

/** All but the words of the error: a cut head may be refused for what comes first in it. */
function comparable({ verdict, status, body, headers, isReusable, error }: ReturnType<typeof readOurs>) {
  return { verdict, status, body, headers, isReusable, code: error?.code } satisfies Reading & {
    code?: unknown;
  };
}

/** Rows `take` of the table: extensions and trailers, which are dropped, tabs behind framing, 1xx that close. */
function isKindlyRead(bytes: string): boolean {
  if (/^(?:Content-Length|Transfer-Encoding):[^\r]*\t/im.test(bytes)) return true;
  if (/^HTTP\/1\.0 1\d\d|^connection:.*close[^]*\nHTTP/im.test(bytes)) return true;
  return /chunked/i.test(bytes) && (bytes.includes(';') || /\r\n0+\r\n[^\r]/.test(bytes));
}

function cut(bytes: string, at: readonly number[]): string[] {
  const places = [0, ...at.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return places.slice(1).flatMap((place, i) => bytes.slice(places[i], place) || []);
}

const cuts = fc.array(fc.nat(5_000), { maxLength: 8 });
const token = fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,20}$/).filter((name) => !isSpecial(name));
const value = fc.stringMatching(/^[!-~\x80-\xff]([ -~\x80-\xff]{0,60}[!-~\x80-\xff])?$/);
const body = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString('latin1'));

const answers = fc
  .record({
    status: fc.integer({ min: 200, max: 599 }).filter((status) => status !== 204 && status !== 304),
    fields: fc.array(fc.tuple(token, value), { maxLength: 12 }),
    hints: fc.nat(3),
    pieces: fc.array(
      body.filter((piece) => piece !== ''),
      { maxLength: 6 },
    ),
    framing: fc.constantFrom('length', 'chunked', 'close'),
  })
  .map(({ status, fields, hints, pieces, framing }) => {
    const whole = pieces.join('');
    const head = fields.map(([name, text]) => `${name}: ${text}\r\n`).join('');
    const start = `${'HTTP/1.1 103 Hints\r\nLink: <a>\r\n\r\n'.repeat(hints)}HTTP/1.1 ${status} Made\r\n${head}`;
    const chunks = pieces.map((piece) => `${piece.length.toString(16)}\r\n${piece}\r\n`).join('');
    const ends = {
      length: `Content-Length: ${whole.length}\r\n\r\n${whole}`,
      chunked: `Transfer-Encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`,
      close: `\r\n${whole}`,
    };
    return { status, body: whole, bytes: start + ends[framing as keyof typeof ends] };
  });

/** A case of the corpus with a few bytes changed, put in or taken out. */
const spoilt = fc
  .record({
    base: fc.constantFrom(...corpus.filter(({ name }) => differences[name] === undefined)),
    edits: fc.array(
      fc.record({
        at: fc.nat(400),
        with: fc.constantFrom('', ...oddBytes, '1', 'F', '\xe9'),
        takes: fc.nat(2),
      }),
      { minLength: 1, maxLength: 4 },
    ),
  })
  .map(({ base, edits }) => {
    let { bytes } = base;
    for (const edit of edits) {
      const at = edit.at % (bytes.length + 1);
      bytes = bytes.slice(0, at) + edit.with + bytes.slice(at + edit.takes);
    }
    return { bytes, method: base.method ?? 'GET' };
  });

function isSpecial(name: string): boolean {
  return /^(?:connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|date|content-length)$/i.test(
    name,
  );
}
