// The API through real workers: on the insecure entry point, through a user's router behind authentication, with
// redirections and models of entry points, for browsers, and with secrets everywhere they can be written.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { type Answer, ask } from '../support/ask.ts';
import { eventually, freePorts, startGateway, type TestGateway } from '../support/gateway.ts';
import { type Origin, startOrigin } from '../support/origin.ts';

const canary = 'cAnArY';

describe('the insecure API', () => {
  let gateway: TestGateway;
  before(async () => {
    const [safe = 0] = await freePorts(1);
    gateway = await startGateway({
      static: {
        api: { insecure: true, debug: true, dashboardName: 'Edge' },
        ping: {},
        entryPoints: {
          web: { http: { redirections: { entryPoint: { to: 'safe', scheme: 'https' } } } },
          safe: { address: `127.0.0.1:${safe}` },
        },
      },
      dynamic: {
        http: {
          routers: { one: { rule: 'Host(`one.test`)', service: 'one', entryPoints: ['safe'] } },
          services: { one: { loadBalancer: { servers: [{ url: 'http://127.0.0.1:1' }] } } },
        },
      },
    });
  });
  after(() => gateway.stop());
  const get = (target: string, method = 'GET'): Promise<Answer> =>
    ask(gateway.port('traefik'), { host: 'gate.test', target, method });

  test('the routers of the gateway itself are there as Traefik names them', async () => {
    const routers = JSON.parse((await get('/api/http/routers')).body) as Record<string, unknown>[];
    const shown = routers.map(({ name, rule, entryPoints, service, priorityStr, status }) => [
      name,
      rule,
      entryPoints,
      service,
      priorityStr,
      status,
    ]);
    assert.deepEqual(shown, [
      ['api@internal', 'PathPrefix(`/api`)', ['traefik'], 'api@internal', '9223372036854775806', 'enabled'],
      [
        'dashboard@internal',
        'PathPrefix(`/`)',
        ['traefik'],
        'dashboard@internal',
        '9223372036854775805',
        'enabled',
      ],
      [
        'debug@internal',
        'PathPrefix(`/debug`)',
        ['traefik'],
        'api@internal',
        '9223372036854775806',
        'enabled',
      ],
      ['one@file', 'Host(`one.test`)', ['safe'], 'one', '16', 'enabled'],
      [
        'ping@internal',
        'PathPrefix(`/ping`)',
        ['traefik'],
        'ping@internal',
        '9223372036854775807',
        'enabled',
      ],
      [
        'web-to-safe@internal',
        'HostRegexp(`^.+$`)',
        ['web'],
        'noop@internal',
        '9223372036854775806',
        'enabled',
      ],
    ]);
  });

  test('a redirection goes to the port of the other entry point', async () => {
    const answer = await ask(gateway.port('web'), { host: 'one.test', target: '/x?y=1' });
    assert.equal(answer.status, 301);
    assert.ok(answer.headers.includes(`location: https://one.test:${gateway.port('safe')}/x?y=1`));
  });

  test('objects are found by names with percent-encoded signs, and HEAD has no body', async () => {
    const found = await get('/api/http/routers/one%40file');
    assert.equal((JSON.parse(found.body) as { name: string }).name, 'one@file');
    assert.ok(found.headers.includes('content-type: application/json'));
    const head = await get('/api/http/routers/one@file', 'HEAD');
    assert.deepEqual([head.status, head.body], [200, '']);
    const missing = await get('/api/http/services/nothing@file');
    assert.deepEqual(
      [missing.status, missing.body],
      [404, '{"message":"service not found: nothing@file"}\n'],
    );
    assert.ok(missing.headers.includes('content-type: text/plain; charset=utf-8'));
  });

  test('the version has the name of the dashboard, and debugging data is there', async () => {
    assert.equal(
      (JSON.parse((await get('/api/version')).body) as Record<string, string>)['dashboardName'],
      'Edge',
    );
    assert.equal((JSON.parse((await get('/debug/vars')).body) as { pid: number }).pid, gateway.pid);
    assert.equal((await get('/debug/pprof/')).status, 501);
  });

  test('other methods are refused, and paths nobody knows', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH'])
      assert.equal((await get('/api/overview', method)).status, 405, method);
    assert.equal((await get('/api/nothing')).status, 404);
    assert.equal((await get('/nothing')).status, 404);
  });

  test('the root leads a browser to the page', async () => {
    const root = await get('/');
    assert.equal(root.status, 301);
    assert.ok(root.headers.includes('location: http://gate.test/dashboard/'));
    const bare = await get('/dashboard');
    assert.deepEqual([bare.status, bare.headers.includes('location: ./dashboard/')], [302, true]);
    const page = await get('/dashboard/');
    assert.equal(page.status, 200);
    assert.ok(page.headers.includes('content-type: text/html; charset=utf-8'));
    assert.match(page.body, /<title>Edge · Portcullis<\/title>/);
    const [script = ''] = /assets\/[^"]+\.js/.exec(page.body) ?? [];
    const packed = await fetch(`${gateway.url('traefik')}/dashboard/${script}`, {
      headers: { 'accept-encoding': 'br' },
    });
    assert.equal(packed.headers.get('content-encoding'), 'br');
    assert.match(packed.headers.get('cache-control') ?? '', /immutable/);
    assert.match(await packed.text(), /portcullis/);
  });

  test('the support dump is an archive', async () => {
    const response = await fetch(`${gateway.url('traefik')}/api/support-dump`);
    assert.equal(response.headers.get('content-type'), 'application/gzip');
    const input = Buffer.from(await response.arrayBuffer());
    const text = execFileSync('tar', ['-xzOf', '-', 'static-config.json'], { input, encoding: 'utf8' });
    const { api } = JSON.parse(text) as { readonly api: object };
    assert.deepEqual(api, {
      basePath: '/',
      insecure: true,
      dashboard: true,
      debug: true,
      dashboardName: 'Edge',
    });
  });
});

