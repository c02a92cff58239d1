// The access log as a real gateway writes it: every field, format, filter and header mode, files that are
// rotated, and workers that share one file.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import { ask } from '../support/ask.ts';
import { isNodeEngine } from '../support/engine.ts';
import { eventually, startGateway, type TestGateway } from '../support/gateway.ts';
import { type Origin, startOrigin } from '../support/origin.ts';
import { type AccessLine, accessLine } from '../support/wire.ts';

let origin: Origin;
let auth: Origin;
before(async () => {
  origin = await startOrigin({
    answer: (_request, response) =>
      void response
        .setHeader('X-Origin', 'theirs')
        .setHeader('Set-Cookie', ['a=1', 'b=2'])
        .end('twelve bytes'),
  });
  auth = await startOrigin({
    answer: (_request, response) => void response.setHeader('X-User', 'ann').end(),
  });
});
after(async () => {
  await origin?.stop();
  await auth?.stop();
});

function dynamic(): object {
  const loadBalancer = (url: string): object => ({ loadBalancer: { servers: [{ url }] } });
  return {
    http: {
      routers: {
        shop: { rule: 'Host(`shop.test`)', service: 'shop', entryPoints: ['web', 'trusting'] },
        edited: { rule: 'Host(`edited.test`)', service: 'shop', middlewares: ['edit', 'auth'] },
        moved: { rule: 'Host(`moved.test`)', service: 'shop', middlewares: ['https'] },
        dead: { rule: 'Host(`dead.test`)', service: 'dead' },
        silent: { rule: 'Host(`silent.test`)', service: 'shop', observability: { accessLogs: false } },
        pong: { rule: 'Host(`pong.test`)', service: 'ping@internal' },
      },
      middlewares: {
        edit: {
          headers: {
            customRequestHeaders: { Host: 'inner.test', 'X-Forwarded-For': '6.6.6.6', 'X-Added': 'ours' },
            customResponseHeaders: { 'X-Origin': 'ours' },
          },
        },
        auth: { forwardAuth: { address: auth.url, authResponseHeaders: ['X-User'], headerField: 'X-User' } },
        https: { redirectScheme: { scheme: 'https' } },
      },
      services: { shop: loadBalancer(origin.url), dead: loadBalancer('http://127.0.0.1:1') },
    },
  };
}

async function start(t: TestContext | null, accessLog: object, workers = 1): Promise<TestGateway> {
  const gateway = await startGateway({
    static: {
      entryPoints: { web: {}, trusting: { forwardedHeaders: { insecure: true } } },
      accessLog: { filePath: 'access.log', ...accessLog },
      ping: { manualRouting: true },
      workers,
    },
    dynamic: dynamic(),
  });
  t?.after(() => gateway.stop());
  return gateway;
}

function textOf(gateway: TestGateway, file = 'access.log'): string {
  return readFileSync(join(gateway.dir, file), 'utf8');
}

/** The lines of the log once there are as many. */
async function linesOf(gateway: TestGateway, count: number): Promise<readonly string[]> {
  const lines = (): string[] => textOf(gateway).split('\n').slice(0, -1);
  await eventually(`${count} access log lines`, () => lines().length >= count);
  assert.equal(lines().length, count);
  return lines();
}

const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;

/** The fields that do not differ from run to run, after those that do have been looked at. */
function steady(line: AccessLine): Readonly<Record<string, unknown>> {
  const { StartUTC, StartLocal, time, Duration, OriginDuration, Overhead, RequestCount, ...others } = line;
  for (const written of [StartUTC, StartLocal, time]) assert.match(String(written), rfc3339);
  assert.ok(String(StartUTC).endsWith('Z'));
  const started = new Date(String(StartUTC)).getTime();
  assert.equal(new Date(String(StartLocal)).getTime(), started);
  assert.ok(Math.abs(Date.now() - started) < 60_000, 'it is the time of the request');
  for (const nanos of [Duration, Overhead, OriginDuration ?? 0])
    assert.ok(Number.isInteger(nanos) && Number(nanos) >= 0);
  if (OriginDuration === undefined) assert.equal(Overhead, Duration);
  else assert.ok(Math.abs(Number(Overhead) + Number(OriginDuration) - Number(Duration)) <= 2);
  assert.ok(Number(RequestCount) >= 1);
  return others;
}

function portOf(url: string): string {
  return new URL(url).port;
}

