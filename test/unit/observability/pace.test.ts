// Pieces of text: all of it in order, whatever its length, while a slow taker holds the one it was lent.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Pace } from '../../../src/observability/pace.ts';

test('pieces together are the text, and one that is lent is not written over', async () => {
  const texts = Array.from({ length: 5_000 }, (_, i) => `${'é€🙂'.repeat(i % 40)} ${i}\n`);
  texts[1_000] = 'ü'.repeat(300_000);
  let got = '';
  let lent = 0;
  const pace = new Pace(async (piece) => {
    lent += 1;
    assert.equal(lent, 1, 'one at a time');
    const before = Buffer.from(piece);
    await nextTurn();
    assert.ok(before.equals(piece));
    got += before.toString();
    lent -= 1;
  });
  for (const text of texts) {
    pace.add(text);
    await pace.turn();
  }
  await pace.end();
  assert.equal(got, texts.join(''));
});

test('whoever fails to take a piece ends the text', async () => {
  const pace = new Pace(() => Promise.reject(new Error('no room')));
  pace.add('text');
  await assert.rejects(pace.end(), /no room/);
});