describe('the API through a router of the user', () => {
  let gateway: TestGateway;
  let auth: Origin;
  before(async () => {
    auth = await startOrigin({
      answer: (request, response) => {
        response.statusCode = request.headers['authorization'] === 'Bearer good' ? 200 : 401;
        response.end();
      },
    });
    const rule = (host: string): string =>
      `Host(\`${host}.test\`) && (PathPrefix(\`/gate/api\`) || PathPrefix(\`/gate/dashboard\`))`;
    gateway = await startGateway({
      static: { api: { insecure: true, basePath: '/gate' }, entryPoints: { web: {} } },
      dynamic: {
        http: {
          routers: {
            basic: { rule: rule('basic'), service: 'api@internal', middlewares: ['basic'] },
            forward: { rule: rule('forward'), service: 'api@internal', middlewares: ['forward'] },
            rest: { rule: 'Host(`rest.test`)', service: 'rest@internal' },
          },
          middlewares: {
            // bob:secret, as htpasswd writes it with SHA-1.
            basic: { basicAuth: { users: ['bob:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ='] } },
            forward: { forwardAuth: { address: `${auth.url}/check` } },
          },
        },
      },
    });
  });
  after(async () => {
    await gateway.stop();
    await auth.stop();
  });
  const get = (host: string, target: string, authorization?: string): Promise<Answer> =>
    ask(gateway.port('web'), {
      host: `${host}.test`,
      target,
      ...(authorization === undefined ? {} : { headers: { authorization } }),
    });

  test('basicAuth guards data and page', async () => {
    const right = `Basic ${Buffer.from('bob:secret').toString('base64')}`;
    for (const target of ['/gate/api/rawdata', '/gate/dashboard/']) {
      assert.equal((await get('basic', target)).status, 401, target);
      assert.equal((await get('basic', target, 'Basic eDp5')).status, 401, target);
      assert.equal((await get('basic', target, right)).status, 200, target);
    }
    const bare = await get('basic', '/gate/dashboard', right);
    assert.deepEqual([bare.status, bare.headers.includes('location: ./dashboard/')], [302, true]);
  });

  test('forwardAuth guards data and page', async () => {
    for (const target of ['/gate/api/http/routers', '/gate/dashboard/']) {
      assert.equal((await get('forward', target)).status, 401, target);
      assert.equal((await get('forward', target, 'Bearer good')).status, 200, target);
    }
  });

  test('what the rule does not cover stays closed, and so does the API without its base path', async () => {
    assert.equal((await get('basic', '/api/rawdata')).status, 404);
    assert.equal((await get('basic', '/gate/')).status, 404);
  });

  test('a router to an internal service that is not there answers 503 and says why', async () => {
    assert.equal((await get('rest', '/')).status, 503);
    const found = await fetch(`${gateway.url('traefik')}/gate/api/diagnostics?search=rest@internal`);
    const [first] = (await found.json()) as { readonly hint?: string; readonly where: { source: string } }[];
    assert.match(first?.hint ?? '', /rest provider is not supported/);
    assert.match(first?.where.source ?? '', /dynamic\.yml$/);
  });
});

