// How much mirroring a worker takes on.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BodySink, RequestBody } from '../../../../src/proxy/body.ts';
import { CopiedBody } from '../../../../src/proxy/services/copied-body.ts';
import { MirrorBudget } from '../../../../src/proxy/services/mirror-budget.ts';

test('what is over the bound is not taken, and what is given back can be taken again', () => {
  const budget = new MirrorBudget({ mirrors: 2, bytes: 10 });
  assert.deepEqual([budget.takeMirror(), budget.takeMirror(), budget.takeMirror()], [true, true, false]);
  assert.deepEqual([budget.takeBytes(6), budget.takeBytes(5), budget.takeBytes(4)], [true, false, true]);
  budget.giveMirror();
  budget.giveBytes(6);
  assert.deepEqual([budget.mirrors, budget.bytes], [1, 4]);
  assert.equal(budget.takeMirror() && budget.takeBytes(6), true);
});

/** Hands its chunks to whoever pipes it; `end` false breaks off. */
function bodyOf(chunks: readonly string[], end = true): RequestBody {
  return {
    length: null,
    received: 0,
    isPiped: false,
    collected: null,
    pipe(sink: BodySink) {
      for (const chunk of chunks) sink.data(Buffer.from(chunk));
      if (end) sink.end();
      else sink.abort();
    },
    resume() {},
    collect: () => Promise.resolve(null),
    discard() {},
  };
}

test('a body that passes is copied whole or not at all', () => {
  const seen: string[] = [];
  const sink: BodySink = { data: (chunk) => seen.push(String(chunk)) > 0, end() {}, abort() {} };
  for (const [chunks, end, expected] of [
    [['ab', 'cd'], true, 'abcd'],
    [['ab', 'cde'], true, null],
    [['ab'], false, null],
    [[], true, ''],
  ] as const) {
    const body = new CopiedBody(bodyOf(chunks, end), 4);
    body.pipe(sink);
    assert.equal(body.copy === null ? null : String(body.copy), expected);
  }
  assert.equal(seen.join(''), 'abcdabcdeab', 'all of it has passed');
});
