// What the pipeline does with a middleware that is out of order: nothing ever reaches the service by mistake.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Exchange } from '../../../src/proxy/exchange.ts';
import { ANSWERED, CONTINUE, type Hooks } from '../../../src/proxy/hooks.ts';
import { serve } from '../../../src/proxy/pipeline.ts';
import { answer } from '../../../src/proxy/pipeline.ts';
import type { Route } from '../../../src/proxy/runtime/route.ts';
import type { Runtime } from '../../../src/proxy/runtime/runtime.ts';
import { exchange } from '../../support/forward-auth.ts';

/** The status the client gets, and whether the service was reached. */
async function through(hook: unknown): Promise<{ status: number; reached: boolean }> {
  let reached = false;
  const route = {
    name: 'r@file',
    depth: 2,
    request: [null, hook as Hooks['request'] & object],
    response: null,
    end: null,
    broken: null,
    accessLogs: true,
    service: {
      name: 's',
      setServerUp() {},
      handle(x: Exchange) {
        reached = true;
        x.answer(200, [], '');
        answer(x);
      },
    },
  } as unknown as Route;
  const x = exchange();
  serve(x, { routeOf: () => route } as unknown as Runtime);
  for (let turns = 0; !x.ended && turns < 100; turns++) await new Promise(setImmediate);
  assert.equal(x.ended, true);
  return { status: x.status, reached };
}

test('a hook that says to go on is believed, at once or later', async () => {
  for (const hook of [() => CONTINUE, async () => CONTINUE]) {
    assert.deepEqual(await through(hook), { status: 200, reached: true });
  }
});

test('a hook that throws, rejects or gives no verdict ends in 500 and never in the service', async () => {
  const hooks: unknown[] = [
    () => {
      throw new Error('bug');
    },
    () => Promise.reject(new Error('bug')),
    () => undefined,
    () => null,
    () => true,
    () => 2,
    () => Number.NaN,
    async () => undefined,
    async () => null,
    async () => 2,
    async () => false,
    async () => '0',
    () => ({}),
    'no function',
  ];
  for (const hook of hooks) {
    assert.deepEqual(await through(hook), { status: 500, reached: false }, String(hook));
  }
});

test('a hook that answers without a word on what is not let through either', async () => {
  for (const hook of [() => ANSWERED, async () => ANSWERED]) {
    assert.equal((await through(hook)).reached, false);
  }
});
