// The commands, on real files and sockets.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { dispatch } from '../../../src/cli/dispatch.ts';

const dynamic = `http:
  routers:
    api: {rule: "Host(\`a.test\`) && PathPrefix(\`/api\`)", service: s, middlewares: [strip]}
    all: {rule: "Host(\`a.test\`)", service: s}
  middlewares:
    strip: {stripPrefix: {prefixes: [/api]}}
  services:
    s: {loadBalancer: {servers: [{url: "http://127.0.0.1:9000"}]}}
`;

function folder(context: TestContext, files: Record<string, string>): string {
  const made = mkdtempSync(path.join(tmpdir(), 'portcullis-cli-'));
  context.after(() => rmSync(made, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(made, name), text);
  return made;
}

async function call(cwd: string, ...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const code = await dispatch({
    argv,
    env: {},
    cwd,
    color: false,
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
  });
  return { code, out, err };
}

async function serve(context: TestContext, handler: http.RequestListener): Promise<number> {
  const server = http.createServer(handler);
  context.after(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

test('help lists commands and flags, of one command its options', async () => {
  const general = await call('/', '--help');
  assert.equal(general.code, 0);
  assert.match(general.out, /--entryPoints\.<name>\.address/);
  assert.match(general.out, /--hostResolver {2}\(section\) no effect yet/);
  assert.doesNotMatch(general.out, /swarm/i);
  assert.match((await call('/', 'help', 'purge')).out, /--token/);
  assert.match((await call('/', 'check', '--help')).out, /--strict/);
});

test('an unknown command names the nearest', async () => {
  const { code, err } = await call('/', 'rotues');
  assert.equal(code, 2);
  assert.match(err, /did you mean `routes`/);
});

test('check passes a good configuration and fails a bad one with its place', async (context) => {
  const cwd = folder(context, { 'dyn.yml': dynamic });
  const good = await call(cwd, 'check', `--providers.file.filename=${cwd}/dyn.yml`);
  assert.deepEqual([good.code, good.out], [0, '0 errors, 0 warnings\n']);
  const viaFlags = folder(context, { 'dyn.yml': dynamic.replace('service: s}', 'servise: s}') });
  const bad = await call(viaFlags, 'check', `--providers.file.filename=${viaFlags}/dyn.yml`);
  assert.equal(bad.code, 1);
  assert.match(bad.out, /dyn\.yml:4:\d+ error unknown key `servise`/);
  assert.match(bad.out, /did you mean `service`\?/);
});

test('check knows a dynamic file by its keys, and --strict fails on warnings', async (context) => {
  const cwd = folder(context, {
    'dyn.yml': dynamic,
    'static.yml': 'entryPoints: {web: {address: ":80"}}\nocsp: {}\n',
  });
  assert.equal((await call(cwd, 'check', 'dyn.yml')).code, 0);
  assert.equal((await call(cwd, 'check', 'static.yml', 'dyn.yml')).code, 0);
  assert.equal((await call(cwd, 'check', 'static.yml', '--strict')).code, 1);
  const annotated = await call(cwd, 'check', 'static.yml', '--format=annotations');
  assert.match(annotated.out, /^::warning file=static\.yml,line=2,col=1,title=config\.no_effect::/);
  assert.equal((await call(cwd, 'check', '--format=xml')).code, 2);
});

test('explain names the winner and why the others lose', async (context) => {
  const cwd = folder(context, { 'dyn.yml': dynamic });
  const flags = ['--entrypoints.web.address=:80', `--providers.file.filename=${cwd}/dyn.yml`];
  const api = await call(cwd, 'explain', 'get', 'http://A.test/%61pi/x', ...flags);
  assert.equal(api.code, 0);
  assert.match(api.out, /> api@file/);
  assert.match(api.out, /strip@file \(stripPrefix\)/);
  assert.match(api.out, /all@file .*\n\s+not tried: api@file has matched/);
  const other = await call(cwd, 'explain', 'GET', 'http://x.test/', '-H', 'Host: b.test', ...flags);
  assert.equal(other.code, 1);
  assert.match(other.out, /404: no router matches/);
  assert.equal((await call(cwd, 'explain', 'GET')).code, 2);
  assert.equal(
    (await call(cwd, 'explain', 'GET', 'http://a.test/', '--entrypoint', 'nope', ...flags)).code,
    2,
  );
});

test('routes lists routers by priority, under both names', async (context) => {
  const cwd = folder(context, { 'dyn.yml': dynamic });
  for (const name of ['routes', 'show-routing']) {
    const { code, out } = await call(cwd, name, `--providers.file.filename=${cwd}/dyn.yml`);
    assert.equal(code, 0);
    assert.ok(out.indexOf('api@file') < out.indexOf('all@file'), out);
  }
  const json = await call(cwd, 'routes', '--format=json', `--providers.file.filename=${cwd}/dyn.yml`);
  assert.equal(JSON.parse(json.out).length, 2);
});

test('healthcheck needs ping, and tells 200 from anything else', async (context) => {
  const cwd = folder(context, {});
  assert.match((await call(cwd, 'healthcheck')).err, /please enable `ping` to use health check/);
  let status = 200;
  const seen: string[] = [];
  const port = await serve(context, (request, response) => {
    seen.push(`${request.method} ${request.url}`);
    response.writeHead(status).end();
  });
  const flags = ['--ping', `--entrypoints.traefik.address=127.0.0.1:${port}`];
  const good = await call(cwd, 'healthcheck', ...flags);
  assert.deepEqual([good.code, good.out], [0, `OK: http://127.0.0.1:${port}/ping\n`]);
  assert.deepEqual(seen, ['HEAD /ping']);
  status = 503;
  const bad = await call(cwd, 'healthcheck', ...flags);
  assert.deepEqual([bad.code, bad.err], [1, 'Bad healthcheck status: 503 Service Unavailable\n']);
});

test('purge posts its selector and prints how many went', async (context) => {
  const bodies: string[] = [];
  const port = await serve(context, (request, response) => {
    let body = `${request.method} ${request.url} ${request.headers['content-type']} `;
    request.on('data', (chunk) => {
      body += String(chunk);
    });
    request.on('end', () => {
      bodies.push(body);
      response.end('{"purged":3}');
    });
  });
  const endpoint = `--endpoint=http://127.0.0.1:${port}/`;
  const head = 'POST /api/portcullis/auth-cache/purge application/json ';
  assert.deepEqual(await call('/', 'purge', '--all', endpoint), { code: 0, out: 'purged 3\n', err: '' });
  await call('/', 'purge', '--header', 'X-User-Id: 17', endpoint);
  await call('/', 'purge', '--token=abc=', endpoint);
  assert.deepEqual(bodies, [
    `${head}{"by":"all"}`,
    `${head}{"by":"header","name":"X-User-Id","value":"17"}`,
    `${head}{"by":"token","token":"abc="}`,
  ]);
  assert.equal((await call('/', 'purge')).code, 2);
  assert.equal((await call('/', 'purge', '--all', '--token', 'x')).code, 2);
  assert.equal((await call('/', 'purge', '--all', '--what')).code, 2);
});

test('drain posts the server, and says why the API refuses', async (context) => {
  const bodies: string[] = [];
  const port = await serve(context, (request, response) => {
    let body = `${request.method} ${request.url} `;
    request.on('data', (chunk) => {
      body += String(chunk);
    });
    request.on('end', () => {
      bodies.push(body);
      response.statusCode = body.includes('none') ? 404 : 200;
      response.end('{"message":"there is no such service"}');
    });
  });
  const endpoint = `--endpoint=http://127.0.0.1:${port}`;
  const server = 'http://10.0.0.1:80';
  assert.deepEqual(await call('/', 'drain', 'app@file', server, endpoint), {
    code: 0,
    out: 'drains\n',
    err: '',
  });
  assert.equal((await call('/', 'drain', '--undo', 'app@file', server, endpoint)).code, 0);
  const head = 'POST /api/portcullis/servers/drain ';
  assert.deepEqual(bodies, [
    `${head}{"service":"app@file","url":"${server}","drain":true}`,
    `${head}{"service":"app@file","url":"${server}","drain":false}`,
  ]);
  const refused = await call('/', 'drain', 'none@file', server, endpoint);
  assert.equal(refused.code, 1);
  assert.match(refused.err, /404: there is no such service/);
  assert.equal((await call('/', 'drain', 'app@file')).code, 2);
  assert.equal((await call('/', 'drain', 'app@file', server, '--endpoint=ftp://x')).code, 2);
});

test('what a command does not know is refused with exit code 2', async (context) => {
  const cwd = folder(context, {});
  for (const argv of [
    ['routes', '--format=xml'],
    ['check', '--format'],
    ['version', 'please'],
    ['explain', 'GET', 'http://a.test/', '--peer', 'nobody'],
    ['purge', '--token'],
    ['help', 'nothing'],
  ]) {
    const { code, out, err } = await call(cwd, ...argv);
    assert.deepEqual([code, out, err.split('\n').length], [2, '', 2], argv.join(' '));
  }
});

test('the program may be named as Traefik’s image names it', async (context) => {
  const cwd = folder(context, {});
  const { code, out } = await call(cwd, 'traefik', 'version');
  assert.deepEqual([code, out.split(':')[0]], [0, 'Version']);
});

test('check takes dynamic files and directories together, without a static file', async (context) => {
  const cwd = folder(context, {
    'routes.yml': 'http: {routers: {r: {rule: "Host(`a`)", service: s, entryPoints: [web], middlewares: m}}}',
    'rest.yml':
      'http: {services: {s: {loadBalancer: {servers: [{url: "http://127.0.0.1:1"}]}}}, middlewares: {m: {addPrefix: {prefix: /a}}}}',
    'static.yml': 'entryPoints: {other: {address: ":80"}}',
  });
  const both = await call(cwd, 'check', 'routes.yml', 'rest.yml');
  assert.equal(both.code, 0, both.out);
  assert.match(both.out, /no static configuration is given: entry points .* are not checked/);
  assert.equal((await call(cwd, 'check', '.')).code, 0);
  const one = await call(cwd, 'check', 'routes.yml');
  assert.equal(one.code, 1);
  assert.match(one.out, /middleware m@file doesn't exist/);
  const placed = await call(cwd, 'check', 'static.yml', 'routes.yml', 'rest.yml');
  assert.match(placed.out, /entryPoint "web" doesn't exist/);
  assert.equal(placed.code, 1);
});
