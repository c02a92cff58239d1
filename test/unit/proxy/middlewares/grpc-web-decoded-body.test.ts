// Base64 in pieces: what they stand for, however they are padded and cut, and what many small ones cost.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import type { BodySink, RequestBody } from '../../../../src/proxy/body.ts';
import { DecodedBody } from '../../../../src/proxy/middlewares/grpc-web/decoded-body.ts';

/** Null: it was broken off. */
function decoded(...chunks: readonly string[]): Buffer | null {
  const inner: RequestBody = {
    length: null,
    received: 0,
    isPiped: false,
    collected: null,
    pipe(sink: BodySink) {
      for (const chunk of chunks) sink.data(Buffer.from(chunk, 'latin1'));
      sink.end();
    },
    resume: () => {},
    collect: () => Promise.resolve(null),
    discard: () => {},
  };
  const parts: Uint8Array[] = [];
  let isWhole = false;
  new DecodedBody(inner).pipe({
    data(chunk) {
      parts.push(Buffer.from(chunk));
      return true;
    },
    end: () => void (isWhole = true),
    abort: () => {},
  });
  return isWhole ? Buffer.concat(parts) : null;
}

test('pieces padded on their own are put together, wherever they are cut', () => {
  for (let round = 0; round < 200; round++) {
    const pieces = Array.from({ length: 1 + (round % 7) }, (_, i) => randomBytes((round * 3 + i * 5) % 11));
    const text = pieces.map((piece) => piece.toString('base64')).join('');
    const cut = (round * 7) % (text.length + 1);
    assert.deepEqual(decoded(text.slice(0, cut), text.slice(cut)), Buffer.concat(pieces), text);
  }
});

for (const [text, bytes] of [
  ['', ''],
  ['QQ==', 'A'],
  ['QUI=', 'AB'],
  ['QQ==QQ==', 'AA'],
  ['QUI=QUJDQQ==QUJD', 'ABABCAABC'],
  ['-_-_', '\xfb\xff\xbf'],
  ['-_==+/==', '\xfb\xfb'],
  ['QR==', 'A'],
] as const) {
  test(`${text} is ${JSON.stringify(bytes)}`, () => {
    assert.equal(decoded(text)?.toString('latin1'), bytes);
  });
}

for (const text of [
  'Q',
  'QQ',
  'QQ=',
  'Q===',
  '====',
  '=QQQ',
  'Q=QQ',
  'QQ=Q',
  'QQ==Q===',
  'QQ==QQ=Q',
  'QQ==Q QQ',
])
  test(`${text} is no base64`, () => {
    assert.equal(decoded(text), null);
  });
for (const text of ['QQ\xe9=', 'QQ==\xff\xff\xff\xff', 'QUJ\n', 'QQ==\0\0\0\0'])
  test(`${JSON.stringify(text)} is no base64`, () => {
    assert.equal(decoded(text), null);
  });

test('a megabyte of pieces of a byte each takes about as long as one piece', () => {
  for (const unit of ['QQ==', 'QUI=', 'QUJD']) {
    const chunk = unit.repeat(262_144);
    const times = [1, 2, 3].map(() => {
      const before = process.cpuUsage();
      assert.equal(decoded(chunk)?.length, 262_144 * unit.replaceAll('=', '').length - 262_144);
      const { user, system } = process.cpuUsage(before);
      return (user + system) / 1000;
    });
    // Milliseconds of CPU time; a buffer for each piece takes 100 of them.
    assert.ok(Math.min(...times) < 40, `${unit}: ${times}`);
  }
});
