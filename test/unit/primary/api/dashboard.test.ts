// The page for browsers: plain, escaped, without script; and the ways to it.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { router } from '../support.ts';
import { ask, header, snapshot } from './support.ts';

test('the page lists routers with their status, and links to the API', async () => {
  const { status, headers, body } = await ask('/dashboard/');
  assert.equal(status, 200);
  assert.ok(headers.includes('text/html; charset=utf-8'));
  assert.match(
    body,
    /class="disabled">disabled<\/span><\/td><td><a href="..\/api\/http\/routers\/broken%40file"/,
  );
  assert.match(body, /middleware &#34;x@file&#34; does not exist/);
  assert.match(body, /Host\(`x`\) &#38;&#38; PathPrefix/);
  assert.match(body, /href="..\/api\/http\/services"/);
});

test('the policy lets in the page’s own style and nothing else', async () => {
  const answer = await ask('/dashboard/');
  const style = /<style>(.*?)<\/style>/s.exec(answer.body)?.[1] ?? '';
  const hash = createHash('sha256').update(style).digest('base64');
  const policy = header(answer, 'Content-Security-Policy') ?? '';
  assert.match(policy, /^default-src 'none'; /);
  assert.ok(policy.includes(`style-src 'sha256-${hash}'`));
  assert.match(policy, /frame-ancestors 'none'/);
  assert.ok(!/<script|\son\w+=|style="/i.test(answer.body));
});

test('nothing of the configuration gets into the markup', async () => {
  const evil = '<script>alert(1)</script>"\'&';
  const odd = {
    ...snapshot,
    routers: [router(`${evil}@file`, { rule: evil, service: evil, errors: [evil] })],
  };
  const { body } = await ask('/dashboard/', { snapshot: odd, facts: { dashboardName: evil } });
  assert.ok(!body.includes('<script'));
  assert.ok(body.includes('&#60;script&#62;'));
});

test('many routers come in pages', async () => {
  const many = { ...snapshot, routers: Array.from({ length: 250 }, (_, i) => router(`r${i}@file`)) };
  const rows = (text: string): number => text.split('api/http/routers/').length - 1;
  const first = await ask('/dashboard/', { snapshot: many });
  assert.equal(rows(first.body), 100);
  assert.match(first.body, /Page 1 of 3.*page=2/);
  assert.equal(rows((await ask('/dashboard/?page=3', { snapshot: many })).body), 50);
  for (const page of ['0', '4', 'x', '-1', '1e9'])
    assert.match((await ask(`/dashboard/?page=${page}`, { snapshot: many })).body, /Page 1 of 3/);
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
  assert.equal((await ask('/dashboard/x')).status, 404);
});

test('without `api.dashboard` there is no page', async () => {
  for (const path of ['/', '/dashboard', '/dashboard/'])
    assert.equal((await ask(path, { facts: { dashboard: false } })).status, 404, path);
});

test('dashboard@internal sees its paths without the prefix, and gives no data of the API', async () => {
  assert.equal((await ask('/', { service: 'dashboard', basePath: '/gate' })).status, 200);
  assert.equal((await ask('/api/rawdata', { service: 'dashboard' })).status, 404);
  assert.equal((await ask('/', { service: 'dashboard', method: 'POST' })).status, 405);
});