describe('secrets of a running gateway', () => {
  let gateway: TestGateway;
  before(async () => {
    const router = (name: string) => ({
      rule: `Host(\`${name}.test\`)`,
      service: 'one',
      middlewares: [name],
    });
    const middlewares = {
      basic: { basicAuth: { users: [`bob:{SHA}${canary}BBBBBBBBBBBBBBBBBBBBB=`] } },
      brokenbasic: { basicAuth: { users: [canary] } },
      forward: { forwardAuth: { address: `http://u:${canary}@127.0.0.1:1/x?key=${canary}` } },
      brokenforward: { forwardAuth: { address: `ftp://u:${canary}@127.0.0.1:1/x?key=${canary}` } },
      headers: {
        headers: {
          customRequestHeaders: { Authorization: `Bearer ${canary}`, 'X-Tenant': canary },
          customResponseHeaders: { 'Set-Cookie': `a=${canary}` },
        },
      },
      brokenheaders: { headers: { customRequestHeaders: { Authorization: `Bearer ${canary}\u0001` } } },
      limit: { rateLimit: { average: 1, redis: { endpoints: ['127.0.0.1:1'], password: canary } } },
      jwt: { jwt: { secret: `${canary}-0123456789012345678901234567890` } },
      brokenjwt: { jwt: { secret: canary } },
    };
    gateway = await startGateway({
      static: {
        api: { insecure: true },
        entryPoints: { web: {} },
        tracing: { otlp: { http: { headers: { 'x-honeycomb-team': canary } } } },
      },
      dynamic: {
        http: {
          routers: Object.fromEntries(Object.keys(middlewares).map((name) => [name, router(name)])),
          middlewares,
          services: {
            one: {
              loadBalancer: {
                servers: [{ url: `http://u:${canary}@127.0.0.1:1` }],
                healthCheck: { path: '/', headers: { Authorization: canary, 'X-Own': canary } },
              },
            },
          },
        },
      },
    });
  });
  after(() => gateway.stop());

  test('are shown at no address, and not in the log', async () => {
    // A failure that the list of recent errors then holds.
    await ask(gateway.port('web'), { host: 'headers.test' });
    await eventually('the error is listed', async () => {
      const live = await fetch(`${gateway.url('traefik')}/api/portcullis/live`);
      return (await live.text()).includes('"router":"headers@file"');
    });
    for (const target of [
      '/api/http/routers',
      '/api/http/services',
      '/api/http/middlewares',
      '/api/rawdata',
      '/api/overview',
      '/api/entrypoints',
      '/api/diagnostics',
      '/api/portcullis/status',
      '/api/portcullis/live',
      '/api/portcullis/walk/headers@file',
      '/api/portcullis/walk/forward@file',
      '/api/portcullis/explain?url=http://forward.test/',
      '/dashboard/',
    ]) {
      const { status, body } = await ask(gateway.port('traefik'), { host: 'gate.test', target });
      assert.equal(status, 200, target);
      const at = body.indexOf(canary);
      assert.equal(at, -1, `${target}: ${body.slice(Math.max(0, at - 100), at + 30)}`);
    }
    const dump = await fetch(`${gateway.url('traefik')}/api/support-dump`);
    const files = execFileSync('tar', ['-xzO'], {
      input: Buffer.from(await dump.arrayBuffer()),
      encoding: 'utf8',
    });
    assert.ok(!files.includes(canary) && files.includes('x-honeycomb-team'));
    const log = gateway.logs();
    const at = log.indexOf(canary);
    assert.equal(at, -1, log.slice(Math.max(0, at - 200), at + 30));
  });
});
