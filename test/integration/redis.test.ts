// The connection to Redis: timeouts, loss and return, users, TLS, sentinels, cluster.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { redisScript } from '../../src/state/redis/script.ts';
import { makeAuthority } from '../support/pki.ts';
import { connect } from '../support/redis-client.ts';
import {
  missingRedis,
  redisSettings,
  startCluster,
  startRedis,
  startSentinels,
  until,
} from '../support/redis-server.ts';

const skip = missingRedis;
const echo = redisScript(`return {KEYS[1], ARGV[1]}`);
const write = redisScript(`redis.call('SET', KEYS[1], ARGV[1]) return redis.call('GET', KEYS[1])`);

test('scripts run by their hash, also after Redis has forgotten them', { skip }, async (context) => {
  const server = await startRedis(context);
  const { connection } = connect(context, redisSettings(server.port));
  await connection.whenReachable(5000);
  assert.deepEqual(await connection.run(echo, ['k'], ['v'], 1000), ['k', 'v']);
  await server.cli('SCRIPT', 'FLUSH');
  assert.deepEqual(await connection.run(echo, ['k'], ['v'], 1000), ['k', 'v']);
  assert.deepEqual(
    await Promise.all(
      Array.from({ length: 500 }, async (_, i) => await connection.run(write, [`k${i}`], [i], 1000)),
    ),
    Array.from({ length: 500 }, (_, i) => String(i)),
  );
});

test('while Redis is gone calls reject at once, and one line says so; it comes back by itself', {
  skip,
}, async (context) => {
  const server = await startRedis(context);
  const { connection, lines } = connect(context, redisSettings(server.port));
  await connection.whenReachable(5000);
  await server.kill();
  await until('the loss is seen', () => !connection.isReachable);
  const asked = performance.now();
  await assert.rejects(connection.call('GET', ['k']), { name: 'RedisUnreachable' });
  assert.ok(performance.now() - asked < 50);
  await assert.rejects(connection.whenReachable(100), { name: 'RedisUnreachable' });
  // Several tries happen meanwhile.
  await assert.rejects(connection.whenReachable(1500));
  assert.equal(lines.length, 2, lines.join('\n'));
  assert.match(lines[1] as string, new RegExp(`Redis is not reachable.*127\\.0\\.0\\.1:${server.port}`));
  await server.restart();
  await connection.whenReachable(5000);
  assert.equal(await connection.call('SET', ['k', 'v'], 1000), 'OK');
  assert.match(lines[2] as string, /Redis is reachable/);
  assert.equal(lines.length, 3);
});

test('a Redis that stands still costs a call its timeout, then the connection is given up', {
  skip,
}, async (context) => {
  const server = await startRedis(context);
  const { connection } = connect(context, redisSettings(server.port));
  await connection.whenReachable(5000);
  context.after(() => server.resume());
  server.pause();
  const asked = performance.now();
  const calls = Array.from({ length: 100 }, async () => await connection.call('GET', ['k']));
  for (const { status } of await Promise.allSettled(calls)) assert.equal(status, 'rejected');
  assert.ok(performance.now() - asked < 1000);
  await until('the connection is given up', () => !connection.isReachable, 5000);
  server.resume();
  await connection.whenReachable(10_000);
  assert.equal(await connection.call('SET', ['k', 'v'], 1000), 'OK');
});

test('calls that wait for a Redis that stands still are bounded', { skip }, async (context) => {
  const server = await startRedis(context);
  const { connection } = connect(context, redisSettings(server.port));
  await connection.whenReachable(5000);
  context.after(() => server.resume());
  server.pause();
  const calls = Array.from({ length: 10_050 }, async () => await connection.call('GET', ['k'], 300));
  const refused = (await Promise.allSettled(calls)).filter(
    (one) => one.status === 'rejected' && /too many/.test(String(one.reason)),
  );
  assert.equal(refused.length, 50);
});

