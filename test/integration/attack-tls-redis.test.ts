// A Redis in which somebody else has written: what ACME reads of it is bounded, and harms nobody's challenge.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { WorkerChallenge } from '../../src/model/acme.ts';
import { createBoard } from '../../src/primary/acme/board.ts';
import type { AcmeStorage } from '../../src/primary/acme/storage.ts';
import { connect, storageOn } from '../support/redis-client.ts';
import { missingRedis, type RedisServer, redisSettings, startRedis } from '../support/redis-server.ts';

const skip = missingRedis;
const prefix = 'portcullis:{acme:le}:';

async function stage(t: TestContext): Promise<{ server: RedisServer; storage: AcmeStorage }> {
  const server = await startRedis(t);
  const { connection } = connect(t, redisSettings(server.port));
  return { server, storage: await storageOn(t, connection, {}) };
}

test('an answer, an account or a challenge that is too long is none', { skip }, async (t) => {
  const { server, storage } = await stage(t);
  const token = 't'.repeat(43);
  // 64 MiB, mostly of zeros: nobody asks for more than the first bytes of it.
  await server.cli('SETRANGE', `${prefix}token:${token}`, String(64 * 1024 * 1024), 'x');
  await server.cli('SETRANGE', `${prefix}account`, String(64 * 1024 * 1024), 'x');
  const long = { kind: 'tls-alpn-01', domain: 'a.test', token: '', keyAuthorization: 'k'.repeat(10_000) };
  await server.cli('ZADD', `${prefix}challenges`, '9999999999999', JSON.stringify(long));
  const before = process.memoryUsage().rss;
  assert.equal(await storage.find(token), null);
  assert.equal((await storage.load()).account, null);
  assert.deepEqual(await storage.offered(), []);
  assert.ok(process.memoryUsage().rss - before < 32 * 1024 * 1024);
});

test('values of another type are told as errors, and work again once they are gone', { skip }, async (t) => {
  const { server, storage } = await stage(t);
  for (const name of ['account', 'certificates', 'attempts'])
    await server.cli('LPUSH', `${prefix}${name}`, 'x');
  await assert.rejects(storage.load(), /WRONGTYPE|wrong kind|wrong type/i);
  for (const name of ['account', 'certificates', 'attempts']) await server.cli('DEL', `${prefix}${name}`);
  assert.deepEqual(await storage.load(), { account: null, certificates: [], attempts: [] });
});

test('a challenge no certificate can be made for keeps no other from being shown', { skip }, async (t) => {
  const { server, storage } = await stage(t);
  for (const domain of ['\u0000', 'ü.test', ' ', ''])
    await server.cli(
      'ZADD',
      `${prefix}challenges`,
      '9999999999999',
      JSON.stringify({ kind: 'tls-alpn-01', domain, token: '', keyAuthorization: 'k' }),
    );
  await storage.offer({ kind: 'http-01', domain: 'a.test', token: 'good', keyAuthorization: 'good.thumb' });
  let told: readonly WorkerChallenge[] = [];
  const board = createBoard((challenges) => (told = challenges));
  await board.setOffered(storage, await storage.offered());
  assert.ok(told.some((one) => one.kind === 'http-01' && one.token === 'good'));
});
