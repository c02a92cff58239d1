// Sessions of a node whose shared table is away or has come back empty.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NodeSessions } from '../../../src/state/node-sessions.ts';
import { MemorySessions } from '../../../src/state/session-table.ts';
import type { SessionSpace, SessionTable } from '../../../src/state/sessions.ts';

const space: SessionSpace = { space: '0123456789abcdef', ttl: 60_000 };

interface Table extends SessionTable {
  isAway: boolean;
  clear(): void;
}

/** What Redis and the primary are to a worker, on the table the primary has. */
function table(): Table {
  let held = new MemorySessions();
  const one: Table = {
    isAway: false,
    find: (at, key) =>
      one.isAway ? Promise.reject(new Error('away')) : Promise.resolve(held.find(at.space, key, at.ttl)),
    async learn(at, key, target) {
      if (!one.isAway) held.learn(at.space, key, { ttl: at.ttl, target });
    },
    forget(at, key) {
      if (!one.isAway) held.forget(at.space, key);
    },
    clear() {
      held.close();
      held = new MemorySessions();
    },
    close: () => held.close(),
  };
  return one;
}

test('while the shared table is away, all workers of the node find what one of them learned', async () => {
  const far = table();
  const near = table();
  const one = new NodeSessions(far, near);
  const two = new NodeSessions(far, near);
  await one.learn(space, 'before', 'http://a');
  far.isAway = true;
  await one.learn(space, 'meanwhile', 'http://b');
  assert.equal(await two.find(space, 'before'), 'http://a');
  assert.equal(await two.find(space, 'meanwhile'), 'http://b');
  await assert.rejects(two.find(space, 'unknown'), /away/, 'nobody can say that there is none');
  one.close();
});

test('what one worker found in the shared table, all workers of its node know while that is away', async () => {
  const far = table();
  const near = table();
  await far.learn(space, 'elsewhere', 'http://a');
  assert.equal(await new NodeSessions(far, near).find(space, 'elsewhere'), 'http://a');
  far.isAway = true;
  assert.equal(await new NodeSessions(far, near).find(space, 'elsewhere'), 'http://a');
  near.close();
});

test('a shared table that came back empty is told again what the node knows', async () => {
  const far = table();
  const one = new NodeSessions(far, table());
  await one.learn(space, 'kept', 'http://a');
  far.clear();
  assert.equal(await one.find(space, 'kept'), 'http://a');
  assert.equal(await far.find(space, 'kept'), 'http://a');
  assert.equal(await one.find(space, 'unknown'), null);
  one.close();
});

test('what another node has moved is where the shared table says, and what ended is nowhere', async () => {
  const far = table();
  const near = table();
  const one = new NodeSessions(far, near);
  await one.learn(space, 'moved', 'http://a');
  await far.learn(space, 'moved', 'http://b');
  assert.equal(await one.find(space, 'moved'), 'http://b');
  one.forget(space, 'moved');
  assert.equal(await one.find(space, 'moved'), null);
  near.isAway = true;
  assert.equal(await one.find(space, 'moved'), null, 'the shared one has answered');
  one.close();
});
