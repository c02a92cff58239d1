// Bodies that do not go to the client as they come.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AnswerKeeper } from '../../../src/proxy/upstream/answer-keeper.ts';

function running(): { cancelled: number; cancel(): void } {
  return {
    cancelled: 0,
    cancel() {
      this.cancelled++;
    },
  };
}

test('a body within the bound is kept whole, in memory of its own', async () => {
  const call = running();
  const keeper = new AnswerKeeper(10, call);
  const shared = Buffer.from('hello');
  keeper.take(shared);
  shared.fill('x');
  keeper.take(Buffer.from('world'));
  keeper.finish();
  assert.equal(Buffer.from((await keeper.whole) ?? []).toString(), 'helloworld');
  assert.equal(call.cancelled, 0);
});

test('a longer one is null, and ends its call at once', async () => {
  const call = running();
  const keeper = new AnswerKeeper(4, call);
  keeper.take(Buffer.from('hello'));
  assert.equal(call.cancelled, 1);
  assert.equal(await keeper.whole, null);
});

test('a server that breaks off rejects', async () => {
  const keeper = new AnswerKeeper(4, running());
  keeper.fail(new Error('reset'));
  await assert.rejects(keeper.whole, /reset/);
});

test('a dropped body that is long, or known to be, costs its call; a short one does not', () => {
  const announced = running();
  AnswerKeeper.forDropped(announced, 65 * 1024);
  assert.equal(announced.cancelled, 1);
  const chunked = running();
  const keeper = AnswerKeeper.forDropped(chunked, -1);
  keeper.take(Buffer.alloc(64 * 1024));
  assert.equal(chunked.cancelled, 0);
  keeper.take(Buffer.alloc(1));
  assert.equal(chunked.cancelled, 1);
  const short = running();
  const dropped = AnswerKeeper.forDropped(short, 3);
  dropped.take(Buffer.alloc(3));
  dropped.finish();
  assert.equal(short.cancelled, 0);
});

test('a dropped body that trickles is cut after a second', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const call = running();
  const keeper = AnswerKeeper.forDropped(call, -1);
  keeper.take(Buffer.alloc(1));
  t.mock.timers.tick(1000);
  assert.equal(call.cancelled, 1);
});
