// Durations: what is taken, what is too much, and what becomes a timer.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { duration, timeout } from '../../../../src/proxy/middlewares/fields.ts';

test('a duration is at most what 64 bits of nanoseconds hold, as for the other readers of these files', () => {
  assert.equal(duration.parse('2562047h'), 2_562_047 * 3_600_000);
  assert.equal(duration.parse('-2562047h'), -2_562_047 * 3_600_000);
  for (const value of ['2562048h', 1e300, '9223372037', `${'9'.repeat(400)}h`]) {
    const { error } = duration.safeParse(value);
    assert.match(error?.issues[0]?.message ?? '', /^expected a duration of at most/, String(value));
  }
});

test('what becomes a timer is never longer than a timer can wait, and never below zero', () => {
  assert.equal(timeout.parse('596h'), 596 * 3_600_000);
  assert.equal(timeout.parse('597h'), 2 ** 31 - 1);
  assert.equal(timeout.parse('2562047h'), 2 ** 31 - 1);
  assert.match(timeout.safeParse(-1).error?.issues[0]?.message ?? '', /^expected 0 or more/);
});
