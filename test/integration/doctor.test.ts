// `doctor` beside real servers: a gateway that runs, Redis as it is set up.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runCommand, startGateway } from '../support/gateway.ts';
import { idOf, startScriptedEngine } from '../support/docker-engine.ts';
import { makeAuthority } from '../support/pki.ts';
import { missingRedis, startRedis, startSentinels } from '../support/redis-server.ts';

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

test('sentinels are asked for their master, which is looked at', { skip: missingRedis }, async (context) => {
  const { nodes, sentinels } = await startSentinels(context);
  const endpoints = sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',');
  const { output } = await doctor(
    `--state.redis.endpoints=${endpoints}`,
    '--state.redis.sentinel.mastername=main',
  );
  assert.equal(output.match(/\d+\.\d+\.\d+ answers in/g)?.length, 3, output);
  await nodes[0]?.kill();
  const gone = await doctor(
    `--state.redis.endpoints=127.0.0.1:${sentinels[0]?.port}`,
    '--state.redis.sentinel.mastername=other',
  );
  assert.match(gone.output, /error +redis .*the sentinel knows no master other/);
});

test('Redis with TLS answers whoever trusts it', { skip: missingRedis }, async (context) => {
  const authority = makeAuthority();
  context.after(() => authority.close());
  const { cert, key } = authority.issue(['127.0.0.1']);
  const redis = await startRedis(context, { tls: { ca: authority.root, cert, key } });
  const endpoint = `--state.redis.endpoints=127.0.0.1:${redis.port}`;
  const trusted = await doctor(endpoint, `--state.redis.tls.ca=${authority.root}`);
  assert.match(trusted.output, /ok +redis .* answers in/);
  const stranger = await doctor(endpoint, '--state.redis.tls.insecureskipverify=false');
  assert.match(stranger.output, /error +redis .*no TLS with it \(\w+\)\n +→ `state\.redis\.tls\.ca`/);
  assert.equal(stranger.code, 2);
});

test('a container engine that answers is well', async (context) => {
  const engine = await startScriptedEngine();
  context.after(async () => engine.stop());
  const id = idOf('shop');
  const labels = { 'traefik.http.routers.shop.rule': 'Host(`shop.test`)' };
  engine.containers.set(id, {
    id,
    name: 'shop',
    labels,
    state: 'running',
    health: '',
    ip: '10.0.0.1',
    port: 80,
  });
  const { output } = await doctor(`--providers.docker.endpoint=${engine.endpoint}`);
  assert.match(output, /ok +docker +unix:.* answers in \d+ ms, 1 containers/);
});
