// `top`: the numbers, the picture, and what it says when there is nobody to ask.

import assert from 'node:assert/strict';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { frame, rowsAbove } from '../../../src/cli/top/frame.ts';
import { numbersOf } from '../../../src/cli/top/numbers.ts';
import type { Seen } from '../../../src/cli/top/seen.ts';
import { clock, milliseconds, printable, share, span, sparkline } from '../../../src/cli/top/words.ts';
import { call, folder } from './support.ts';

function point(at: number, more: Partial<Seen['points'][number]> = {}): Seen['points'][number] {
  const none = { requests: 0, clientErrors: 0, serverErrors: 0, authHits: 0, authMisses: 0 };
  return { at, ...none, p50: null, p95: null, p99: null, ...more };
}

const error: Seen['errors'][number] = {
  code: 'upstream.refused',
  blame: 'service',
  status: 502,
  entryPoint: 'web',
  router: 'api@file',
  service: 'api@file',
  server: 'http://10.0.0.1:80',
  reason: 'connection refused',
  count: 12,
  first: 1_000,
  last: 2_000,
};

const seen: Seen = {
  version: '1.2.3',
  since: 0,
  points: [
    point(1, { requests: 90, clientErrors: 3, authHits: 9, authMisses: 1, p50: 1, p95: 2, p99: 3 }),
    point(2, { requests: 10, serverErrors: 1, p50: 4, p95: 50, p99: 12_345 }),
    point(3),
  ],
  revision: 1,
  errors: [error, { ...error, status: 404, code: 'router.no_match', reason: 'a\u001b[2Jb\nc' }],
  events: [],
  snapshot: 7,
  hash: 'abcdef0123456789',
  workers: [
    { pid: 1, state: 'running', version: 7 },
    { pid: 2, state: 'running', version: 6 },
    { pid: 3, state: 'starting', version: 0 },
  ],
  diagnostics: { errors: 1, warnings: 2 },
  routers: { total: 5, warnings: 1, errors: 2 },
  certificates: { total: 3, warnings: 1, errors: 0 },
  servers: { total: 4, down: [{ service: 'api@file', url: 'http://10.0.0.2:80' }] },
  orders: [],
  slowAt: 0,
};

test('rates are of the last ten seconds, latencies of the last one that had requests', () => {
  const numbers = numbersOf(seen, 'http://me:hush@127.0.0.1:8080', 65_000);
  assert.equal(numbers.requests.perSecond, 100 / 3);
  assert.deepEqual(numbers.latency, { p50: 4, p95: 50, p99: 12_345 });
  assert.deepEqual(numbers.statuses, { requests: 100, clientErrors: 3, serverErrors: 1 });
  assert.deepEqual(numbers.workers, { running: 2, total: 3, behind: 1 });
  assert.equal(numbers.uptime, 65);
  assert.doesNotMatch(JSON.stringify(numbers), /hush/);
});

