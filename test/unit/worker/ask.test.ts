// Questions to the primary: each gets its own answer, and there are never too many of them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ApiRequest, ToPrimary } from '../../../src/model/ipc.ts';
import { askTimeout, createAsk, maxPending } from '../../../src/worker/ask.ts';

const request: ApiRequest = { method: 'GET', target: '/api/version', contentType: '', body: '' };

test('answers find their questions in whatever order they come', async () => {
  const sent: ToPrimary[] = [];
  const ask = createAsk((message) => sent.push(message));
  const first = ask.ask(request);
  const second = ask.ask(request);
  const ids = sent.map((message) => (message.type === 'api-request' ? message.id : 0));
  ask.answered(ids[1] ?? 0, { status: 202, headers: [], body: 'second' });
  ask.answered(ids[0] ?? 0, { status: 201, headers: [], body: 'first' });
  ask.answered(99, { status: 200, headers: [], body: 'nobody asked' });
  assert.equal((await first).body, 'first');
  assert.equal((await second).body, 'second');
});

test('a primary that does not answer costs 5 s, then 504', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const ask = createAsk(() => {});
  const answer = ask.ask(request);
  t.mock.timers.tick(askTimeout);
  assert.equal((await answer).status, 504);
});

test('more questions than may wait are refused at once', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const ask = createAsk(() => {});
  const waiting = Array.from({ length: maxPending }, () => ask.ask(request));
  assert.equal((await ask.ask(request)).status, 503);
  t.mock.timers.tick(askTimeout);
  await Promise.all(waiting);
});

test('a body above 64 KiB goes nowhere', async () => {
  const sent: ToPrimary[] = [];
  const ask = createAsk((message) => sent.push(message));
  assert.equal((await ask.ask({ ...request, body: 'x'.repeat(65_537) })).status, 413);
  assert.equal(sent.length, 0);
});
