// inFlightReq on real Exchanges: counted once, given back once, whatever happens between.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { ANSWERED, CONTINUE, type Hooks } from '../../../../src/proxy/hooks.ts';
import type { BuildDeps } from '../../../../src/proxy/middlewares/define.ts';
import { inFlightReq } from '../../../../src/proxy/middlewares/in-flight-req.ts';
import { MemoryState } from '../../../../src/state/memory.ts';
import type { State } from '../../../../src/state/state.ts';
import { exchange } from './workbench.ts';

function build(
  t: TestContext,
  options: object,
  over: Partial<State> = {},
): Required<Pick<Hooks, 'request' | 'end'>> {
  const memory = new MemoryState();
  t.after(() => memory.close());
  const state: State = {
    take: memory.take.bind(memory),
    enter: (space, limit, key) => memory.enter(space, limit, key),
    leave: (space, key) => memory.leave(space, key),
    close() {},
    ...over,
  };
  const deps = {
    name: 'limit@file',
    router: 'api@file',
    slot: () => 0,
    state,
    log: { warn() {}, error() {} },
  } as unknown as BuildDeps;
  const hooks = inFlightReq.build(inFlightReq.schema.parse(options), deps);
  assert.ok(hooks.request !== undefined && hooks.end !== undefined);
  return { request: hooks.request, end: hooks.end };
}

test('as many run as the amount says, for each host', (t) => {
  const { request, end } = build(t, { amount: 2 });
  const first = exchange();
  assert.equal(request(first), CONTINUE);
  assert.equal(request(exchange()), CONTINUE);
  const refused = exchange();
  assert.equal(request(refused), ANSWERED);
  assert.equal(refused.status, 429);
  assert.equal(refused.answerBody, 'max connections reached: 2');
  assert.deepEqual(refused.responseHeaders, []);
  assert.equal(request(exchange({ authority: 'other.test' })), CONTINUE);
  end(refused);
  assert.equal(request(exchange()), ANSWERED, 'who was refused gives nothing back');
  end(first);
  end(first);
  assert.equal(request(exchange()), CONTINUE);
  assert.equal(request(exchange()), ANSWERED, 'a second end gives nothing back');
});

test('a hook that runs again for the same request does not count it twice', (t) => {
  const { request, end } = build(t, { amount: 1 });
  const x = exchange();
  assert.equal(request(x), CONTINUE);
  assert.equal(request(x), CONTINUE);
  end(x);
  assert.equal(request(exchange()), CONTINUE);
});

test('no amount lets nothing through', (t) => {
  assert.equal(build(t, {}).request(exchange()), ANSWERED);
});

test('a client that goes while the state is asked is given back', async (t) => {
  const left: string[] = [];
  const { request } = build(
    t,
    { amount: 1 },
    { enter: () => Promise.resolve(true), leave: (_, key) => left.push(key) },
  );
  const x = exchange();
  const verdict = request(x);
  x.ended = true;
  assert.equal(await verdict, ANSWERED);
  assert.deepEqual(left, ['example.org']);
});

test('a state that cannot be reached answers 503', async (t) => {
  const { request, end } = build(t, { amount: 1 }, { enter: () => Promise.reject(new Error('gone')) });
  const x = exchange();
  assert.equal(await request(x), ANSWERED);
  assert.equal(x.status, 503);
  end(x);
});
