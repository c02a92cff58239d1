// The state asked over a channel: batches, answers, and what happens when there are none.

import assert from 'node:assert/strict';
import { setImmediate as tick, setTimeout as sleep } from 'node:timers/promises';
import { test, type TestContext } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import type { StateAnswer, StateCalls } from '../../../src/model/ipc.ts';
import { MemoryState } from '../../../src/state/memory.ts';
import { RemoteState, StateUnreachable } from '../../../src/state/remote.ts';

const bucket = { space: 'b', rate: 0.001, burst: 5, maxDelay: 0 };

interface Line {
  readonly remote: RemoteState;
  readonly sent: StateCalls[];
}

function line(
  t: TestContext,
  options: { budget?: number; maxCalls?: number; send?: () => boolean } = {},
): Line {
  const sent: StateCalls[] = [];
  const remote = new RemoteState({
    send(calls) {
      sent.push(calls);
      return options.send?.() ?? true;
    },
    ...(options.budget !== undefined && { budget: options.budget }),
    ...(options.maxCalls !== undefined && { maxCalls: options.maxCalls }),
  });
  t.after(() => remote.close());
  return { remote, sent };
}

test('the calls of one tick travel in one message and are answered in their order', async (t) => {
  const { remote, sent } = line(t);
  const first = remote.take(bucket, 'a');
  const entered = remote.enter('s', 3, 'x');
  const second = remote.take(bucket, 'b');
  const refused = remote.enter('s', 3, 'y');
  remote.leave('s', 'z');
  assert.equal(sent.length, 0);
  await tick();
  assert.deepEqual(sent, [
    {
      type: 'state-calls',
      id: 1,
      takes: [{ bucket, keys: ['a', 'b'] }],
      enters: [{ space: 's', limit: 3, keys: ['x', 'y'] }],
      leaves: [{ space: 's', keys: ['z'] }],
    },
  ]);
  remote.answered({ type: 'state-answer', id: 1, values: [0, 4, 12.5, 0, 1, 0] }, null);
  assert.deepEqual(await first, { wait: 0, remaining: 4 });
  assert.deepEqual(await second, { wait: 12.5, remaining: 0 });
  assert.equal(await entered, true);
  assert.equal(await refused, false);
});

test('a call without an answer fails within its budget, and its late entry is left again', async (t) => {
  const { remote, sent } = line(t, { budget: 40 });
  const started = performance.now();
  const entered = remote.enter('s', 1, 'x');
  const taken = remote.take(bucket, 'a');
  await assert.rejects(entered, StateUnreachable);
  await assert.rejects(taken, StateUnreachable);
  const took = performance.now() - started;
  assert.ok(took >= 35 && took < 10_000, `${took} ms`);
  remote.answered({ type: 'state-answer', id: 1, values: [0, 4, 1] }, null);
  await tick();
  assert.deepEqual(sent[1]?.leaves, [{ space: 's', keys: ['x'] }]);
});

test('later batches keep budgets of their own', async (t) => {
  const { remote } = line(t, { budget: 800 });
  const first = remote.take(bucket, 'a');
  const failed = assert.rejects(first, StateUnreachable);
  await sleep(500);
  const second = remote.take(bucket, 'b');
  await failed;
  remote.answered({ type: 'state-answer', id: 1, values: [0, 1] }, null);
  remote.answered({ type: 'state-answer', id: 2, values: [0, 3] }, null);
  assert.equal((await second).remaining, 3);
});

test('a primary that is gone fails calls at once', async (t) => {
  const { remote } = line(t, { budget: 60_000, send: () => false });
  await assert.rejects(remote.take(bucket, 'a'), StateUnreachable);
});

test('the number of calls without an answer is bounded, but leaving always goes', async (t) => {
  const { remote, sent } = line(t, { maxCalls: 2 });
  const first = remote.take(bucket, 'a');
  void remote.take(bucket, 'b');
  await assert.rejects(remote.take(bucket, 'c'), /too many/);
  await assert.rejects(remote.enter('s', 1, 'c'), /too many/);
  remote.leave('s', 'c');
  await tick();
  assert.deepEqual(sent[0]?.leaves, [{ space: 's', keys: ['c'] }]);
  remote.answered({ type: 'state-answer', id: 1, values: [0, 4, 0, 3] }, null);
  await first;
  const again = remote.take(bucket, 'd');
  await tick();
  remote.answered({ type: 'state-answer', id: 2, values: [0, 2] }, null);
  assert.equal((await again).remaining, 2);
});

test('a message holds 1,024 calls at most', async (t) => {
  const { remote, sent } = line(t);
  for (let i = 0; i < 2500; i++) remote.leave('s', 'a');
  await tick();
  assert.deepEqual(
    sent.map((calls) => calls.leaves[0]?.keys.length),
    [1024, 1024, 452],
  );
});

test('calls on their way when the state moves to this worker are done there', async (t) => {
  const { remote } = line(t);
  const own = new MemoryState();
  t.after(() => own.close());
  own.enter('s', 2, 'old');
  const sentTake = remote.take(bucket, 'a');
  const sentEnter = remote.enter('s', 1, 'x');
  remote.leave('s', 'old');
  await tick();
  const unsentEnter = remote.enter('s', 1, 'x');
  remote.settle(own);
  assert.equal(await unsentEnter, true);
  remote.answered({ type: 'state-answer', id: 1, values: null }, own);
  assert.deepEqual(await sentTake, { wait: 0, remaining: 4 });
  assert.equal(await sentEnter, false, 'the other one was first');
  assert.equal(own.enter('s', 1, 'old'), true, 'the leave was done here, too');
});

test('nobody holding the state fails the calls', async (t) => {
  const { remote } = line(t);
  const taken = remote.take(bucket, 'a');
  await tick();
  remote.answered({ type: 'state-answer', id: 1, values: null }, null);
  await assert.rejects(taken, StateUnreachable);
});

test('an answer that came in time counts, though this process was busy until later', async (t) => {
  const { port1: near, port2: far } = new MessageChannel();
  t.after(() => near.close());
  const remote = new RemoteState({
    budget: 20,
    send({ id }) {
      far.postMessage({ type: 'state-answer', id, values: [0, 4] });
      process.nextTick(() => {
        const end = performance.now() + 100;
        while (performance.now() < end);
      });
      return true;
    },
  });
  t.after(() => remote.close());
  near.on('message', (answer: StateAnswer) => remote.answered(answer, null));
  assert.deepEqual(await remote.take(bucket, 'a'), { wait: 0, remaining: 4 });
});
