// Sessions as a worker remembers them, over the table it shares.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import type { SessionCalls } from '../../../src/model/ipc.ts';
import { RemoteSessions } from '../../../src/state/session-remote.ts';
import { MemorySessions } from '../../../src/state/session-table.ts';
import { Sessions, trustFor, type SessionTable } from '../../../src/state/sessions.ts';

const space = { space: 'aaaaaaaaaaaaaaaa', ttl: 60_000 };
const other = { space: 'bbbbbbbbbbbbbbbb', ttl: 60_000 };

interface Bench {
  now: number;
  asked: number;
  isAway: boolean;
  readonly table: MemorySessions;
  worker(maxEntries?: number): Sessions;
}

/** A table, a clock, and workers over both. */
function bench(): Bench {
  const made: Bench = {
    now: 1000,
    asked: 0,
    isAway: false,
    table: new MemorySessions({ now: () => made.now }),
    worker(maxEntries = 100) {
      const table: SessionTable = {
        async find({ space: name, ttl }, key) {
          made.asked += 1;
          if (made.isAway) throw new Error('away');
          return made.table.find(name, key, ttl);
        },
        async learn({ space: name, ttl }, key, target) {
          if (!made.isAway) made.table.learn(name, key, { ttl, target });
        },
        forget({ space: name }, key) {
          if (!made.isAway) made.table.forget(name, key);
        },
        close() {},
      };
      return new Sessions({ table, now: () => made.now, maxEntries });
    },
  };
  return made;
}

test('what one worker learns, another finds; what it has found it says at once', async () => {
  const made = bench();
  const [one, two] = [made.worker(), made.worker()];
  void one.learn(space, 'k', 'http://a');
  assert.equal(one.find(space, 'k'), 'http://a');
  const found = two.find(space, 'k');
  assert.ok(found instanceof Promise);
  assert.equal(await found, 'http://a');
  assert.equal(two.find(space, 'k'), 'http://a');
  assert.equal(made.asked, 1);
  assert.equal(await two.find(other, 'of another space'), null);
});

test('its own word counts for ten seconds, then the table is asked', async () => {
  const made = bench();
  const [one, two] = [made.worker(), made.worker()];
  void one.learn(space, 'k', 'http://a');
  void two.learn(space, 'k', 'http://b');
  assert.equal(one.find(space, 'k'), 'http://a');
  made.now += trustFor;
  assert.equal(await one.find(space, 'k'), 'http://b');
});

test('an answer that was on its way while the session moved is not remembered', async () => {
  const made = bench();
  const [one, two] = [made.worker(), made.worker()];
  void one.learn(space, 'k', 'http://a');
  const asked = two.find(space, 'k');
  // What is heard in one turn of the loop is heard before any promise goes on.
  void one.learn(space, 'k', 'http://b');
  two.drop({ space: space.space, key: 'k' });
  assert.equal(await asked, 'http://a');
  assert.equal(await two.find(space, 'k'), 'http://b');
});

test('an answer that was on its way while the session ended does not begin it again', async () => {
  const made = bench();
  const [one, two] = [made.worker(), made.worker()];
  void one.learn(space, 'k', 'http://a');
  const asked = two.find(space, 'k');
  one.forget(space, 'k');
  two.drop({ space: space.space, key: 'k' });
  await asked;
  made.now += trustFor;
  assert.equal(await two.find(space, 'k'), null);
  assert.equal(made.table.size, 0);
});

test('a session that another one has moved is asked for anew', async () => {
  const made = bench();
  const [one, two] = [made.worker(), made.worker()];
  void one.learn(space, 'k', 'http://a');
  void two.learn(space, 'k', 'http://b');
  one.drop({ space: space.space, key: 'k' });
  assert.equal(await one.find(space, 'k'), 'http://b');
});

test('sessions end when they are not used, and use in any worker keeps them', async () => {
  const made = bench();
  const [one, two] = [made.worker(), made.worker()];
  void one.learn(space, 'k', 'http://a');
  for (let i = 0; i < 10; i++) {
    made.now += 20_000;
    assert.equal(await two.find(space, 'k'), 'http://a');
  }
  assert.equal(await one.find(space, 'k'), 'http://a');
  made.now += 60_001;
  assert.equal(await two.find(space, 'k'), null);
  assert.equal(await one.find(space, 'k'), null);
});

test('without the table a worker goes by what it knows, and teaches a table that has lost it', async () => {
  const made = bench();
  const one = made.worker();
  void one.learn(space, 'k', 'http://a');
  made.now += trustFor;
  made.isAway = true;
  assert.equal(await one.find(space, 'k'), 'http://a');
  await assert.rejects(async () => await one.find(space, 'unknown'));
  made.isAway = false;
  made.table.forget(space.space, 'k');
  assert.equal(await one.find(space, 'k'), 'http://a');
  assert.equal(made.table.find(space.space, 'k', 1), 'http://a');
});

