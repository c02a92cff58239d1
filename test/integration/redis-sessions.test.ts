// Sessions and auth decisions as Redis keeps them: bounded, ended by its clock, checked against purges.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { RedisConnection } from '../../src/state/redis/connect.ts';
import { findDecision, notePurge, putDecision } from '../../src/state/redis/decision-scripts.ts';
import { purgeKeys, RedisDecisions } from '../../src/state/redis/decisions.ts';
import { findSession, forgetSession, learnSession } from '../../src/state/redis/session-scripts.ts';
import { RedisSessions } from '../../src/state/redis/sessions.ts';
import { sealSelector } from '../../src/state/purge-text.ts';
import { Sealing } from '../../src/state/sealing.ts';
import { connect } from '../support/redis-client.ts';
import {
  missingRedis,
  type RedisServer,
  redisSettings,
  startCluster,
  startRedis,
  until,
} from '../support/redis-server.ts';

const skip = missingRedis;
const space = { space: 'aaaaaaaaaaaaaaaa', ttl: 60_000 };
const sealing = new Sealing('a secret that is long enough for everybody');

async function open(context: TestContext): Promise<{ server: RedisServer; connection: RedisConnection }> {
  const server = await startRedis(context);
  const { connection } = connect(context, redisSettings(server.port));
  await connection.whenReachable(5000);
  await warmUp(connection);
  return { server, connection };
}

/** A script that Redis does not have yet is sent twice, and what was called after it comes first. */
async function warmUp(connection: RedisConnection): Promise<void> {
  for (const { lua } of [findSession, learnSession, forgetSession, findDecision, putDecision, notePurge])
    await connection.call('SCRIPT', ['LOAD', lua], 2000);
}

test('sessions are learned, moved, announced and forgotten', { skip }, async (context) => {
  const { connection } = await open(context);
  const sessions = new RedisSessions(connection, { timeout: 2000 });
  const heard: string[] = [];
  await new Promise<void>((resolve) =>
    connection.subscribe('portcullis:sessions', { message: (text) => heard.push(text), resumed: resolve }),
  );
  assert.equal(await sessions.find(space, 'k'), null);
  await sessions.learn(space, 'k', 'http://a');
  assert.equal(await sessions.find(space, 'k'), 'http://a');
  await sessions.learn(space, 'k', 'http://a');
  await sessions.learn(space, 'k', 'http://b');
  assert.equal(await sessions.find(space, 'k'), 'http://b');
  assert.equal(await sessions.find({ space: 'bbbbbbbbbbbbbbbb', ttl: 1 }, 'k'), null);
  sessions.forget(space, 'k');
  assert.equal(await sessions.find(space, 'k'), null);
  await until('both are announced', () => heard.length === 2);
  assert.deepEqual(heard, [`${space.space} k`, `${space.space} k`]);
});

test('sessions end unless they are used, and there are never more than the bound', {
  skip,
}, async (context) => {
  const { server, connection } = await open(context);
  const sessions = new RedisSessions(connection, { timeout: 2000, maxSessions: 20 });
  const brief = { ...space, ttl: 400 };
  await sessions.learn(brief, 'used', 'http://a');
  await sessions.learn(brief, 'unused', 'http://a');
  for (let i = 0; i < 6; i++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(await sessions.find(brief, 'used'), 'http://a');
  }
  assert.equal(await sessions.find(brief, 'unused'), null);
  for (let i = 0; i < 100; i++) await sessions.learn(space, `k${i}`, 'http://a');
  assert.equal(await sessions.find(space, 'k99'), 'http://a');
  assert.equal(await server.cli('HLEN', `portcullis:sessions:{${space.space}}:targets`), '20');
  assert.equal(await server.cli('ZCARD', `portcullis:sessions:{${space.space}}:ends`), '20');
});

test('sessions and decisions work in a cluster', { skip }, async (context) => {
  const [node] = await startCluster(context);
  const { connection } = connect(context, redisSettings(node?.port ?? 0, { cluster: true }));
  await connection.whenReachable(10_000);
  const sessions = new RedisSessions(connection, { timeout: 2000 });
  for (const name of ['0', '1', '2', '3'].map((digit) => digit.repeat(16))) {
    const there = { space: name, ttl: 10_000 };
    await sessions.learn(there, 'k', `http://${name}`);
    await until('it is learned', async () => (await sessions.find(there, 'k')) === `http://${name}`);
  }
  const decisions = new RedisDecisions(connection, sealing, { timeout: 2000 });
  const { epoch } = await decisions.find('key');
  decisions.put('key', epoch ?? 0, { text: 'yes', life: 5000 });
  await until('it is shared', async () => (await decisions.find('key')).decision?.text === 'yes');
});

