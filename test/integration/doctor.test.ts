// `doctor` beside real servers: a gateway that runs, Redis as it is set up.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runCommand, startGateway } from '../support/gateway.ts';
import { missingRedis, startRedis } from '../support/redis-server.ts';

async function doctor(...flags: string[]): Promise<{ code: number | null; output: string }> {
  return runCommand(['doctor', '--entrypoints.web.address=:0', ...flags]);
}

test('the ports of a gateway that runs are its own', async (context) => {
  const gateway = await startGateway();
  context.after(async () => gateway.stop());
  const { output } = await runCommand([
    'doctor',
    `--entrypoints.web.address=127.0.0.1:${gateway.port('web')}`,
  ]);
  assert.match(output, new RegExp(`ok +ports +web .* is held by a running gateway, pid ${gateway.pid}\n`));
  assert.match(output, new RegExp(`open files a process \\(of the running gateway, pid ${gateway.pid}\\)`));
});

test('Redis: answers, agrees about the time, and says what it does when it is full', {
  skip: missingRedis,
}, async (context) => {
  const redis = await startRedis(context, {
    lines: ['requirepass hush', 'maxmemory 64mb', 'maxmemory-policy allkeys-lru'],
    cliArgs: ['-a', 'hush', '--no-auth-warning'],
  });
  const endpoint = `--state.redis.endpoints=127.0.0.1:${redis.port}`;
  const locked = await doctor(endpoint);
  assert.equal(locked.code, 2);
  assert.match(locked.output, /does not let the gateway in \(NOAUTH\)\n +→ `state\.redis\.username`/);
  const full = await doctor(endpoint, '--state.redis.password=hush');
  assert.match(
    full.output,
    /warning +redis .*throws away certificates, too \(allkeys-lru\)\n +→ `maxmemory-policy volatile-ttl`/,
  );
  assert.match(full.output, /ok +clock +agrees with Redis/);
  await redis.cli('CONFIG', 'SET', 'maxmemory-policy', 'volatile-ttl');
  const secret = 's'.repeat(40);
  const well = await doctor(endpoint, '--state.redis.password=hush', `--state.secret=${secret}`);
  assert.match(
    well.output,
    new RegExp(`ok +redis +127\\.0\\.0\\.1:${redis.port} \\d+\\.\\d+\\.\\d+ answers in \\d+\\.\\d ms\n`),
  );
  assert.match(well.output, /ok +`state\.secret` is there/);
  for (const { output } of [locked, full, well]) assert.doesNotMatch(output, /hush|ssss/);
});

test('a replica and a part of a cluster are not what is wanted', { skip: missingRedis }, async (context) => {
  const master = await startRedis(context);
  const replica = await startRedis(context, { lines: [`replicaof 127.0.0.1 ${master.port}`] });
  assert.match(
    (await doctor(`--state.redis.endpoints=127.0.0.1:${replica.port}`)).output,
    /error +redis .*it is a replica, and cannot be written to/,
  );
  assert.match(
    (await doctor(`--state.redis.endpoints=127.0.0.1:${master.port}`, '--state.redis.cluster=true')).output,
    /error +redis .*it is no cluster\n +→ leave out `state\.redis\.cluster`/,
  );
});