test('a session that was ended is gone here and in the table', async () => {
  const made = bench();
  const one = made.worker();
  void one.learn(space, 'k', 'http://a');
  one.forget(space, 'k');
  assert.equal(await one.find(space, 'k'), null);
  assert.equal(made.table.size, 0);
});

test('no number of sessions makes a worker or the table grow beyond their bounds', () => {
  const made = bench();
  const one = made.worker(50);
  for (let i = 0; i < 1000; i++) void one.learn(space, `k${i}`, 'http://a');
  assert.equal(one.size, 50);
  void one.learn(space, 'long', `http://${'a'.repeat(5000)}`);
  assert.equal(one.size, 50);
  const table = new MemorySessions({ maxSessions: 10, maxAllSessions: 15 });
  for (let i = 0; i < 3; i++) table.learn('small', `s${i}`, { ttl: 1000, target: 'a' });
  for (let i = 0; i < 100; i++) table.learn('large', `l${i}`, { ttl: 1000, target: 'a' });
  assert.equal(table.size, 13);
  for (let i = 0; i < 100; i++) table.learn('third', `t${i}`, { ttl: 1000, target: 'a' });
  assert.equal(table.size, 15);
  // The few of a small service are not pushed out by those of a large one.
  for (let i = 0; i < 3; i++) assert.equal(table.find('small', `s${i}`, 1000), 'a');
  table.close();
});

test('the table forgets what has ended', () => {
  let now = 0;
  const table = new MemorySessions({ now: () => now });
  for (let i = 0; i < 10; i++) table.learn('s', `k${i}`, { ttl: 100, target: 'a' });
  now = 50;
  assert.equal(table.find('s', 'k3', 100), 'a');
  now = 120;
  table.sweep();
  assert.equal(table.size, 1);
  now = 151;
  assert.equal(table.find('s', 'k3', 100), null);
  assert.equal(table.size, 0);
  table.close();
});

test('what one tick asks and tells travels as one message, and its answers come back in order', async () => {
  const sent: SessionCalls[] = [];
  const remote = new RemoteSessions({ send: (calls) => sent.push(calls) > 0 });
  const found = [remote.find(space, 'a'), remote.find(space, 'b')];
  void remote.learn(space, 'c', 'http://c');
  remote.forget(other, 'd');
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(sent.length, 1);
  const [calls] = sent;
  assert.deepEqual(
    calls?.finds.map(({ key }) => key),
    ['a', 'b'],
  );
  assert.equal(calls?.learns[0]?.target, 'http://c');
  assert.equal(calls?.forgets[0]?.space, other.space);
  remote.answered({ type: 'session-answer', id: calls?.id ?? 0, targets: ['http://1', null] });
  assert.deepEqual(await Promise.all(found), ['http://1', null]);
  remote.close();
});

test('who has told something waits until the primary has heard it, and for no longer than the budget', async () => {
  const sent: SessionCalls[] = [];
  const remote = new RemoteSessions({ send: (calls) => sent.push(calls) > 0 });
  let isHeard = false;
  const told = remote.learn(space, 'a', 'http://a').then(() => (isHeard = true));
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.ok(!isHeard);
  assert.equal(sent[0]?.id, 1);
  remote.answered({ type: 'session-answer', id: 1, targets: [] });
  await told;
  remote.forget(space, 'a');
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(sent[1]?.id, 0, 'nobody waits for that');
  remote.close();

  const silent = new RemoteSessions({ send: () => true, budget: 20 });
  await silent.learn(space, 'a', 'http://a');
  silent.close();
  const gone = new RemoteSessions({ send: () => false });
  await gone.learn(space, 'a', 'http://a');
  gone.close();
});

test('after a pause of this process an answer that came in time is read before the question ends', async () => {
  const primary = startEcho();
  const remote = new RemoteSessions({ send: ({ id }) => primary.send({ id }), budget: 100 });
  primary.on('message', ({ id }: { id: number }) => {
    remote.answered({ type: 'session-answer', id, targets: ['http://a'] });
  });
  await once(primary, 'spawn');
  await remote.find(space, 'a').catch(() => {});
  const found = remote.find(space, 'a');
  await new Promise((resolve) => setImmediate(resolve));
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
  assert.equal(await found, 'http://a');
  remote.close();
  primary.kill();
});

test('a primary that does not answer, or is gone, ends the question', async () => {
  const silent = new RemoteSessions({ send: () => true, budget: 20 });
  await assert.rejects(silent.find(space, 'a'), /in time/);
  silent.close();
  const gone = new RemoteSessions({ send: () => false });
  await assert.rejects(gone.find(space, 'a'), /gone/);
  gone.close();
});

/** A process that sends back what it is sent. */
function startEcho(): ChildProcess {
  const script = `process.on('message', (message) => process.send(message))`;
  return spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
}