test('a decision comes with what was purged since it was asked for', { skip }, async (context) => {
  const { server, connection } = await open(context);
  const decisions = new RedisDecisions(connection, sealing, { timeout: 2000 });
  const { epoch, purges } = purgeKeys('portcullis');
  const purge = async (sealed: string): Promise<void> =>
    void (await connection.run(notePurge, [epoch, purges], [sealed, 4, 'c', '}'], 2000));
  const first = await decisions.find('key');
  assert.ok(first.epoch !== null && first.decision === null);
  const at = first.epoch;
  decisions.put('key', at, { text: 'yes', life: 60_000 });
  const found = await decisions.find('key');
  assert.deepEqual(found.decision?.purges, []);
  assert.ok((found.decision?.life ?? 0) > 58_000 && (found.decision?.life ?? 0) <= 60_000);
  const selector = { by: 'token', token: 'canary' } as const;
  await purge(sealSelector(selector, sealing));
  assert.deepEqual((await decisions.find('key')).decision?.purges, [selector]);
  assert.ok(!(await server.cli('LRANGE', purges, '0', '-1')).includes('canary'));
  // An answer to a question from before the purge.
  decisions.put('late', at, { text: 'yes', life: 60_000 });
  assert.deepEqual((await decisions.find('late')).decision?.purges, [selector]);
  // One that nobody can read, and more than are kept.
  await purge('');
  assert.equal((await decisions.find('key')).decision?.purges, null);
  const now = (await decisions.find('key')).epoch ?? 0;
  decisions.put('new', now, { text: 'yes', life: 60_000 });
  for (let i = 0; i < 5; i++) await purge(sealSelector(selector, sealing));
  assert.equal((await decisions.find('new')).decision?.purges, null);
  // The count of purges is lost: nothing from before is taken for current.
  await server.cli('DEL', epoch, purges);
  const again = await decisions.find('new');
  assert.ok((again.epoch ?? 0) > 0);
  assert.equal(again.decision?.purges ?? null, null);
});

test('decisions end by the clock of Redis, and are bounded in number and size', { skip }, async (context) => {
  const { server, connection } = await open(context);
  const decisions = new RedisDecisions(connection, sealing, { timeout: 2000, maxDecisions: 10 });
  const epoch = (await decisions.find('x')).epoch ?? 0;
  decisions.put('short', epoch, { text: 'yes', life: 150 });
  assert.equal((await decisions.find('short')).decision?.text, 'yes');
  await new Promise((resolve) => setTimeout(resolve, 170));
  assert.equal((await decisions.find('short')).decision, null);
  for (let i = 0; i < 50; i++) decisions.put(`k${i}`, epoch, { text: 'yes', life: 60_000 });
  await decisions.find('x');
  assert.equal(await server.cli('HLEN', 'portcullis:{auth}:texts'), '10');
  decisions.put('large', epoch, { text: 'x'.repeat(9000), life: 60_000 });
  assert.equal((await decisions.find('large')).decision, null);
  const stranger = new RedisDecisions(connection, new Sealing('a secret of somebody else, long enough'));
  assert.equal((await stranger.find('k49')).decision, null);
  await server.kill();
  assert.deepEqual(await decisions.find('k49'), { epoch: null, decision: null });
});

test('the rights that the documentation gives suffice, and an auth server gets nothing but to publish', {
  skip,
}, async (context) => {
  const gateway = '~portcullis:* &portcullis:* +@all -@admin -@dangerous +info';
  const server = await startRedis(context, {
    lines: [
      `user gateway on >pass ${gateway}`,
      'user auth on >pass resetchannels &portcullis:purge -@all +publish',
    ],
  });
  const settings = redisSettings(server.port, { username: 'gateway', password: 'pass' });
  const { connection } = connect(context, settings);
  await connection.whenReachable(5000);
  const heard: string[] = [];
  await new Promise<void>((resolve) =>
    connection.subscribe('portcullis:purge', { message: (text) => heard.push(text), resumed: resolve }),
  );
  const sessions = new RedisSessions(connection, { timeout: 2000 });
  await sessions.learn(space, 'k', 'http://a');
  await until('it is learned', async () => (await sessions.find(space, 'k')) === 'http://a');
  const decisions = new RedisDecisions(connection, sealing, { timeout: 2000 });
  const { epoch } = await decisions.find('key');
  decisions.put('key', epoch ?? 0, { text: 'yes', life: 5000 });
  await until('it is shared', async () => (await decisions.find('key')).decision?.text === 'yes');
  const { epoch: count, purges } = purgeKeys('portcullis');
  await connection.run(notePurge, [count, purges], ['', 4, 'portcullis:purge', '"a":1}'], 2000);
  const asAuth = ['--user', 'auth', '--pass', 'pass', '--no-auth-warning'];
  assert.equal(await server.cli(...asAuth, 'PUBLISH', 'portcullis:purge', '{"by":"all"}'), '1');
  assert.match(await server.cli(...asAuth, 'GET', count), /NOPERM/);
  assert.match(await server.cli(...asAuth, 'PUBLISH', 'portcullis:sessions', 'x'), /NOPERM/);
  await until('both are heard', () => heard.length === 2);
});