test('closing is prompt when Redis is gone, stands still, or was never there', { skip }, async (context) => {
  const server = await startRedis(context);
  const { connection } = connect(context, redisSettings(server.port));
  await connection.whenReachable(5000);
  connection.subscribe('c', { message() {}, resumed() {} });
  server.pause();
  const pending = connection.call('GET', ['k'], 60_000);
  const patient = connect(context, redisSettings(1)).connection;
  const waiting = patient.whenReachable(60_000);
  const ends = Promise.allSettled([pending, waiting]);
  const closed = performance.now();
  connection.close();
  patient.close();
  for (const { status } of await ends) assert.equal(status, 'rejected');
  assert.ok(performance.now() - closed < 1000);
  await assert.rejects(connection.call('GET', ['k']));
});

test('messages arrive, and again after Redis was gone; each return is told', { skip }, async (context) => {
  const server = await startRedis(context);
  const { connection } = connect(context, redisSettings(server.port));
  const heard: string[] = [];
  let resumed = 0;
  connection.subscribe('news', {
    message: (text) => heard.push(text),
    resumed: () => {
      resumed += 1;
    },
  });
  await until('subscribed', () => resumed === 1);
  await server.cli('PUBLISH', 'news', 'one');
  await until('heard', () => heard.length === 1);
  await server.kill();
  await server.restart();
  await until('subscribed again', () => resumed === 2);
  await server.cli('PUBLISH', 'news', 'two');
  await until('heard again', () => heard.length === 2);
  connection.unsubscribe('news');
  await until('unsubscribed', async () => (await server.cli('PUBSUB', 'CHANNELS')) === '');
});

test('a subscriber whose Redis stands still connects anew when it goes on', { skip }, async (context) => {
  const server = await startRedis(context);
  const { connection } = connect(context, redisSettings(server.port));
  let resumed = 0;
  connection.subscribe('news', {
    message() {},
    resumed: () => {
      resumed += 1;
    },
  });
  await until('subscribed', () => resumed === 1);
  context.after(() => server.resume());
  server.pause();
  // Longer than a sign of life is waited for.
  await assert.rejects(connection.call('GET', ['k'], 6000));
  await new Promise((resolve) => setTimeout(resolve, 2500));
  server.resume();
  await until('subscribed again', () => resumed === 2);
});

test('an answer that is an error says nothing of what was sent', { skip }, async (context) => {
  const server = await startRedis(context);
  const { connection } = connect(context, redisSettings(server.port));
  await connection.whenReachable(5000);
  await assert.rejects(connection.call('NOSUCH', ['canary-secret'], 1000), (error: Error) => {
    assert.equal(error.name, 'RedisRefused');
    assert.doesNotMatch(`${JSON.stringify(error)} ${error.stack}`, /canary/);
    return true;
  });
});

test('user, password and database are used; a wrong password is told without it', {
  skip,
}, async (context) => {
  const server = await startRedis(context, {
    lines: ['user default off', 'user portcullis on >canary-right ~* &* +@all'],
    cliArgs: ['--user', 'portcullis', '-a', 'canary-right', '--no-auth-warning'],
  });
  const right = redisSettings(server.port, { username: 'portcullis', password: 'canary-right', db: 3 });
  const { connection, lines } = connect(context, right);
  await connection.whenReachable(5000);
  await connection.call('SET', ['k', 'v'], 1000);
  assert.equal(await server.cli('-n', '3', 'GET', 'k'), 'v');
  const wrong = connect(context, { ...right, password: 'canary-wrong' });
  await assert.rejects(wrong.connection.whenReachable(1000));
  assert.equal(wrong.lines.length, 1, wrong.lines.join('\n'));
  assert.match(wrong.lines[0] as string, /WRONGPASS/);
  const none = connect(context, { ...right, username: null, password: null });
  await assert.rejects(none.connection.whenReachable(1000));
  assert.match(none.lines[0] as string, /NOAUTH/);
  assert.doesNotMatch([...lines, ...wrong.lines, ...none.lines].join(), /canary/);
});