test('the picture fits, says all in words and lets no escape sequence of a server through', () => {
  const numbers = numbersOf(seen, 'http://127.0.0.1:8080', 65_000);
  const of = (width: number): string[] =>
    frame({ numbers, points: seen.points, width, errorRows: 5, skipped: 0, color: false, problem: null });
  const rows = of(100);
  for (const row of rows) assert.ok(row.length <= 100, row);
  const text = rows.join('\n');
  assert.equal(rows.findIndex((row) => row.startsWith('recent errors')) + 1, rowsAbove);
  assert.match(text, /^portcullis 1\.2\.3 {2}http:\/\/127\.0\.0\.1:8080 {2}up 1 min 5 s/);
  assert.match(text, /requests +33\/s +█▁· {2}peak 90\/s/);
  assert.match(text, /answers +100 in 3 s {3}4xx 3 \(3\.0 %\) {3}5xx 1 \(1\.0 %\)/);
  assert.match(text, /auth cache +90\.0 % of 10 known without asking/);
  assert.match(text, /workers +2 of 3 running, 1 with an older configuration/);
  assert.match(text, /routers +5, 2 off \(they answer 503\), 1 with warnings/);
  assert.match(text, /servers +4, 1 down: http:\/\/10\.0\.0\.2:80 \(api@file\)/);
  assert.match(text, /certificates +3, 1 end within 30 days/);
  assert.match(text, /configuration +version 7 abcdef012345, 1 error, 2 warnings/);
  assert.match(text, /502 {2}×12 {2}upstream\.refused {2}http:\/\/10\.0\.0\.1:80 {2}connection refused/);
  assert.match(text, /a·\[2Jb·c/);
  assert.doesNotMatch(text, /\u001b/);
  for (const width of [20, 40]) assert.ok(of(width)[0] !== undefined);
});

test('errors that are scrolled away make room for those below', () => {
  const numbers = numbersOf(seen, 'http://127.0.0.1:8080', 65_000);
  const rows = frame({
    numbers,
    points: [],
    width: 80,
    errorRows: 1,
    skipped: 1,
    color: false,
    problem: 'ECONNREFUSED',
  });
  assert.match(rows[rowsAbove - 1] ?? '', /^not reached: ECONNREFUSED; trying again$/);
  assert.match(rows[rowsAbove] ?? '', /404/);
  assert.equal(rows.length, rowsAbove + 1);
});

test('a sparkline keeps its right end, its peaks and its width', () => {
  assert.equal(sparkline([0, 1, 8, 4], 10), '·▁█▄');
  assert.equal(sparkline([9, 1, 1, 1, 1], 3), '█▁▁');
  assert.equal(sparkline([], 10), '');
  assert.equal(sparkline([1, 2], 0), '');
  assert.ok(
    sparkline(
      Array.from({ length: 300 }, () => 1),
      80,
    ).length <= 80,
  );
});

test('numbers read as people say them', () => {
  assert.deepEqual(
    [milliseconds(null), milliseconds(1.25), milliseconds(99.6), milliseconds(12_345)],
    ['–', '1.3 ms', '100 ms', '12.3 s'],
  );
  assert.deepEqual(
    [share(0, 0), share(0, 5), share(5, 5), share(1, 100_000)],
    ['–', '0 %', '100 %', '< 0.1 %'],
  );
  assert.deepEqual([span(0), span(59), span(3600), span(90_061)], ['0 s', '59 s', '1 h', '1 d 1 h']);
  assert.match(clock(0), /^\d\d:\d\d:\d\d$/);
  assert.equal(printable('a\u0007b\u202ec', 10), 'a·b·c');
});

async function api(
  context: TestContext,
  status: number,
  body: string,
): Promise<{ url: string; auth: () => string }> {
  let auth = '';
  const server = http.createServer((request, response) => {
    auth = request.headers.authorization ?? '';
    response.writeHead(status).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, auth: () => auth };
}

test('who cannot be reached is told with what to do about it', async (context) => {
  const cwd = folder(context, {});
  const refused = await call(cwd, ['top', '--once', '--endpoint', 'http://127.0.0.1:1']);
  assert.equal(refused.code, 1);
  assert.match(
    refused.err,
    /127\.0\.0\.1:1: connect ECONNREFUSED.*\n {2}is the gateway running, with `--api\.insecure=true`\?.*--endpoint/,
  );
  const missing = await call(cwd, ['top', '--once', '--endpoint', (await api(context, 404, '')).url]);
  assert.match(missing.err, /it answered 404\n {2}no API at this address/);
  const other = await call(cwd, ['top', '--once', '--endpoint', (await api(context, 200, '<html>')).url]);
  assert.match(other.err, /no API of this gateway/);
});

test('credentials reach the API, and no message', async (context) => {
  const cwd = folder(context, {});
  const guarded = await api(context, 401, '');
  const inUrl = guarded.url.replace('//', '//me:hush@');
  const first = await call(cwd, ['top', '--once', '--endpoint', inUrl]);
  assert.equal(guarded.auth(), `Basic ${Buffer.from('me:hush').toString('base64')}`);
  assert.match(first.err, /it answered 401\n {2}the API is behind authentication/);
  assert.doesNotMatch(first.err, /hush/);
  await call(cwd, ['top', '--once', '--endpoint', guarded.url, '-H', 'Authorization: Bearer hush']);
  assert.equal(guarded.auth(), 'Bearer hush');
});

test('what it is called with wrongly is exit code 2', async (context) => {
  const cwd = folder(context, {});
  for (const argv of [
    ['--endpoint', 'ftp://x'],
    ['--endpoint', 'http://127.0.0.1:1', '--api.insecure=true'],
    ['--endpoint', 'http://127.0.0.1:1', '-H', 'no header'],
  ])
    assert.equal((await call(cwd, ['top', '--once', ...argv])).code, 2, argv.join(' '));
});

test('flags say where the API is, or that there is none', async (context) => {
  const cwd = folder(context, {});
  const flags = ['--entrypoints.traefik.address=127.0.0.1:1', '--api.insecure=true', '--api.basepath=/ops'];
  assert.match((await call(cwd, ['top', '--once', ...flags])).err, /http:\/\/127\.0\.0\.1:1\/ops: connect/);
  const off = await call(cwd, ['top', '--once', '--entrypoints.web.address=:80']);
  assert.match(off.err, /has no API; write `--api\.insecure=true`/);
  const own = await call(cwd, ['top', '--once', '--entrypoints.web.address=:80', '--api=true']);
  assert.match(own.err, /a router of yours puts it; name the place with --endpoint/);
});