describe('JSON lines of a gateway', () => {
  let gateway: TestGateway;
  before(async () => {
    gateway = await start(null, { format: 'json' });
  });
  after(() => gateway?.stop());

  const always = {
    ClientAddr: '127.0.0.1',
    ClientHost: '127.0.0.1',
    ClientUsername: '-',
    RequestContentSize: 0,
    RequestMethod: 'GET',
    RequestPort: '-',
    RequestProtocol: 'HTTP/1.1',
    RequestScheme: 'http',
    RetryAttempts: 0,
    entryPointName: 'web',
    level: 'info',
    msg: '',
  };

  test('a request to a server has every field', async () => {
    const port = gateway.port('web');
    const body = 'five!';
    await ask(port, { method: 'POST', host: `Shop.test:${port}`, target: '/all//./a%41?q=1', body });
    const line = await accessLine(gateway, '/all/aA');
    assert.deepEqual(Object.keys(line), Object.keys(line).sort());
    assert.deepEqual(steady(line), {
      ...always,
      DownstreamContentSize: 12,
      DownstreamStatus: 200,
      OriginContentSize: 12,
      OriginStatus: 200,
      RequestAddr: `Shop.test:${port}`,
      RequestContentSize: 5,
      RequestHost: 'Shop.test',
      RequestMethod: 'POST',
      RequestPath: '/all/aA?q=1',
      RequestPort: String(port),
      RouterName: 'shop@file',
      ServiceAddr: `127.0.0.1:${portOf(origin.url)}`,
      ServiceName: 'shop@file',
      ServiceURL: origin.url,
    });
  });

  test('what a middleware changes is logged as it came; who the auth server named is logged', async () => {
    await ask(gateway.port('web'), { host: 'edited.test', target: '/edited' });
    assert.equal(origin.requests.at(-1)?.headers.host, 'inner.test');
    assert.deepEqual(steady(await accessLine(gateway, '/edited')), {
      ...always,
      ClientUsername: 'ann',
      DownstreamContentSize: 12,
      DownstreamStatus: 200,
      OriginContentSize: 12,
      OriginStatus: 200,
      RequestAddr: 'edited.test',
      RequestHost: 'edited.test',
      RequestPath: '/edited',
      RouterName: 'edited@file',
      ServiceAddr: `127.0.0.1:${portOf(origin.url)}`,
      ServiceName: 'shop@file',
      ServiceURL: origin.url,
    });
  });

  test('an answer of a middleware has no server and no origin', async () => {
    await ask(gateway.port('web'), { host: 'moved.test', target: '/moved' });
    const { ServiceName, ...others } = steady(await accessLine(gateway, '/moved'));
    assert.equal(ServiceName, 'shop@file');
    assert.deepEqual(others, {
      ...always,
      DownstreamContentSize: 5,
      DownstreamStatus: 302,
      RequestAddr: 'moved.test',
      RequestHost: 'moved.test',
      RequestPath: '/moved',
      RouterName: 'moved@file',
    });
  });

  test('without a router there is a line, without a router', async () => {
    await ask(gateway.port('web'), { host: 'unknown.test', target: '/unknown' });
    assert.deepEqual(steady(await accessLine(gateway, '/unknown')), {
      ...always,
      DownstreamContentSize: 19,
      DownstreamStatus: 404,
      RequestAddr: 'unknown.test',
      RequestHost: 'unknown.test',
      RequestPath: '/unknown',
    });
  });

  test('a server that is not there is logged with the answer given for it', async () => {
    await ask(gateway.port('web'), { host: 'dead.test', target: '/dead' });
    const { DownstreamStatus, OriginStatus, OriginContentSize, ServiceURL } = await accessLine(
      gateway,
      '/dead',
    );
    assert.deepEqual([DownstreamStatus, OriginStatus, OriginContentSize], [502, 502, 11]);
    assert.equal(ServiceURL, 'http://127.0.0.1:1');
  });

  test('ClientHost is the first X-Forwarded-For line of a trusted peer, whole', async () => {
    const headers = { 'X-Forwarded-For': ['1.1.1.1, 2.2.2.2', '3.3.3.3'] };
    await ask(gateway.port('trusting'), { host: 'shop.test', target: '/trusted', headers });
    await ask(gateway.port('web'), { host: 'shop.test', target: '/untrusted', headers });
    assert.equal((await accessLine(gateway, '/trusted'))['ClientHost'], '1.1.1.1, 2.2.2.2');
    assert.equal((await accessLine(gateway, '/trusted'))['ClientAddr'], '127.0.0.1');
    assert.equal((await accessLine(gateway, '/untrusted'))['ClientHost'], '127.0.0.1');
  });

  test('HEAD sends no bytes', async () => {
    await ask(gateway.port('web'), { method: 'HEAD', host: 'shop.test', target: '/head' });
    assert.equal((await accessLine(gateway, '/head'))['DownstreamContentSize'], 0);
  });

  test('neither what is refused at the door nor a silent router nor internals are logged', async () => {
    const port = gateway.port('web');
    await ask(port, { host: 'silent.test', target: '/silent' });
    assert.equal((await ask(port, { host: 'pong.test', target: '/pong' })).body, 'OK');
    assert.equal((await ask(port, { host: 'shop.test', target: '/bad%zz' })).status, 400);
    await ask(port, { host: 'shop.test', target: '/last' });
    await accessLine(gateway, '/last');
    assert.doesNotMatch(textOf(gateway), /silent|pong|bad%/);
  });
});

