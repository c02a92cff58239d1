// Requests of the gateway's own beside an Exchange.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatewayError } from '../../../src/proxy/errors.ts';
import type { Exchange } from '../../../src/proxy/exchange.ts';
import { answer, fail } from '../../../src/proxy/pipeline.ts';
import { finishStream, sendHead } from '../../../src/proxy/respond.ts';
import type { Service } from '../../../src/proxy/services/service.ts';
import { askBeside, type SideCall } from '../../../src/proxy/side-exchange.ts';
import { exchange } from '../../support/forward-auth.ts';

const question = {
  method: 'GET',
  path: '/page',
  search: '?a=b',
  authority: 'app.test',
  headers: ['x-a', '1'],
  body: null,
};

function ask(handle: (x: Exchange) => void, maxBytes = 10): SideCall {
  // Services answer later, as servers do.
  const later = (x: Exchange): void => void setImmediate(() => x.ended || handle(x));
  const service = { name: 's', handle: later, setServerUp() {} } as unknown as Service;
  return askBeside(exchange(), service, question, maxBytes);
}

test('the answer comes back whole, streamed or not', async () => {
  const whole = await ask((x) => {
    assert.equal(x.path + x.search, '/page?a=b');
    x.answer(201, ['x-b', '2'], 'hello');
    answer(x);
  }).answer;
  assert.equal(whole?.status, 201);
  assert.deepEqual(whole.headers, ['x-b', '2']);
  assert.equal(Buffer.from(whole.body).toString(), 'hello');
  const streamed = await ask((x) => {
    x.status = 200;
    sendHead(x, null);
    const shared = Buffer.from('abc');
    x.downstream.write(shared);
    shared.fill('x');
    x.downstream.write(Buffer.from('def'));
    finishStream(x);
  }).answer;
  assert.equal(Buffer.from(streamed?.body ?? []).toString(), 'abcdef');
});

test('one that is too long is none, and its call is ended', async () => {
  let cancelled = 0;
  const stream = ask((x) => {
    x.running = { cancel: () => void cancelled++ };
    sendHead(x, null);
    x.downstream.write(Buffer.alloc(11));
  });
  assert.equal(await stream.answer, null);
  assert.equal(cancelled, 1);
  const whole = ask((x) => {
    x.answer(200, [], 'x'.repeat(11));
    answer(x);
  });
  assert.equal(await whole.answer, null);
});

test('an error of the service is an answer like any other', async () => {
  const got = await ask((x) => fail(x, new GatewayError('service.no_server')), 100).answer;
  assert.equal(got?.status, 503);
});

test('one that breaks off is none', async () => {
  const call = ask((x) => {
    sendHead(x, null);
    x.downstream.write(Buffer.from('abc'));
    fail(x, new GatewayError('upstream.reset_body'));
  });
  assert.equal(await call.answer, null);
});

test('a cancelled one settles, and what comes later changes nothing', async () => {
  let side: Exchange | null = null;
  let cancelled = 0;
  const call = ask((x) => {
    side = x;
    x.running = { cancel: () => void cancelled++ };
  });
  await new Promise(setImmediate);
  call.cancel();
  assert.equal(await call.answer, null);
  assert.equal(cancelled, 1);
  assert.equal((side as Exchange | null)?.ended, true);
});
