// Addresses from bytes to text.

import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatAddress } from '../../../../src/proxy/entrypoints/peer.ts';

test('addresses are written as RFC 5952 says, mapped ones as IPv4', () => {
  for (const [hex, text] of [
    ['7f000001', '127.0.0.1'],
    ['00000000', '0.0.0.0'],
    ['00000000000000000000ffff01020304', '1.2.3.4'],
    ['00000000000000000000000000000001', '::1'],
    ['00000000000000000000000000000000', '::'],
    ['20010db8000000000000000000000000', '2001:db8::'],
    ['20010db8000000010000000000000001', '2001:db8:0:1::1'],
    ['20010db8000100010001000100010000', '2001:db8:1:1:1:1:1:0'],
    ['00010000000000020000000000000003', '1:0:0:2::3'],
    ['00010000000000020000000000030004', '1::2:0:0:3:4'],
    ['', ''],
    ['0102', ''],
  ] as const) {
    assert.equal(formatAddress(Buffer.from(hex, 'hex')), text, hex);
  }
});

test('any sixteen bytes give a text that reads as the same address', () => {
  const byte = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 255 }));
  fc.assert(
    fc.property(fc.array(byte, { minLength: 16, maxLength: 16 }), (bytes) => {
      const text = formatAddress(Uint8Array.from(bytes));
      assert.notEqual(isIP(text), 0, text);
      // The URL standard writes the low bytes in hex always, as RFC 5952 would have it.
      if (isIP(text) === 6) assert.equal(`[${text}]`, new URL(`http://[${text}]/`).hostname);
    }),
  );
});