test('Common Log Format has Traefik’s columns, the generic one fewer', async (t) => {
  const fields = { headers: { names: { Referer: 'keep', 'User-Agent': 'keep' } } };
  const gateway = await start(t, { fields });
  const headers = { Referer: 'https://r.test/', 'User-Agent': 'a "b"\\' };
  await ask(gateway.port('web'), { host: 'shop.test', target: '/a?b=c', headers });
  await ask(gateway.port('web'), { host: 'edited.test', target: '/d', method: 'DELETE' });
  await ask(gateway.port('web'), { host: 'unknown.test' });
  const lines = await linesOf(gateway, 3);
  const clock = '\\[\\d\\d/[A-Z][a-z]{2}/\\d{4}:\\d\\d:\\d\\d:\\d\\d \\+0000\\]';
  const agent = String.raw`"https://r\.test/" "a \\"b\\"\\\\"`;
  const server = origin.url.replaceAll('.', '\\.');
  const patterns = [
    `127\\.0\\.0\\.1 - - ${clock} "GET /a\\?b=c HTTP/1\\.1" 200 12 ${agent} 1 "shop@file" "${server}" \\d+ms`,
    `127\\.0\\.0\\.1 - ann ${clock} "DELETE /d HTTP/1\\.1" 200 12 "-" "-" 2 "edited@file" "${server}" \\d+ms`,
    `127\\.0\\.0\\.1 - - ${clock} "GET / HTTP/1\\.1" 404 19 "-" "-" 3 "-" "-" \\d+ms`,
  ];
  for (const [i, pattern] of patterns.entries()) assert.match(lines[i] as string, new RegExp(`^${pattern}$`));
  const generic = await start(t, { format: 'genericCLF' });
  await ask(generic.port('web'), { host: 'shop.test', target: '/a?b=c', headers });
  const [line] = await linesOf(generic, 1);
  assert.match(
    line as string,
    new RegExp(`^127\\.0\\.0\\.1 - - ${clock} "GET /a\\?b=c HTTP/1\\.1" 200 12 "-" "-"$`),
  );
});

test('any filter that passes keeps a line', async (t) => {
  const gateway = await start(t, {
    format: 'json',
    filters: { statusCodes: ['404', '500-599'], minDuration: '1h' },
  });
  for (const host of ['shop.test', 'unknown.test', 'moved.test', 'dead.test']) {
    await ask(gateway.port('web'), { host, target: `/${host}` });
  }
  const lines = await linesOf(gateway, 2);
  assert.match(lines[0] as string, /unknown\.test/);
  assert.match(lines[1] as string, /dead\.test/);
});

test('fields and headers are kept, dropped or redacted by name', async (t) => {
  const gateway = await start(t, {
    format: 'json',
    fields: {
      defaultMode: 'drop',
      names: { RequestPath: 'keep', downstreamstatus: 'keep' },
      headers: {
        defaultMode: 'keep',
        names: { Authorization: 'redact', 'set-cookie': 'redact', Accept: 'drop' },
      },
      queryParameters: { defaultMode: 'drop' },
    },
  });
  const headers = { Authorization: 'Bearer secret', Accept: 'x', 'X-Two': ['a', 'b'], 'X-Added': 'theirs' };
  await ask(gateway.port('web'), { host: 'edited.test', target: '/kept?secret=1', headers });
  const [text] = await linesOf(gateway, 1);
  assert.doesNotMatch(text as string, /secret/);
  const line = JSON.parse(text as string) as AccessLine;
  const names = Object.keys(line).filter((name) => !/^(request|origin|downstream)_/.test(name));
  assert.deepEqual(names, ['DownstreamStatus', 'RequestPath', 'entryPointName', 'level', 'msg', 'time']);
  assert.equal(line['RequestPath'], '/kept');
  assert.equal(line['request_Authorization'], 'REDACTED');
  assert.equal(line['request_Accept'], undefined);
  assert.equal(line['request_X-Two'], 'a,b');
  assert.equal(line['request_X-Added'], 'ours');
  assert.equal(line['request_X-User'], 'ann');
  assert.equal(line['downstream_X-Origin'], 'ours');
  assert.equal(line['downstream_Set-Cookie'], 'REDACTED');
  assert.equal(line['origin_X-Origin'], 'theirs');
  assert.equal(line['origin_Set-Cookie'], 'REDACTED');
});

