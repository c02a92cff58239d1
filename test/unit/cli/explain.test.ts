// `explain`: the whole walk, from files and from a running gateway's API in the same words.

import assert from 'node:assert/strict';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { call, folder } from './support.ts';

const dynamic = `http:
  routers:
    api: {rule: "Host(\`a.test\`) && PathPrefix(\`/api\`)", service: s, middlewares: [strip, auth]}
    all: {rule: "Host(\`a.test\`)", service: s}
    other: {rule: "Host(\`b.test\`)", service: s, entryPoints: [second]}
  middlewares:
    strip: {stripPrefix: {prefixes: [/api]}}
    auth: {forwardAuth: {address: "http://user:hush@auth.test/verify?key=hush"}}
  services:
    s: {loadBalancer: {servers: [{url: "http://127.0.0.1:9000", weight: 3}], healthCheck: {path: /live}}}
`;
const flags = [
  '--entrypoints.web.address=:80',
  '--entrypoints.second.address=:81',
  '--providers.file.filename=dyn.yml',
];

test('the walk names what every middleware does, without secrets, and how servers are looked after', async (context) => {
  const cwd = folder(context, { 'dyn.yml': dynamic });
  const { code, out } = await call(cwd, ['explain', 'GET', 'http://a.test/api/x', 'dyn.yml', ...flags]);
  assert.equal(code, 0, out);
  assert.match(out, /^GET host a\.test path \/api\/x on entry point web \(:80\)\n> api@file/);
  assert.match(out, /1\. strip@file: stripPrefix prefixes=\/api\n/);
  assert.match(out, /2\. auth@file: forwardAuth address=http:\/\/xxxx@auth\.test\/verify\?xxxx/);
  assert.doesNotMatch(out, /hush/);
  assert.match(out, /servers: +http:\/\/127\.0\.0\.1:9000 \(weight 3\)\nhealth: +path=\/live .*interval=30s/);
});

test('a 404 says which router of another entry point would have matched', async (context) => {
  const cwd = folder(context, { 'dyn.yml': dynamic });
  const { code, out } = await call(cwd, ['explain', 'GET', 'http://b.test/', 'dyn.yml', ...flags]);
  assert.equal(code, 1);
  assert.match(out, /404: no router matches\n {2}other@file would match, on entry point second\n/);
});

async function api(
  context: TestContext,
  answers: Readonly<Record<string, readonly unknown[]>>,
): Promise<string> {
  const server = http.createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://x');
    const page = Number(url.searchParams.get('page'));
    const all = answers[url.pathname];
    if (all === undefined) return response.writeHead(404).end();
    // One a page: what is asked must go on until there is no next one.
    response.setHeader('x-next-page', page < all.length ? page + 1 : 1);
    return response.end(JSON.stringify(all.slice(page - 1, page)));
  });
  context.after(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('a running gateway is asked page by page, and the state of its servers shown', async (context) => {
  const router = { entryPoints: ['web'], service: 's', status: 'enabled', provider: 'docker' };
  const endpoint = await api(context, {
    '/base/api/entrypoints': [{ name: 'web', address: ':80' }],
    '/base/api/http/routers': [
      { ...router, name: 'low@docker', rule: 'PathPrefix(`/`)', priority: 1, priorityStr: '1' },
      {
        ...router,
        name: 'high@docker',
        rule: 'Path(`/a`)',
        priority: 9,
        priorityStr: '9',
        middlewares: ['m@docker'],
      },
    ],
    '/base/api/http/middlewares': [
      { name: 'm@docker', addPrefix: { prefix: '/x' }, status: 'enabled', type: 'addprefix' },
    ],
    '/base/api/http/services': [
      {
        name: 's@docker',
        loadBalancer: { servers: [{ url: 'http://a:1' }, { url: 'http://b:1' }] },
        serverStatus: { 'http://a:1': 'UP', 'http://b:1': 'DOWN' },
      },
    ],
  });
  const { code, out } = await call('/', [
    'explain',
    'GET',
    'http://any/a',
    '--endpoint',
    `${endpoint}/base/`,
  ]);
  assert.equal(code, 0, out);
  assert.match(out, /> high@docker .*\n {2}low@docker/);
  assert.match(out, /1\. m@docker: addPrefix prefix=\/x\n/);
  assert.match(out, /servers: +http:\/\/a:1 \(UP\), http:\/\/b:1 \(DOWN\)/);
  const lost = await call('/', ['explain', 'GET', 'http://any/a', '--endpoint', endpoint]);
  assert.deepEqual(
    [lost.code, lost.err],
    [1, 'portcullis explain: the API answered 404; is `api` on at this endpoint?\n'],
  );
  assert.equal((await call('/', ['explain', 'GET', 'http://any/a', '--endpoint', 'ftp://x'])).code, 2);
  assert.equal(
    (await call('/', ['explain', 'GET', 'http://any/a', 'f.yml', '--endpoint', endpoint])).code,
    2,
  );
});
