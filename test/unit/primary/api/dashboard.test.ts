// The dashboard's page and files: the ways to them, how they are packed, what they forbid.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { buildDashboard } from '../../../support/dashboard.ts';
import { apiOf, ask, header } from './support.ts';

before(buildDashboard);

test('the page names its files relatively, and is never kept', async () => {
  const { status, headers, body } = await ask('/dashboard/');
  assert.equal(status, 200);
  assert.ok(headers.includes('text/html; charset=utf-8'));
  assert.ok(headers.includes('no-store'));
  assert.match(body, /src="\.\/assets\/index-[\w-]+\.js"/);
  assert.match(body, /href="\.\/assets\/index-[\w-]+\.css"/);
});

test('the policy lets in the page’s own files and nothing else, nothing is inline', async () => {
  const answer = await ask('/dashboard/');
  const policy = header(answer, 'Content-Security-Policy') ?? '';
  assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self'; /);
  assert.match(policy, /frame-ancestors 'none'/);
  assert.match(policy, /require-trusted-types-for 'script'/);
  assert.ok(!/unsafe|http|data:|\*/.test(policy));
  assert.ok(!/<script(?![^>]*src=)|\son\w+=|style=/i.test(answer.body));
});

test('files are packed as the client understands, and kept for good', async () => {
  const script = /assets\/index-[\w-]+\.js/.exec((await ask('/dashboard/')).body)?.[0] ?? '';
  const get = (acceptEncoding: string) =>
    apiOf({})({ method: 'GET', target: `/dashboard/${script}`, contentType: '', body: '', acceptEncoding });
  const plain = await get('');
  const content = Buffer.from(plain.body, 'base64');
  assert.equal(header(plain, 'Content-Encoding'), undefined);
  for (const [accepted, coding, unpack] of [
    ['gzip, deflate, br', 'br', brotliDecompressSync],
    ['gzip', 'gzip', gunzipSync],
    ['br;q=0, gzip', 'gzip', gunzipSync],
    ['BR', 'br', brotliDecompressSync],
  ] as const) {
    const answer = await get(accepted);
    assert.equal(header(answer, 'Content-Encoding'), coding, accepted);
    assert.deepEqual(unpack(Buffer.from(answer.body, 'base64')), content);
    assert.equal(header(answer, 'Vary'), 'Accept-Encoding');
    assert.match(header(answer, 'Cache-Control') ?? '', /max-age=31536000, immutable/);
    assert.equal(header(answer, 'X-Content-Type-Options'), 'nosniff');
  }
});

test('all scripts together are at most 60 kB packed with gzip', async () => {
  const { body } = await ask('/dashboard/');
  let bytes = 0;
  for (const [script] of body.matchAll(/assets\/[\w-]+\.js/g)) {
    const target = `/dashboard/${script}`;
    const request = { method: 'GET', target, contentType: '', body: '', acceptEncoding: 'gzip' };
    bytes += Buffer.from((await apiOf({})(request)).body, 'base64').length;
  }
  assert.ok(bytes > 1000 && bytes <= 60_000, `${bytes} bytes`);
});

test('the title is the configuration’s word, and cannot get out of it', async () => {
  const evil = '</title><script>alert(1)</script>$&"\'';
  const { body } = await ask('/dashboard/', { facts: { dashboardName: evil } });
  assert.ok(!body.includes('<script>alert'));
  assert.ok(body.includes('&#60;script&#62;'));
  assert.match((await ask('/dashboard/')).body, /<title>Portcullis<\/title>/);
});

test('the API’s root leads to the page, by an address that holds behind any prefix', async () => {
  for (const [path, basePath] of [
    ['/', ''],
    ['/dashboard', ''],
    ['/gate/', '/gate'],
    ['/gate/dashboard', '/gate'],
  ] as const) {
    const answer = await ask(path, { basePath });
    assert.deepEqual([answer.status, header(answer, 'Location')], [302, './dashboard/'], path);
  }
  assert.equal((await ask('/gate/dashboard/', { basePath: '/gate' })).status, 200);
});

test('no other file can be had', async () => {
  for (const path of [
    'x',
    'assets/',
    'assets/x.js',
    '../../package.json',
    '%2e%2e/package.json',
    'assets/../../../package.json',
    '__proto__',
    '/etc/passwd',
  ])
    assert.equal((await ask(`/dashboard/${path}`)).status, 404, path);
});

test('without `api.dashboard` there is no page', async () => {
  for (const path of ['/', '/dashboard', '/dashboard/', '/dashboard/index.html'])
    assert.equal((await ask(path, { facts: { dashboard: false } })).status, 404, path);
});

test('dashboard@internal sees its paths with or without the prefix, and gives no data of the API', async () => {
  const { status, body } = await ask('/', { service: 'dashboard', basePath: '/gate' });
  assert.equal(status, 200);
  const script = /assets\/index-[\w-]+\.js/.exec(body)?.[0] ?? '';
  for (const path of [`/${script}`, `/dashboard/${script}`, '/dashboard/'])
    assert.equal((await ask(path, { service: 'dashboard' })).status, 200, path);
  assert.equal((await ask('/api/rawdata', { service: 'dashboard' })).status, 404);
  assert.equal((await ask('/', { service: 'dashboard', method: 'POST' })).status, 405);
});
