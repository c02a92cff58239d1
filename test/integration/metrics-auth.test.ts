// What metrics say of an auth server that fails, and of the requests behind it, by real ones.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ask } from '../support/ask.ts';
import { eventually, freePorts, startGateway, type TestGateway } from '../support/gateway.ts';
import { type Scrape, scrape, sumOf } from '../support/metrics.ts';
import { type Origin, startOrigin } from '../support/origin.ts';
import { startWireServer, type WireServer } from '../support/wire.ts';

const slow = 60;
let origin: Origin;
let auth: Origin;
let garbage: WireServer;
let gateway: TestGateway;

before(async () => {
  origin = await startOrigin();
  auth = await startOrigin({
    answer: (request, response) => {
      const said = request.headers['x-say'];
      if (said === 'nothing') return;
      response.statusCode = Number(said ?? 200);
      setTimeout(() => response.end(), request.headers['authorization'] === undefined ? 0 : slow);
    },
  });
  garbage = await startWireServer((socket) => void socket.end('HTTP/1.1 2x0 what\r\n\r\n'));
  const [nobody] = (await freePorts(1)) as [number];
  const forwardAuth = (address: string, more: object = {}): object => ({
    forwardAuth: { address, authRequestHeaders: ['Authorization', 'X-Say'], timeout: '400ms', ...more },
  });
  const cache = { cache: { ttl: '1m', key: ['header:Authorization', 'header:X-Say'] } };
  const middlewares = {
    kept: forwardAuth(auth.url, cache),
    asked: forwardAuth(auth.url),
    gone: forwardAuth(`http://127.0.0.1:${nobody}`, cache),
    garbage: forwardAuth(garbage.url, cache),
  };
  gateway = await startGateway({
    static: { metrics: { prometheus: {} } },
    dynamic: {
      http: {
        middlewares,
        routers: Object.fromEntries(
          Object.keys(middlewares).map((name) => [
            name,
            { rule: `Host(\`${name}.test\`)`, service: 's', middlewares: [name], entryPoints: ['web'] },
          ]),
        ),
        services: { s: { loadBalancer: { servers: [{ url: origin.url }] } } },
      },
    },
  });
});
after(async () => {
  await gateway?.stop();
  await Promise.all([origin?.stop(), auth?.stop(), garbage?.stop()]);
});

const failures = 'portcullis_auth_failures_total';
const times = 'portcullis_auth_request_duration_seconds';

async function send(name: string, headers: Record<string, string> = {}): Promise<number> {
  return (await ask(gateway.port('web'), { host: `${name}.test`, headers })).status;
}

async function when(name: string, value: number, ...labels: readonly string[]): Promise<Scrape> {
  let found = await scrape(gateway.url('traefik'));
  await eventually(`${name}{${labels.join()}} is ${value}, with\n${found.text}`, async () => {
    found = await scrape(gateway.url('traefik'));
    return sumOf(found, name, ...labels) >= value;
  });
  return found;
}

test('failures are there from the beginning, at 0, so that a query sees them rise', async () => {
  let found = await scrape(gateway.url('traefik'));
  await eventually('a worker has told', async () => {
    found = await scrape(gateway.url('traefik'));
    return found.types.has(failures);
  });
  for (const name of ['kept', 'asked', 'gone', 'garbage'])
    for (const reason of ['unreachable', 'timeout', 'bad_answer', 'status']) {
      const series = `${failures}{middleware="${name}@file",reason="${reason}"}`;
      assert.equal(found.values.get(series), 0, series);
    }
});

test('questions that fail are counted by why, once each, whether their answers are kept or not', async () => {
  for (const name of ['kept', 'asked']) {
    assert.equal(await send(name, { 'x-say': '503' }), 503);
    assert.equal(await send(name, { 'x-say': 'nothing' }), 500);
    assert.equal(await send(name, { 'x-say': '401' }), 401, 'which is an answer');
    const label = `middleware="${name}@file"`;
    const found = await when(failures, 2, label);
    assert.equal(sumOf(found, failures, label, 'reason="status"'), 1);
    assert.equal(sumOf(found, failures, label, 'reason="timeout"'), 1);
    assert.equal(sumOf(found, failures, label), 2);
  }
  assert.equal(await send('gone'), 500);
  assert.equal(await send('garbage'), 500);
  await when(failures, 1, 'middleware="gone@file"', 'reason="unreachable"');
  await when(failures, 1, 'middleware="garbage@file"', 'reason="bad_answer"');
});

test('a question that many wait for is one failure, not one for each', async () => {
  const start = await scrape(gateway.url('traefik'));
  const before = sumOf(start, failures, 'middleware="kept@file"');
  const missed = sumOf(start, `${times}_count`, 'middleware="kept@file"', 'cache="miss"');
  const said = { authorization: 'Bearer together', 'x-say': 'nothing' };
  assert.deepEqual(
    new Set(await Promise.all(Array.from({ length: 5 }, () => send('kept', said)))),
    new Set([500]),
  );
  await when(failures, before + 1, 'middleware="kept@file"');
  // Told once a second: what would be too many is there by the next.
  await send('kept', { authorization: 'Bearer after' });
  await when(`${times}_count`, missed + 6, 'middleware="kept@file"', 'cache="miss"');
  assert.equal(sumOf(await scrape(gateway.url('traefik')), failures, 'middleware="kept@file"'), before + 1);
});

test('times of requests are told apart by what the cache said', async () => {
  const label = 'middleware="kept@file"';
  const before = await scrape(gateway.url('traefik'));
  const of = (found: Scrape, what: string, cache: string): number =>
    sumOf(found, `${times}_${what}`, label, `cache="${cache}"`);
  for (let i = 0; i < 5; i++) assert.equal(await send('kept', { authorization: 'Bearer t' }), 200);
  const found = await when(`${times}_count`, of(before, 'count', 'hit') + 4, label, 'cache="hit"');
  assert.equal(of(found, 'count', 'miss') - of(before, 'count', 'miss'), 1);
  const mean = (cache: string): number =>
    (of(found, 'sum', cache) - of(before, 'sum', cache)) /
    (of(found, 'count', cache) - of(before, 'count', cache));
  assert.ok(mean('miss') > slow / 1000, `${mean('miss')}`);
  assert.ok(mean('hit') < mean('miss') / 2, `${mean('hit')} of ${mean('miss')}`);
  assert.equal(await send('asked', { authorization: 'Bearer t' }), 200);
  const other = await when(`${times}_count`, 1, 'middleware="asked@file"', 'cache="none"');
  assert.equal(sumOf(other, `${times}_count`, 'middleware="asked@file"', 'cache="hit"'), 0);
});
