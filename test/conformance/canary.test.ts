// Secrets that are told apart from everything else: a client's tokens and those of the configuration. None of them is
// found where somebody reads, in logs, answers, metrics, traces, Redis, the list of processes.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { type CanaryStage, freshCanary, openCanaryStage } from '../support/canary-stage.ts';
import { eventually, startGateway, type TestGateway } from '../support/gateway.ts';
import { requestText, sendRaw } from '../support/raw.ts';
import { missingRedis, type RedisServer } from '../support/redis-server.ts';

const upgrade = [
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];

for (const engine of ['uws', 'node'] as const) {
  test(`no secret of a client or of the configuration is found anywhere, ${engine} engine`, {
    skip: missingRedis,
  }, async (t) => {
    const stage = await openCanaryStage(t, engine);
    const sent: Record<string, string> = {};
    const answers = await sendEverything(stage, sent);
    const told = { ...stage.configured, ...sent };

    assertNone('an answer to a client', answers, told);
    const { gateway, redis, collector, query } = stage;
    const api = await readApi(gateway);
    assertNone('the API', api, told);
    assert.ok(api.includes('cached@file') && api.includes('jwt@file'), 'the API was read');
    const metrics = await text(`${gateway.url('traefik')}/metrics`);
    assertNone('metrics', metrics, told);
    assert.match(metrics, /_requests_total\{/);
    await eventually('spans are here', () => collector.spans.length > 20, 20_000);
    assertNone('traces', JSON.stringify([collector.spans, collector.headers]), told);

    const dump = await dumpOf(redis);
    assert.match(dump, /\{auth\}:texts/, 'decisions are shared');
    assertNone('Redis', dump, told);
    for (const pid of [gateway.pid, ...gateway.workerPids()]) {
      assertNone('a command line', readFileSync(`/proc/${pid}/cmdline`, 'latin1'), told);
      assertNone(
        'the list of processes',
        execFileSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' }),
        told,
      );
    }
    const byEnvironment = stage.configured['a secret in the environment'] as string;
    for (const pid of gateway.workerPids())
      assertNone('a worker’s environment', readFileSync(`/proc/${pid}/environ`, 'latin1'), told);
    assert.ok(readFileSync(`/proc/${gateway.pid}/environ`, 'latin1').includes(byEnvironment));

    const { code } = await gateway.stop().then((end) => end);
    assert.equal(code, 0);
    assertNone('the log', gateway.logs(), told);
    assert.match(gateway.logs(), /"level":"debug"/);
    // The default keeps the query, as Traefik does; what is a secret elsewhere is none of it.
    const { [query]: _query, ...rest } = sent;
    const access = lastAccessLog;
    assert.match(access, /"RequestPath":"\/cached/);
    assertNone('the access log', access, { ...stage.configured, ...rest });
  });
}

test('with queryParameters dropped the access log holds no token of a query either', async (t) => {
  const gateway = await startGateway({
    static: {
      entryPoints: { web: {} },
      accessLog: {
        filePath: 'access.log',
        format: 'json',
        fields: { queryParameters: { defaultMode: 'drop' } },
      },
    },
  });
  t.after(() => gateway.stop());
  const query = freshCanary();
  await sendRaw(gateway.port('web'), requestText(`GET /nowhere?token=${query}`, ['Connection: close']));
  const read = (): string => readFileSync(join(gateway.dir, 'access.log'), 'utf8');
  await eventually(
    'a line',
    () => readdirSync(gateway.dir).includes('access.log') && read().includes('/nowhere'),
  );
  assertNone('the access log', read() + gateway.logs(), { query });
});

/** Read before the gateway took its folder along. */
let lastAccessLog = '';

/** Every kind of request with tokens of its own, which go into `sent`; the answers' bytes. */
async function sendEverything(
  { gateway, configured, query }: CanaryStage,
  sent: Record<string, string>,
): Promise<string> {
  sent['a bearer token'] = freshCanary();
  sent['a cookie'] = freshCanary();
  sent[query] = freshCanary();
  sent['a proxy credential'] = freshCanary();
  sent['an API key'] = freshCanary();
  const password = configured['the password of ann'] as string;
  sent['ann’s credentials'] = Buffer.from(`ann:${password}`).toString('base64');
  const tokens = [
    `Cookie: sid=${sent['a cookie']}`,
    `Proxy-Authorization: Basic ${sent['a proxy credential']}`,
    `X-Api-Key: ${sent['an API key']}`,
  ];
  const bearer = `Authorization: Bearer ${sent['a bearer token']}`;
  const basic = `Authorization: Basic ${sent['ann’s credentials']}`;
  let answers = '';
  const send = async (line: string, lines: readonly string[]): Promise<void> => {
    const all = [...tokens, ...lines].filter((one, i, list) => list.indexOf(one) === i);
    const { text: answer, statuses } = await sendRaw(gateway.port('web'), requestText(line, all), {
      quiet: 30,
    });
    assert.ok(statuses.length > 0, line);
    answers += answer;
  };
  for (const path of [
    'public',
    'cached',
    'cached',
    'asked',
    'basic',
    'digest',
    'jwt',
    'dead',
    'page',
    'limited',
    'nowhere',
  ]) {
    for (const credentials of [
      bearer,
      basic,
      `Authorization: Digest username="ann", response="${sent['an API key']}"`,
    ]) {
      const target = `/${path}?token=${sent[query]}&access_token=${sent[query]}`;
      await send(`GET ${target}`, [credentials]);
      await send(`GET ${target}`, [credentials, ...upgrade]);
    }
    await send(`GET /${path}/..%2f?token=${sent[query]}`, [bearer]);
    await send(`GET /${path}`, [bearer, 'Content-Length: 1', 'Content-Length: 2']);
  }
  // The query of the page of a failure is what it is made of.
  const purge = await fetch(`${gateway.url('traefik')}/api/portcullis/auth-cache/purge`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ by: 'token', token: freshCanary() }),
  });
  answers += await purge.text();
  assert.equal(purge.status, 200, answers.slice(-200));
  const wrong = { by: 'nobody', token: sent['a bearer token'], nonsense: sent['a cookie'] };
  answers += await text(`${gateway.url('traefik')}/api/portcullis/auth-cache/purge`, JSON.stringify(wrong));
  const read = (): string => readFileSync(join(gateway.dir, 'access.log'), 'utf8');
  await eventually('lines of the last path', () => read().includes('/nowhere'));
  lastAccessLog = read();
  return answers;
}

