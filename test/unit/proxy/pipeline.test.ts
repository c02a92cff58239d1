// What the pipeline does with a middleware that is out of order: nothing ever reaches the service by mistake.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatewayError } from '../../../src/proxy/errors.ts';
import type { Exchange } from '../../../src/proxy/exchange.ts';
import { ANSWERED, CONTINUE, type Hooks, RETRY } from '../../../src/proxy/hooks.ts';
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

/** Three middlewares around a service that answers `statuses`, one after the other; what ran, in its order. */
async function walk(
  hooks: readonly Partial<Hooks>[],
  statuses: readonly number[],
): Promise<{ x: Exchange; ran: string[] }> {
  const ran: string[] = [];
  const noting = hooks.map((hook, i) => ({
    request(x: Exchange) {
      ran.push(`in ${i}`);
      return hook.request?.(x) ?? CONTINUE;
    },
    response(x: Exchange) {
      ran.push(`out ${i} ${x.status}`);
      return hook.response?.(x);
    },
    end: () => void ran.push(`end ${i}`),
  }));
  let asked = 0;
  const route = {
    name: 'r@file',
    depth: hooks.length,
    request: noting.map(({ request }) => request),
    response: noting.map(({ response }) => response),
    end: noting.map(({ end }) => end),
    broken: null,
    accessLogs: true,
    service: {
      name: 's',
      setServerUp() {},
      handle(x: Exchange) {
        ran.push('service');
        x.answer(statuses[asked++] ?? 200, [], '');
        answer(x);
      },
    },
  } as unknown as Route;
  const x = exchange();
  serve(x, { routeOf: () => route } as unknown as Runtime);
  for (let turns = 0; !x.ended && turns < 100; turns++) await new Promise(setImmediate);
  return { x, ran };
}

test('RETRY runs what lies further in once more, at once or later, and nothing further out', async () => {
  for (const isLater of [false, true]) {
    const verdict = (x: Exchange) => (x.status === 503 ? RETRY : CONTINUE);
    const response = isLater ? async (x: Exchange) => verdict(x) : verdict;
    const { x, ran } = await walk([{}, { response }, {}], [503, 200]);
    assert.equal(x.status, 200);
    assert.equal(x.retries, 1);
    assert.deepEqual(ran, [
      'in 0',
      'in 1',
      'in 2',
      'service',
      'out 2 503',
      'out 1 503',
      'in 2',
      'service',
      'out 2 200',
      'out 1 200',
      'out 0 200',
      'end 0',
      'end 1',
      'end 2',
    ]);
  }
});

test('an answer put in place on the way out is seen further out only', async () => {
  const { x, ran } = await walk([{}, { response: async (y) => y.answer(418, [], 'tea') }, {}], [500]);
  assert.equal(x.status, 418);
  assert.deepEqual(ran.slice(4, 7), ['out 2 500', 'out 1 500', 'out 0 418']);
});

test('a server that breaks off while its answer is held is seen further out; a bug is not', async () => {
  const reset = new GatewayError('upstream.reset');
  const broken = await walk([{}, { response: () => Promise.reject(reset) }], [200]);
  assert.deepEqual(broken.ran.slice(3), ['out 1 200', 'out 0 502', 'end 0', 'end 1']);
  assert.equal(broken.x.error, reset);
  const bug = await walk([{}, { response: () => Promise.reject(new Error('bug')) }], [200]);
  assert.deepEqual(bug.ran.slice(3), ['out 1 200', 'end 0', 'end 1']);
  assert.equal(bug.x.status, 500);
});

test('a client that goes away while a verdict is awaited ends it once, whatever the verdict', async () => {
  for (const verdict of [RETRY, ANSWERED, CONTINUE] as const) {
    let settle = (): void => {};
    const held = new Promise<typeof verdict>((resolve) => {
      settle = () => resolve(verdict);
    });
    let left = false;
    const response = (x: Exchange): Promise<typeof verdict> => {
      setImmediate(() => {
        x.downstream.onAbort?.();
        left = true;
        settle();
      });
      return held;
    };
    const { x, ran } = await walk([{ response }], [503]);
    await new Promise(setImmediate);
    assert.equal(left, true);
    assert.equal(x.error?.code, 'client.gone');
    assert.deepEqual(ran, ['in 0', 'service', 'out 0 503', 'end 0']);
  }
});
