// `doctor` beside real servers: a gateway that runs, Redis as it is set up.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually, runCommand, startGateway } from '../support/gateway.ts';
import { idOf, startScriptedEngine } from '../support/docker-engine.ts';
import { makeAuthority } from '../support/pki.ts';
import { missingRedis, startCluster, startRedis, startSentinels } from '../support/redis-server.ts';

interface Said {
  readonly code: number | null;
  readonly output: string;
}

/** What is said of servers that were asked, and had no time to answer. */
const late = /could not be looked at within|no answer in time|ETIMEDOUT/;

async function doctor(...flags: string[]): Promise<Said> {
  return atLeisure(['doctor', '--entrypoints.web.address=:0', ...flags]);
}

/** Everything is looked at within 2 s, or not at all: on a busy machine again, until all was. */
async function atLeisure(args: readonly string[]): Promise<Said> {
  let said: Said = { code: null, output: '' };
  const hasEnded = async (): Promise<boolean> => {
    said = await runCommand(args);
    return said.code !== null && !late.test(said.output);
  };
  await eventually('a doctor that is not late', hasEnded, 60_000).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${said.output}`);
  });
  return said;
}

test('the ports of a gateway that runs are its own', async (context) => {
  const gateway = await startGateway();
  context.after(async () => gateway.stop());
  const { output } = await atLeisure([
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
    /warning +(?:redis +)?127\S+ full, it throws away certificates, too \(allkeys-lru\)\n +→ `maxmemory-policy volatile-ttl`/,
  );
  assert.match(full.output, /ok +clock +agrees with Redis/);
  await redis.cli('CONFIG', 'SET', 'maxmemory-policy', 'volatile-ttl');
  const secret = 's'.repeat(40);
  const well = await doctor(endpoint, '--state.redis.password=hush', `--state.secret=${secret}`);
  assert.match(
    well.output,
    new RegExp(
      `redis +127\\.0\\.0\\.1:${redis.port}(?: \\d+\\.\\d+\\.\\d+ answers in|: a question takes) \\d+\\.\\d ms`,
    ),
  );
  assert.match(well.output, /ok +`state\.secret` is there/);
  for (const { output } of [locked, full, well]) assert.doesNotMatch(output, /hush|ssss/);
});

test('a replica and a part of a cluster are not what is wanted', { skip: missingRedis }, async (context) => {
  const master = await startRedis(context);
  const replica = await startRedis(context, { lines: [`replicaof 127.0.0.1 ${master.port}`] });
  assert.match(
    (await doctor(`--state.redis.endpoints=127.0.0.1:${replica.port}`)).output,
    /error +(?:redis +)?127\S+ it is a replica, and cannot be written to/,
  );
  assert.match(
    (await doctor(`--state.redis.endpoints=127.0.0.1:${master.port}`, '--state.redis.cluster=true')).output,
    /error +(?:redis +)?127\S+ it is no cluster\n +→ leave out `state\.redis\.cluster`/,
  );
});

test('sentinels are asked for their master, which is looked at', { skip: missingRedis }, async (context) => {
  const { nodes, sentinels } = await startSentinels(context);
  const endpoints = sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',');
  const { output } = await doctor(
    `--state.redis.endpoints=${endpoints}`,
    '--state.redis.sentinel.mastername=main',
  );
  // A machine with much to do may be slow to answer: that is said in other words.
  assert.equal(output.match(/\d answers in|: a question takes/g)?.length, 3, output);
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
  assert.match(trusted.output, /(ok +redis .* answers in|redis .*: a question takes)/);
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

const acme = [
  '--certificatesresolvers.le.acme.email=a@b.test',
  '--certificatesresolvers.le.acme.caserver=http://127.0.0.1:1/dir',
  '--certificatesresolvers.le.acme.httpchallenge.entrypoint=web',
];

test('certificates in Redis are looked at like those in files', { skip: missingRedis }, async (context) => {
  const authority = makeAuthority();
  context.after(() => authority.close());
  const redis = await startRedis(context);
  const flags = [...acme, `--state.redis.endpoints=127.0.0.1:${redis.port}`, '--state.redis.db=3'];
  const key = 'portcullis:{acme:le}:certificates';
  const put = async (main: string, days: number): Promise<void> => {
    const value = JSON.stringify({ main, sans: [], ...authority.issue([main], { days }) });
    await redis.cli('-n', '3', 'HSET', key, main, value);
  };
  assert.match((await doctor(...flags)).output, /ok +certificates +Redis holds none yet/);
  for (let i = 0; i < 3; i += 1) await put(`well-${i}.test`, 60);
  assert.match((await doctor(...flags)).output, /ok +certificates +3 in Redis, none ends soon/);
  await put('old.test', -1);
  await redis.cli('-n', '3', 'HSET', key, 'broken', '{"main":"x"}');
  await redis.cli('-n', '3', 'HSET', key, 'no-pem', '{"main":"x","sans":[],"cert":"hush","key":"hush"}');
  const { code, output } = await doctor(...flags);
  assert.equal(code, 2);
  assert.match(output, /error +certificates +in Redis: 1 expired: old\.test \(\d{4}-\d\d-\d\d\)\n +→ GET /);
  assert.match(output, /warning +in Redis: 2 cannot be read and are left out/);
  assert.doesNotMatch(output, /hush|PRIVATE/);
  await redis.kill();
  assert.match(
    (await doctor(...flags)).output,
    /warning +certificates +in Redis: they cannot be looked at\n +→ see/,
  );
});

test('in a cluster the certificates are asked of the node that has them', {
  skip: missingRedis,
}, async (context) => {
  const authority = makeAuthority();
  context.after(() => authority.close());
  const nodes = await startCluster(context);
  const value = JSON.stringify({ main: 'a.test', sans: [], ...authority.issue(['a.test'], { days: -1 }) });
  await nodes[0]?.cli('-c', 'HSET', 'portcullis:{acme:le}:certificates', 'a.test', value);
  for (const { port } of nodes) {
    const flags = [...acme, `--state.redis.endpoints=127.0.0.1:${port}`, '--state.redis.cluster=true'];
    assert.match((await doctor(...flags)).output, /error +certificates +in Redis: 1 expired: a\.test/);
  }
});