test('a WebSocket is one line, at its end, with the whole time', async (t) => {
  const gateway = await start(t, { format: 'json' });
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  t.after(() => server.close());
  await once(server, 'listening');
  server.on('connection', (socket) => socket.on('message', () => socket.send('four')));
  const address = server.address() as { port: number };
  const echo = { loadBalancer: { servers: [{ url: `http://127.0.0.1:${address.port}` }] } };
  await gateway.writeDynamic({
    http: { routers: { echo: { rule: 'PathPrefix(`/ws`)', service: 'echo' } }, services: { echo } },
  });
  const client = new WebSocket(`${gateway.url('web').replace('http', 'ws')}/ws`);
  client.once('open', () => client.send('hi'));
  await once(client, 'message', { signal: AbortSignal.timeout(10_000) });
  client.close();
  const line = await accessLine(gateway, '/ws');
  assert.equal(line['DownstreamStatus'], 101);
  assert.equal(line['OriginStatus'], 101);
  // The node engine passes bytes, so it counts those of the frames: heads, masks, close.
  assert.ok(isNodeEngine ? Number(line['RequestContentSize']) >= 8 : line['RequestContentSize'] === 2);
  assert.ok(isNodeEngine ? Number(line['DownstreamContentSize']) >= 6 : line['DownstreamContentSize'] === 4);
  assert.ok(Number(line['OriginDuration']) <= Number(line['Duration']));
});

test('/dev/stdout is the standard output of the gateway, not of one of its workers', async (t) => {
  const gateway = await start(t, { filePath: '/dev/stdout' });
  await ask(gateway.port('web'), { host: 'shop.test', target: '/on-stdout' });
  await gateway.waitForLog(/"GET \/on-stdout HTTP\/1\.1" 200/, 2000);
});

test('SIGUSR1 lets a rotated file go', async (t) => {
  const gateway = await start(t, { format: 'json' }, 2);
  const send = async (target: string): Promise<void> => {
    for (let i = 0; i < 10; i++) await ask(gateway.port('web'), { host: 'shop.test', target });
  };
  const count = (file: string, pattern: RegExp): number => {
    try {
      return [...textOf(gateway, file).matchAll(pattern)].length;
    } catch {
      return 0;
    }
  };
  await send('/before');
  await eventually('the first lines', () => count('access.log', /\/before/g) === 10);
  renameSync(join(gateway.dir, 'access.log'), join(gateway.dir, 'access.log.1'));
  await send('/between');
  await eventually('lines in the moved file', () => count('access.log.1', /\/between/g) === 10);
  gateway.signal('SIGUSR1');
  let round = 0;
  await eventually('both workers write to a new file', async () => {
    const target = `/after${++round}/`;
    await send(target);
    const pattern = new RegExp(target, 'g');
    await eventually('all lines', () => count('access.log', pattern) + count('access.log.1', pattern) === 10);
    return count('access.log', pattern) === 10;
  });
});

test('several workers write whole lines to one file, each line once', async (t) => {
  const gateway = await start(t, { format: 'json', fields: { headers: { defaultMode: 'keep' } } }, 3);
  const long = 'x'.repeat(3_000);
  const total = 900;
  for (let done = 0; done < total; done += 30) {
    const batch = Array.from({ length: 30 }, (_, i) =>
      ask(gateway.port('web'), { host: 'shop.test', target: `/n${done + i}`, headers: { 'X-Long': long } }),
    );
    await Promise.all(batch);
  }
  const lines = await linesOf(gateway, total);
  const paths = lines.map((line) => (JSON.parse(line) as AccessLine)['RequestPath']);
  assert.equal(new Set(paths).size, total);
});
