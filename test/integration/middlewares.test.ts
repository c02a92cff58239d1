// Path, redirect and address middlewares on the wire: what the client gets and what the server sees, to the
// byte, through a real worker. Each router is a host: `strip.test` runs the middleware `strip`.

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { type Answer, ask } from '../support/ask.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { type Origin, startOrigin } from '../support/origin.ts';

const middlewares: Readonly<Record<string, object>> = {
  add: { addPrefix: { prefix: '/base' } },
  addbare: { addPrefix: { prefix: 'base' } },
  addodd: { addPrefix: { prefix: '/a b%2F' } },
  strip: { stripPrefix: { prefixes: ['/api', '/api/v2', '/é'] } },
  replace: { replacePath: { path: '/fixed' } },
  replaceodd: { replacePath: { path: '/a%20b/é' } },
  both: { chain: { middlewares: ['strip', 'add'] } },
  nested: { chain: { middlewares: ['both', 'replace'] } },
  https: { redirectScheme: { scheme: 'https' } },
  https8443: { redirectScheme: { scheme: 'https', port: '8443', permanent: true } },
  https443: { redirectScheme: { scheme: 'https', port: 443 } },
  http: { redirectScheme: { scheme: 'http' } },
  regex: {
    redirectRegex: { regex: '^http://regex\\.test(:\\d+)?/old/(.*)', replacement: 'http://new.test/${2}' },
  },
  regexper: { redirectRegex: { regex: '/a/(?P<rest>.*)', replacement: '/b/${rest}', permanent: true } },
  regexbad: { redirectRegex: { regex: '.*', replacement: 'http://[::1' } },
  regexsame: { redirectRegex: { regex: 'test', replacement: 'test' } },
  regexopen: { redirectRegex: { regex: '^http://[^/]+(/.*)$', replacement: '/$1' } },
  regexback: { redirectRegex: { regex: '^http://[^/]+/(.*)$', replacement: '/$1' } },
  local: { ipAllowList: { sourceRange: ['127.0.0.0/8'] } },
  other: { ipAllowList: { sourceRange: ['10.0.0.1', 'fe80::/10'] } },
  teapot: { ipAllowList: { sourceRange: ['10.0.0.1'], rejectStatusCode: 418 } },
  white: { ipWhiteList: { sourceRange: ['10.0.0.0/8'] } },
  depth1: { ipAllowList: { sourceRange: ['10.0.0.0/8'], ipStrategy: { depth: 1 } } },
  depth2: { ipAllowList: { sourceRange: ['10.0.0.0/8'], ipStrategy: { depth: 2 } } },
  excluded: {
    ipAllowList: { sourceRange: ['10.0.0.0/8'], ipStrategy: { excludedIPs: ['192.168.0.0/16', '10.9.9.9'] } },
  },
  subnet: {
    ipAllowList: { sourceRange: ['2001:db8:1::'], ipStrategy: { depth: 1, ipv6Subnet: 48 } },
  },
};

