// Query strings: pairs, escapes, and what a long one costs.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { anyQueryValue, firstQueryValue } from '../../../src/rules/match-query.ts';

const cases: readonly [search: string, key: string, value: string | null][] = [
  ['', 'a', null],
  ['?a', 'a', ''],
  ['?a&b=1', 'a', ''],
  ['?a&b=1', 'b', '1'],
  ['?b=1&a', 'a', ''],
  ['?a=b=c', 'a', 'b=c'],
  ['?%61=1', 'a', '1'],
  ['?%61x=1', 'a', null],
  ['?%6=1', 'a', null],
  ['?%zz=1', '%zz', null],
  ['?%C3%A9=%c3%a9', 'é', 'é'],
  ['?a+b=c+d', 'a b', 'c d'],
  ['?a%2Bb=%2B', 'a+b', '+'],
  ['?a=%zz&a=2', 'a', '2'],
  ['?a=%4&a=2', 'a', '2'],
  ['?a=%FF', 'a', '\ufffd'],
  ['?a=%00', 'a', '\0'],
  ['?%26=1&&=2', '&', '1'],
];
for (const [search, key, value] of cases) {
  test(`the first value of ${key} in ${search} is ${value}`, () => {
    assert.equal(firstQueryValue(search, key), value);
  });
}

const megabyte = 1024 * 1024;
for (const pair of ['k&', '%6b&', 'k=%6b&', '%6b=%&', '%6a&', 'k=+&']) {
  test(`a megabyte of ${pair} is read in a time that grows with its length alone`, () => {
    const search = `?${pair.repeat(megabyte / pair.length)}`;
    const times = [1, 2, 3].map(() => {
      const before = process.cpuUsage();
      assert.equal(
        anyQueryValue(search, 'k', (value) => value === 'x'),
        false,
      );
      const { user, system } = process.cpuUsage(before);
      return (user + system) / 1000;
    });
    // Milliseconds of CPU time; a scan to the end for each pair takes 2,500 of them.
    assert.ok(Math.min(...times) < 250, String(times));
  });
}