test('a database that is not there is told, and no other one used', { skip }, async (context) => {
  const server = await startRedis(context, { lines: ['databases 2'] });
  const { connection, lines } = connect(context, redisSettings(server.port, { db: 5 }));
  await assert.rejects(connection.whenReachable(700));
  await assert.rejects(connection.call('SET', ['k', 'v'], 1000));
  assert.match(lines.join(), /DB index is out of range/);
  assert.equal(await server.cli('DBSIZE'), '0');
});

test('TLS is verified against the given root, and a client certificate shown', { skip }, async (context) => {
  const authority = makeAuthority();
  const other = makeAuthority('Other Root');
  context.after(() => {
    authority.close();
    other.close();
  });
  const issued = authority.issue(['127.0.0.1']);
  const client = authority.issue(['portcullis'], { client: true });
  const server = await startRedis(context, { tls: { ca: authority.root, ...issued } });
  await server.cli('CONFIG', 'SET', 'tls-auth-clients', 'yes').catch(() => '');
  const tls = { ca: [authority.root], cert: client.cert, key: client.key, insecureSkipVerify: false };
  const good = connect(context, redisSettings(server.port, { tls })).connection;
  await good.whenReachable(5000);
  assert.equal(await good.call('PING', [], 1000), 'PONG');
  const bad = connect(context, redisSettings(server.port, { tls: { ...tls, ca: [other.root] } }));
  await assert.rejects(bad.connection.whenReachable(700));
  assert.match(bad.lines.join(), /certificate|issuer|verify/i);
  const blind = { ...tls, ca: [other.root], insecureSkipVerify: true };
  await connect(context, redisSettings(server.port, { tls: blind })).connection.whenReachable(5000);
});

test('a master that dies is followed by the one the sentinels name', { skip }, async (context) => {
  const { nodes, sentinels } = await startSentinels(context);
  const [master, replica] = nodes as [(typeof nodes)[0], (typeof nodes)[0]];
  const { connection } = connect(
    context,
    redisSettings(0, {
      endpoints: sentinels.map(({ port }) => ({ host: '127.0.0.1', port })),
      sentinel: { masterName: 'main', username: null, password: null },
    }),
  );
  let resumed = 0;
  const heard: string[] = [];
  connection.subscribe('news', {
    message: (text) => heard.push(text),
    resumed: () => {
      resumed += 1;
    },
  });
  await connection.whenReachable(5000);
  await until('subscribed', () => resumed === 1);
  assert.equal(await connection.run(write, ['k'], ['before'], 1000), 'before');
  await master.kill();
  await until('writes go to the new master', async () => {
    try {
      return (await connection.run(write, ['k'], ['after'], 500)) === 'after';
    } catch {
      return false;
    }
  });
  assert.equal(await replica.cli('GET', 'k'), 'after');
  await until('subscribed at the new master', () => resumed >= 2);
  await connection.call('PUBLISH', ['news', 'hello'], 1000);
  await until('heard', () => heard.includes('hello'));
});

test('a cluster is used with all of its nodes', { skip }, async (context) => {
  const nodes = await startCluster(context);
  const settings = redisSettings(0, {
    endpoints: nodes.slice(0, 2).map(({ port }) => ({ host: '127.0.0.1', port })),
    cluster: true,
  });
  const { connection } = connect(context, settings);
  let resumed = 0;
  const heard: string[] = [];
  connection.subscribe('news', {
    message: (text) => heard.push(text),
    resumed: () => {
      resumed += 1;
    },
  });
  await connection.whenReachable(5000);
  const keys = Array.from({ length: 200 }, (_, i) => `{t${i}}:k`);
  await Promise.all(keys.map(async (key, i) => await connection.run(write, [key], [i], 2000)));
  const held = await Promise.all(nodes.map(async (node) => Number(await node.cli('DBSIZE'))));
  assert.equal(
    held.reduce((sum, number) => sum + number, 0),
    200,
  );
  assert.ok(
    held.every((number) => number > 20),
    held.join(),
  );
  await until('subscribed', () => resumed === 1);
  for (const node of nodes) await node.cli('PUBLISH', 'news', 'hello');
  await until('heard from every node', () => heard.length === 3);
});