describe('middlewares on the wire', () => {
  let origin: Origin;
  let gateway: TestGateway;
  before(async () => {
    origin = await startOrigin({
      answer: (_request, response) => void response.setHeader('X-Origin', 'yes').end('from the origin'),
    });
    const routers = Object.fromEntries(
      Object.keys(middlewares).map((name) => [
        name,
        {
          rule: `Host(\`${name}.test\`)`,
          service: 'origin',
          middlewares: [name],
          entryPoints: ['web', 'trusting'],
        },
      ]),
    );
    gateway = await startGateway({
      static: { entryPoints: { web: {}, trusting: { forwardedHeaders: { insecure: true } } } },
      dynamic: {
        http: {
          routers: { ...routers, plain: { rule: 'Host(`plain.test`)', service: 'origin' } },
          middlewares,
          services: { origin: { loadBalancer: { servers: [{ url: origin.url }] } } },
        },
      },
    });
  });
  beforeEach(() => void (origin.requests.length = 0));
  after(async () => {
    await gateway?.stop();
    await origin?.stop();
  });

  interface Extra {
    readonly method?: string;
    readonly headers?: Readonly<Record<string, string | string[]>>;
    readonly entryPoint?: string;
    readonly port?: string;
  }

  function get(
    name: string,
    target = '/',
    { entryPoint = 'web', port = '', ...extra }: Extra = {},
  ): Promise<Answer> {
    return ask(gateway.port(entryPoint), { host: `${name}.test${port}`, target, ...extra });
  }

  /** What the server was asked for, with the header lines of these names. */
  function seen(...names: readonly string[]): readonly unknown[] {
    const [only, ...more] = origin.requests;
    assert.equal(more.length, 0, 'one request reaches the server');
    const raw = only?.rawHeaders ?? [];
    const lines = raw.flatMap((text, i) =>
      i % 2 === 0 && names.includes(text.toLowerCase()) ? [`${text.toLowerCase()}: ${raw[i + 1]}`] : [],
    );
    return [only?.target, ...lines];
  }

  async function assertForwarded(name: string, target: string, expected: readonly string[]): Promise<void> {
    origin.requests.length = 0;
    const answer = await get(name, target);
    assert.equal(answer.status, 200, `${name} ${target}`);
    assert.deepEqual(seen('x-forwarded-prefix', 'x-replaced-path'), expected, `${name} ${target}`);
  }

  function assertAnswer(answer: Answer, status: number, headers: readonly string[], body: string): void {
    const expected = { status, headers: [...headers].sort(), body };
    assert.deepEqual(answer, {
      ...expected,
      headers: [`content-length: ${Buffer.byteLength(body)}`, ...headers].sort(),
    });
    assert.equal(origin.requests.length, 0, 'nothing reaches the server');
  }

  test('addPrefix puts its text before the path and keeps the query', async () => {
    await assertForwarded('add', '/x/y?z=1', ['/base/x/y?z=1']);
    await assertForwarded('add', '/', ['/base/']);
    await assertForwarded('add', '/a%2Fb%20c', ['/base/a%2Fb%20c']);
    await assertForwarded('addbare', '/x', ['/base/x']);
    await assertForwarded('addodd', '/x', ['/a%20b%252F/x']);
  });

  test('stripPrefix cuts the first listed prefix that the path begins with, and names it', async () => {
    await assertForwarded('strip', '/api/users?q=1', ['/users?q=1', 'x-forwarded-prefix: /api']);
    await assertForwarded('strip', '/api', ['/', 'x-forwarded-prefix: /api']);
    await assertForwarded('strip', '/api/', ['/', 'x-forwarded-prefix: /api']);
    await assertForwarded('strip', '/api?a=b', ['/?a=b', 'x-forwarded-prefix: /api']);
    await assertForwarded('strip', '/apix', ['/x', 'x-forwarded-prefix: /api']);
    await assertForwarded('strip', '/api/v2/users', ['/v2/users', 'x-forwarded-prefix: /api']);
    await assertForwarded('strip', '/API/users', ['/API/users']);
    await assertForwarded('strip', '/other/api', ['/other/api']);
    await assertForwarded('strip', '/%61pi/a%2Fb', ['/a%2Fb', 'x-forwarded-prefix: /api']);
    await assertForwarded('strip', '/%C3%A9/x', ['/x', 'x-forwarded-prefix: /Ã©']);
  });

  test('stripPrefix refuses what would leave an unclean path', async () => {
    const nosniff = ['content-type: text/plain; charset=utf-8', 'x-content-type-options: nosniff'];
    assertAnswer(await get('strip', '/api..'), 400, nosniff, 'Bad Request\n');
    assertAnswer(await get('strip', '/api../etc'), 400, nosniff, 'Bad Request\n');
    assertAnswer(await get('strip', '/api..%2Fetc'), 400, nosniff, 'Bad Request\n');
    assertAnswer(await get('strip', '/api.'), 400, nosniff, 'Bad Request\n');
  });

  test('a prefix header of a client does not pass for one of ours', async () => {
    await get('strip', '/api/x', { headers: { 'X-Forwarded-Prefix': '/evil' } });
    assert.deepEqual(seen('x-forwarded-prefix'), ['/x', 'x-forwarded-prefix: /api']);
  });

  test('replacePath keeps the query and tells of the old path', async () => {
    await assertForwarded('replace', '/a%2Fb?c=d', ['/fixed?c=d', 'x-replaced-path: /a%2Fb']);
    await assertForwarded('replaceodd', '/x', ['/a%20b/%C3%A9', 'x-replaced-path: /x']);
  });

  test('a chain runs its members in order, chains in chains included', async () => {
    await assertForwarded('both', '/api/x', ['/base/x', 'x-forwarded-prefix: /api']);
    const nested = ['/fixed', 'x-forwarded-prefix: /api', 'x-replaced-path: /base/x'];
    await assertForwarded('nested', '/api/x', nested);
  });

  test('redirectScheme keeps host, path and query and sets the status by method', async () => {
    const to = (location: string): string[] => [`location: ${location}`];
    assertAnswer(await get('https', '/a%20b?c=d&e'), 302, to('https://https.test/a%20b?c=d&e'), 'Found');
    assertAnswer(await get('https', '/', { port: ':8080' }), 302, to('https://https.test/'), 'Found');
    assertAnswer(await get('https443', '/'), 302, to('https://https443.test/'), 'Found');
    const permanent = to('https://https8443.test:8443/x');
    assertAnswer(await get('https8443', '/x'), 301, permanent, 'Moved Permanently');
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      const temporary = await get('https', '/x', { method });
      assertAnswer(temporary, 307, to('https://https.test/x'), 'Temporary Redirect');
      assertAnswer(await get('https8443', '/x', { method }), 308, permanent, 'Permanent Redirect');
    }
    const head = await get('https', '/x', { method: 'HEAD' });
    assert.deepEqual([head.status, head.body], [307, '']);
  });

  test('redirectScheme lets what is there already through', async () => {
    assert.equal((await get('http', '/')).status, 200);
    const location = (answer: Answer): string | undefined =>
      answer.headers.find((line) => line.startsWith('location'));
    assert.equal(location(await get('http', '/', { port: ':8080' })), 'location: http://http.test/');
  });

  test('redirectScheme believes X-Forwarded-Proto of trusted peers only', async () => {
    const headers = { 'X-Forwarded-Proto': 'https' };
    assert.equal((await get('https', '/', { headers })).status, 302);
    assert.equal((await get('https', '/', { headers, entryPoint: 'trusting' })).status, 200);
    const ws = { 'X-Forwarded-Proto': 'wss' };
    assert.equal((await get('https', '/', { headers: ws, entryPoint: 'trusting' })).status, 200);
    const http = await get('http', '/', { headers, entryPoint: 'trusting' });
    assertForeign(http, 'location: http://http.test/');
  });

  function assertForeign(answer: Answer, location: string): void {
    assert.equal(answer.status, 302);
    assert.ok(answer.headers.includes(location), answer.headers.join('\n'));
  }

  test('redirectRegex rewrites the whole URL', async () => {
    const moved = await get('regex', '/old/a%20b?c=d', { port: ':81' });
    assertAnswer(moved, 302, ['location: http://new.test/a%20b?c=d'], 'Found');
    assertAnswer(
      await get('regex', '/old/', { method: 'POST' }),
      307,
      ['location: http://new.test/'],
      'Temporary Redirect',
    );
    const named = await get('regexper', '/x/a/y');
    assertAnswer(named, 301, ['location: http://regexper.test/x/b/y'], 'Moved Permanently');
    assertAnswer(await get('regexbad'), 502, [], 'Bad Gateway');
    assertAnswer(await get('regexopen', '/evil.test/'), 400, [], 'Bad Request');
    assertAnswer(await get('regexback', '/\\evil.test/'), 302, ['location: /%5Cevil.test/'], 'Found');
  });

  test('redirectRegex lets through what it does not match or change', async () => {
    assert.equal((await get('regex', '/new')).status, 200);
    assert.equal((await get('regexsame', '/new')).status, 200);
  });

  test('ipAllowList compares the peer and ignores X-Forwarded-For', async () => {
    const headers = { 'X-Forwarded-For': '10.0.0.1' };
    assert.equal((await get('local')).status, 200);
    origin.requests.length = 0;
    for (const entryPoint of ['web', 'trusting'])
      assertAnswer(await get('other', '/', { headers, entryPoint }), 403, [], 'Forbidden');
    assertAnswer(await get('white'), 403, [], 'Forbidden');
    assertAnswer(await get('teapot'), 418, [], "I'm a teapot");
  });

  test('ipStrategy.depth counts from the right of what a trusted peer forwarded', async () => {
    const status = async (
      name: string,
      forwarded: string | string[],
      entryPoint = 'trusting',
    ): Promise<number> =>
      (await get(name, '/', { headers: { 'X-Forwarded-For': forwarded }, entryPoint })).status;
    assert.equal(await status('depth1', '10.1.1.1'), 200);
    assert.equal(await status('depth1', '10.1.1.1, 11.1.1.1'), 403);
    assert.equal(await status('depth1', '11.1.1.1,10.1.1.1'), 200);
    assert.equal(await status('depth2', '10.1.1.1, 11.1.1.1'), 200);
    assert.equal(await status('depth2', '10.1.1.1'), 403);
    assert.equal(await status('depth2', ['10.1.1.1', '11.1.1.1']), 200);
    assert.equal(await status('depth1', 'nonsense'), 403);
    assert.equal(await status('depth1', ''), 403);
    assert.equal(await status('depth1', '10.1.1.1', 'web'), 403);
    assert.equal(await status('subnet', '2001:db8:1:2:3::4'), 200);
    assert.equal(await status('subnet', '2001:db8:2:2:3::4'), 403);
  });

  test('ipStrategy.excludedIPs skips listed hops from the right', async () => {
    const status = async (forwarded: string): Promise<number> =>
      (await get('excluded', '/', { headers: { 'X-Forwarded-For': forwarded }, entryPoint: 'trusting' }))
        .status;
    assert.equal(await status('10.1.1.1, 192.168.0.7, 10.9.9.9'), 200);
    assert.equal(await status('10.1.1.1, 11.1.1.1, 192.168.0.7'), 403);
    assert.equal(await status('192.168.0.7'), 403);
  });

  test('without middlewares an answer passes as it came', async () => {
    const answer = await get('plain');
    const headers = ['content-length: 15', 'x-origin: yes'];
    assert.deepEqual(answer, { status: 200, headers, body: 'from the origin' });
  });

  test('what no router or server answers has the bodies of Traefik', async () => {
    const nosniff = ['content-type: text/plain; charset=utf-8', 'x-content-type-options: nosniff'];
    assertAnswer(await get('unknown'), 404, nosniff, '404 page not found\n');
  });
});