async function readApi(gateway: TestGateway): Promise<string> {
  const base = gateway.url('traefik');
  const kinds = ['routers', 'services', 'middlewares'];
  const paths = [
    ...kinds.map((kind) => `/api/http/${kind}`),
    ...[
      'version',
      'overview',
      'entrypoints',
      'rawdata',
      'diagnostics',
      'certificates',
      'tls/certificates',
    ].map((one) => `/api/${one}`),
    ...['acme', 'status', 'live?after=0', 'live?after=1', 'walk/cached@file', 'walk/jwt@file'].map(
      (one) => `/api/portcullis/${one}`,
    ),
    '/api/portcullis/explain?method=GET&url=http://a.test/cached',
    '/dashboard/',
    '/api/nothing',
  ];
  let all = '';
  for (const path of paths) all += await text(base + path);
  for (const kind of kinds) {
    const found = (await (await fetch(`${base}/api/http/${kind}`)).json()) as readonly {
      readonly name: string;
    }[];
    for (const { name } of found) all += await text(`${base}/api/http/${kind}/${encodeURIComponent(name)}`);
  }
  const dump = await fetch(`${base}/api/support-dump`);
  assert.equal(dump.status, 200);
  return all + gunzipSync(Buffer.from(await dump.arrayBuffer())).toString('latin1');
}

/** What Redis would write to disk, uncompressed. */
async function dumpOf(redis: RedisServer): Promise<string> {
  await eventually('a decision is in Redis', async () =>
    (await redis.cli('KEYS', '*')).includes('{auth}:texts'),
  );
  await redis.cli('SAVE');
  const dir = (await redis.cli('CONFIG', 'GET', 'dir')).split('\n')[1] as string;
  return readFileSync(join(dir.trim(), 'canary.rdb'), 'latin1');
}

async function text(url: string, body?: string): Promise<string> {
  const response = await fetch(
    url,
    body === undefined ? {} : { method: 'POST', headers: { 'content-type': 'application/json' }, body },
  );
  return await response.text();
}

function assertNone(where: string, found: string, secrets: Readonly<Record<string, string>>): void {
  for (const [what, secret] of Object.entries(secrets)) {
    const at = found.indexOf(secret);
    assert.equal(at, -1, `${what} is in ${where}: …${found.slice(Math.max(0, at - 120), at + 80)}`);
  }
}
