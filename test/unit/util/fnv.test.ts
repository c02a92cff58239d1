// Hashes: FNV held against arithmetic that cannot overflow, and how evenly clients spread.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fnv1Hex, hash32, shareOf } from '../../../src/util/fnv.ts';

const mask = 2n ** 64n - 1n;
const prime = 0x100000001b3n;

function exact(text: string): bigint {
  let sum = 0xcbf29ce484222325n;
  for (const byte of Buffer.from(text, 'utf8')) {
    sum = ((sum * prime) & mask) ^ BigInt(byte);
  }
  return sum;
}

test('FNV-1 in hex is that of exact arithmetic, for any text', () => {
  assert.equal(fnv1Hex(''), 'cbf29ce484222325');
  fc.assert(fc.property(fc.string(), (text) => assert.equal(fnv1Hex(text), exact(text).toString(16))));
});

test('shares are spread evenly, also over texts that differ in one digit', () => {
  const tenths = Array.from({ length: 10 }, () => 0);
  const count = 20_000;
  for (let i = 0; i < count; i++) {
    const client = hash32(`10.0.${i % 200}.${Math.floor(i / 200)}`);
    const share = shareOf(client, hash32('http://10.0.0.1:8000'));
    assert.ok(share > 0 && share < 1);
    const tenth = Math.floor(share * 10);
    tenths[tenth] = (tenths[tenth] ?? 0) + 1;
  }
  for (const one of tenths) assert.ok(Math.abs(one - count / 10) < count / 100, tenths.join());
});
