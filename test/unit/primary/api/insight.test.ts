// What the dashboard asks of the API beside Traefik's own addresses: explain, walk, live.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLive } from '../../../../src/primary/live.ts';
import { router, service } from '../support.ts';
import { ask, body, snapshot } from './support.ts';

const routed = {
  ...snapshot,
  routers: [
    router('one@file', { rule: 'Host(`a.test`)', service: 'api@file', entryPoints: ['web'] }),
    router('off@file', { rule: 'Host(`b.test`)', entryPoints: ['web'], errors: ['it is broken'] }),
  ],
};

const explained = (question: Readonly<Record<string, string>>) =>
  body(`/api/portcullis/explain?${new URLSearchParams(question).toString()}`, { snapshot: routed });

test('explain says who answers, and why the others do not', async () => {
  const found = await explained({ method: 'get', url: 'http://a.test/x' });
  assert.equal(found['router'], 'one@file');
  assert.equal(found['isServed'], true);
  assert.match(String(found['text']), /> one@file \(priority \d+\) Host\(`a\.test`\)/);
  assert.match(String(found['text']), /off@file[^]*does not match: Host\(`b\.test`\)/);
});

test('explain says why a router that takes the request cannot answer it', async () => {
  const found = await explained({ url: 'http://x.test/', header: 'Host: b.test' });
  assert.deepEqual([found['router'], found['isServed']], ['off@file', false]);
  assert.match(String(found['text']), /503: it is broken/);
  const none = await explained({ url: 'http://c.test/' });
  assert.deepEqual([none['router'], none['isServed']], [null, false]);
});

test('explain refuses questions without a meaning', async () => {
  for (const query of [
    '',
    'url=ftp://a.test/',
    'url=http://a.test/&method=G%20T',
    'url=http://a.test/&header=nonsense',
    'url=http://a.test/&peer=nobody',
    'url=http://a.test/&entryPoint=nowhere',
    `url=http://a.test/${'x'.repeat(9000)}`,
  ])
    assert.equal((await ask(`/api/portcullis/explain?${query}`)).status, 400, query.slice(0, 60));
});

test('a long list of routers is cut in the middle: the answer stands at the end', async () => {
  const routers = Array.from({ length: 2_000 }, (_, i) =>
    router(`r${String(i).padStart(4, '0')}@file`, { rule: `Host(\`h${i}.test\`)`, entryPoints: ['web'] }),
  );
  const many = { ...snapshot, routers };
  const { text } = await body('/api/portcullis/explain?url=http://h1999.test/', { snapshot: many });
  assert.ok(String(text).split('\n').length <= 602);
  assert.match(String(text), /lines are left out[^]*router: +r1999@file/);
});

test('a walk holds all that a request meets, missing objects by their names', async () => {
  const walk = await body('/api/portcullis/walk/a%2Fb%40file');
  const names = (list: unknown): string[] => (list as { name: string }[]).map(({ name }) => name);
  assert.deepEqual(names(walk['middlewares']), ['auth@file', 'headers@file']);
  assert.ok(!JSON.stringify(walk).includes('Bearer abc'));
  const odd = {
    ...snapshot,
    routers: [router('x@file', { service: 'gone@file', middlewares: ['no@file'] })],
  };
  const broken = await body('/api/portcullis/walk/x@file', { snapshot: odd });
  assert.deepEqual(broken['services'], [{ name: 'gone@file' }]);
  assert.deepEqual(broken['middlewares'], [{ name: 'no@file' }]);
  assert.equal((await ask('/api/portcullis/walk/nobody@file')).status, 404);
});

test('a walk follows services into services, each once', async () => {
  const nested = {
    kind: 'failover' as const,
    name: 'top@file',
    provider: 'file',
    service: 'left@file',
    fallback: 'right@file',
    followsHealth: false,
    onErrors: null,
    errors: [],
  };
  const found = await body('/api/portcullis/walk/x@file', {
    snapshot: {
      ...snapshot,
      routers: [router('x@file', { service: 'top@file' })],
      services: [nested, service('left@file', ['http://l']), service('right@file', ['http://r'])],
    },
  });
  assert.deepEqual(found['children'], {
    'top@file': ['left@file', 'right@file'],
    'left@file': [],
    'right@file': [],
  });
});

test('where nobody counts, the live address says so', async () => {
  assert.equal((await ask('/api/portcullis/live')).status, 404);
  assert.equal((await ask('/api/portcullis/live', { method: 'POST' })).status, 405);
});

test('live tells at once what there is, then waits for the next second', async () => {
  const live = createLive();
  try {
    live.serverChanged({ service: 's@file', url: 'http://x', up: false });
    const first = await body('/api/portcullis/live', { live });
    assert.deepEqual(first['points'], []);
    assert.equal((first['events'] as unknown[]).length, 1);
    await live.next();
    const second = await body('/api/portcullis/live?after=0&revision=2', { live });
    assert.equal((second['points'] as unknown[]).length, 1);
    assert.equal(second['events'], null);
    const { at } = (second['points'] as { at: number }[])[0] as { at: number };
    const third = await body(`/api/portcullis/live?after=${at}&revision=2`, { live });
    assert.deepEqual((third['points'] as { at: number }[]).length, 1);
  } finally {
    live.close();
  }
});
