// The headers middleware on the wire, key by key: each router is a host named as its middleware.

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { type Answer, ask } from '../support/ask.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { type Origin, startOrigin } from '../support/origin.ts';

const cors = {
  accessControlAllowMethods: ['GET', 'PUT'],
  accessControlAllowHeaders: ['X-A', 'X-B'],
  accessControlAllowOriginList: ['https://app.test', 'https://two.test'],
  accessControlExposeHeaders: ['X-Out', 'X-More'],
  accessControlMaxAge: 0,
};
const open = {
  accessControlAllowOriginList: '*',
  accessControlAllowHeaders: '*',
  accessControlAllowMethods: '*',
};
const sts = { stsSeconds: 31_536_000, stsIncludeSubdomains: true, stsPreload: true };

const middlewares: Readonly<Record<string, object>> = {
  request: { customRequestHeaders: { 'X-Set': 'ours', 'X-Gone': '', 'X-Eight': 'grüß' } },
  host: { customRequestHeaders: { host: 'inner.test:81' } },
  noforward: { customRequestHeaders: { 'X-Forwarded-For': '' } },
  setforward: { customRequestHeaders: { 'X-Forwarded-For': '1.2.3.4' } },
  response: { customResponseHeaders: { 'X-Set': 'ours', 'X-Gone': '', Server: '', 'X-Origin': 'hidden' } },
  cors,
  credentials: { ...cors, accessControlAllowCredentials: true },
  open,
  opencredentials: { ...open, accessControlAllowCredentials: true, accessControlExposeHeaders: '*' },
  pattern: { accessControlAllowOriginListRegex: ['^https://[a-z]+\\.app\\.test$', 'beta'] },
  vary: { accessControlAllowOriginList: ['https://app.test'], addVaryHeader: true },
  exposeonly: { accessControlExposeHeaders: 'X-Out' },
  hosts: { allowedHosts: ['hosts.test', 'Other.test:81'], hostsProxyHeaders: ['X-Host'] },
  devhosts: { allowedHosts: ['nothing.test'], isDevelopment: true, frameDeny: true },
  sts,
  forcedsts: { stsSeconds: 60, forceSTSHeader: true },
  devsts: { ...sts, forceSTSHeader: true, isDevelopment: true, contentTypeNosniff: true },
  proof: {
    stsSeconds: 60,
    publicKey: 'pin-sha256="a"; max-age=5',
    sslProxyHeaders: { 'X-Tls': 'on', 'X-Https': '1' },
  },
  frame: { frameDeny: true },
  framecustom: { frameDeny: true, customFrameOptionsValue: 'SAMEORIGIN' },
  nosniff: { contentTypeNosniff: true },
  xss: { browserXssFilter: true },
  xsscustom: { browserXssFilter: true, customBrowserXSSValue: '0' },
  csp: { contentSecurityPolicy: "default-src 'self'", contentSecurityPolicyReportOnly: 'report-to x' },
  referrer: { referrerPolicy: 'no-referrer' },
  permissions: { permissionsPolicy: 'camera=()' },
  effectless: {
    sslRedirect: true,
    sslTemporaryRedirect: true,
    sslHost: 'x',
    sslForceHost: true,
    featurePolicy: 'x',
  },
  all: {
    ...cors,
    ...sts,
    forceSTSHeader: true,
    frameDeny: true,
    customResponseHeaders: { 'X-Frame-Options': 'ALLOWALL' },
  },
};

describe('the headers middleware on the wire', () => {
  let origin: Origin;
  let gateway: TestGateway;
  before(async () => {
    origin = await startOrigin();
    const names = Object.keys(middlewares);
    gateway = await startGateway({
      dynamic: {
        http: {
          routers: {
            ...Object.fromEntries(
              names.map((name) => [
                name,
                { rule: `Host(\`${name}.test\`)`, service: 'origin', middlewares: [name] },
              ]),
            ),
            authfirst: { rule: 'Host(`authfirst.test`)', service: 'origin', middlewares: ['refuse', 'cors'] },
            corsfirst: { rule: 'Host(`corsfirst.test`)', service: 'origin', middlewares: ['cors', 'refuse'] },
            corsdown: { rule: 'Host(`corsdown.test`)', service: 'none', middlewares: ['cors'] },
            ownhost: { rule: 'Host(`ownhost.test`)', service: 'own', middlewares: ['host'] },
            otherhost: { rule: 'Host(`wrong.test`)', service: 'origin', middlewares: ['hosts'] },
          },
          middlewares: {
            ...Object.fromEntries(names.map((name) => [name, { headers: middlewares[name] }])),
            refuse: { ipAllowList: { sourceRange: '10.0.0.1' } },
          },
          services: {
            origin: { loadBalancer: { servers: [{ url: origin.url }] } },
            own: { loadBalancer: { servers: [{ url: origin.url }], passHostHeader: false } },
            none: { loadBalancer: { servers: [] } },
          },
        },
      },
    });
  });
  beforeEach(() => {
    origin.requests.length = 0;
    origin.answerWith((_request, response) => void response.end('from the origin'));
  });
  after(async () => {
    await gateway?.stop();
    await origin?.stop();
  });

  type Lines = Readonly<Record<string, string | string[]>>;

  function send(name: string, headers: Lines = {}, method = 'GET', port = ''): Promise<Answer> {
    return ask(gateway.port('web'), { host: `${name}.test${port}`, headers, method });
  }

  /** The origin answers with these header lines from now on. */
  function answerWith(headers: Lines): void {
    origin.answerWith((_request, response) => {
      for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
      response.end('from the origin');
    });
  }

  async function assertHeaders(answer: Promise<Answer>, expected: readonly string[]): Promise<void> {
    const { status, headers, body } = await answer;
    assert.deepEqual([status, body], [200, 'from the origin']);
    assert.deepEqual(headers, ['content-length: 15', ...expected].sort());
  }

  function preflight(name: string, from: string, extra: Lines = {}): Promise<Answer> {
    return send(name, { Origin: from, 'Access-Control-Request-Method': 'PUT', ...extra }, 'OPTIONS');
  }

  async function assertPreflight(answer: Promise<Answer>, expected: readonly string[]): Promise<void> {
    const headers = ['content-length: 0', ...expected].sort();
    assert.deepEqual(await answer, { status: 200, headers, body: '' });
    assert.equal(origin.requests.length, 0, 'nothing reaches the server');
  }

  const listed = [
    'access-control-allow-headers: X-A,X-B',
    'access-control-allow-methods: GET,PUT',
    'access-control-expose-headers: X-Out,X-More',
    'access-control-max-age: 0',
  ];
  const allowed = 'access-control-allow-origin: https://app.test';
  const withCredentials = 'access-control-allow-credentials: true';

  function seenHeader(name: string): string | string[] | undefined {
    return origin.requests.at(-1)?.headers[name];
  }

  test('customRequestHeaders sets, replaces and deletes', async () => {
    await send('request', { 'X-Set': ['theirs', 'twice'], 'X-Gone': 'here', 'X-Kept': 'a' });
    assert.equal(seenHeader('x-set'), 'ours');
    assert.equal(seenHeader('x-gone'), undefined);
    assert.equal(seenHeader('x-kept'), 'a');
    assert.equal(Buffer.from(String(seenHeader('x-eight')), 'latin1').toString(), 'grüß');
  });

  test('customRequestHeaders changes Host where the service passes it on', async () => {
    await send('host');
    assert.equal(seenHeader('host'), 'inner.test:81');
    await send('ownhost');
    assert.equal(seenHeader('host'), new URL(origin.url).host);
  });

  test('an emptied X-Forwarded-For stays empty, a set one is added to', async () => {
    await send('noforward');
    assert.equal(seenHeader('x-forwarded-for'), undefined);
    await send('setforward');
    assert.equal(seenHeader('x-forwarded-for'), '1.2.3.4, 127.0.0.1');
  });

  test('customResponseHeaders has the last word over the server', async () => {
    answerWith({
      'X-Set': ['theirs', 'twice'],
      'X-Gone': 'here',
      Server: 'x',
      'X-Origin': 'a',
      'X-Kept': 'k',
    });
    await assertHeaders(send('response'), ['x-set: ours', 'x-origin: hidden', 'x-kept: k']);
  });

  test('a preflight is answered here, for origins that are not allowed too', async () => {
    await assertPreflight(preflight('cors', 'https://app.test'), [allowed, ...listed]);
    await assertPreflight(preflight('cors', 'https://evil.test'), listed);
    await assertPreflight(preflight('cors', 'https://APP.test'), listed);
    await assertPreflight(preflight('credentials', 'https://app.test'), [
      allowed,
      ...listed,
      withCredentials,
    ]);
    await assertPreflight(preflight('all', 'https://app.test'), [allowed, ...listed]);
  });

  test('a star is sent as it is, and echoed where credentials make a star useless', async () => {
    const stars = ['origin', 'headers', 'methods'].map((what) => `access-control-allow-${what}: *`);
    await assertPreflight(preflight('open', 'https://any.test'), stars);
    const asked = { 'Access-Control-Request-Headers': 'x-one,x-two' };
    await assertPreflight(preflight('opencredentials', 'https://any.test', asked), [
      withCredentials,
      'access-control-allow-origin: https://any.test',
      'access-control-allow-headers: x-one,x-two',
      'access-control-allow-methods: PUT',
    ]);
  });

  test('origins are matched by unanchored regular expressions', async () => {
    const allows = (from: string): string[] => [`access-control-allow-origin: ${from}`];
    for (const from of ['https://a.app.test', 'http://beta.test'])
      await assertPreflight(preflight('pattern', from), allows(from));
    await assertPreflight(preflight('pattern', 'https://app.test'), []);
  });

  test('OPTIONS without an origin or a method asked for goes to the server', async () => {
    await assertHeaders(send('pattern', { Origin: 'https://app.test' }, 'OPTIONS'), []);
    await assertHeaders(send('pattern', { 'Access-Control-Request-Method': 'PUT' }, 'OPTIONS'), []);
    await assertHeaders(preflight('pattern', ''), []);
    assert.equal(origin.requests.length, 3);
    await assertHeaders(preflight('request', 'https://app.test'), []);
  });

  test('answers of the server carry the origin when it is allowed', async () => {
    const from = { Origin: 'https://app.test' };
    const exposed = 'access-control-expose-headers: X-Out,X-More';
    await assertHeaders(send('cors', from), [allowed, exposed]);
    await assertHeaders(send('cors'), [exposed]);
    await assertHeaders(send('open', from), ['access-control-allow-origin: *']);
    await assertHeaders(send('opencredentials', from), [allowed, withCredentials]);
    await assertHeaders(send('credentials'), [exposed, withCredentials]);
    await assertHeaders(send('exposeonly', from), ['access-control-expose-headers: X-Out']);
    answerWith({ 'Access-Control-Allow-Origin': 'https://backend.test' });
    await assertHeaders(send('cors', from), [allowed, exposed]);
    const theirs = 'access-control-allow-origin: https://backend.test';
    await assertHeaders(send('cors', { Origin: 'https://evil.test' }), [theirs, exposed]);
  });

  test('addVaryHeader adds to what the server says', async () => {
    const from = { Origin: 'https://app.test' };
    await assertHeaders(send('vary', from), [allowed, 'vary: Origin']);
    answerWith({ Vary: 'Accept' });
    await assertHeaders(send('vary', from), [allowed, 'vary: Accept,Origin']);
    answerWith({ Vary: 'Origin' });
    await assertHeaders(send('vary', from), [allowed, 'vary: Origin']);
  });

  test('the order of middlewares decides whether a refusal carries CORS headers', async () => {
    const from = { Origin: 'https://app.test' };
    const refused = ['content-length: 9'];
    assert.deepEqual((await send('authfirst', from)).headers, refused);
    assert.equal((await preflight('authfirst', 'https://app.test')).status, 403);
    const exposed = 'access-control-expose-headers: X-Out,X-More';
    assert.deepEqual(await send('corsfirst', from), {
      status: 403,
      headers: [allowed, exposed, ...refused],
      body: 'Forbidden',
    });
    await assertPreflight(preflight('corsfirst', 'https://app.test'), [allowed, ...listed]);
    const down = await send('corsdown', from);
    assert.deepEqual([down.status, down.headers.includes(allowed)], [503, true]);
  });

  test('allowedHosts answers other hosts with 500, what a proxy header says first', async () => {
    const bad = {
      status: 500,
      headers: [
        'content-length: 9',
        'content-type: text/plain; charset=utf-8',
        'x-content-type-options: nosniff',
      ],
      body: 'Bad Host\n',
    };
    await assertHeaders(send('hosts'), []);
    await assertHeaders(send('hosts', { 'X-Host': 'other.TEST:81' }), []);
    origin.requests.length = 0;
    assert.deepEqual(await send('hosts', { 'X-Host': 'evil.test' }), bad);
    assert.deepEqual(await send('hosts', {}, 'GET', ':81'), bad);
    assert.deepEqual(await send('wrong'), bad);
    assert.equal(origin.requests.length, 0);
    await assertHeaders(send('devhosts'), ['x-frame-options: DENY']);
  });

  test('Strict-Transport-Security is for TLS, or proof of it, or force', async () => {
    await assertHeaders(send('sts'), []);
    await assertHeaders(send('forcedsts'), ['strict-transport-security: max-age=60']);
    await assertHeaders(send('devsts'), ['x-content-type-options: nosniff']);
    await assertHeaders(send('proof'), []);
    const proven = ['strict-transport-security: max-age=60', 'public-key-pins: pin-sha256="a"; max-age=5'];
    await assertHeaders(send('proof', { 'X-Https': '1' }), proven);
    await assertHeaders(send('proof', { 'X-Tls': 'on' }), proven);
    await assertHeaders(send('proof', { 'X-Tls': 'off' }), []);
  });

  test('each security key sets its header over that of the server', async () => {
    answerWith({
      'X-Frame-Options': 'theirs',
      'X-Content-Type-Options': 'theirs',
      'X-Xss-Protection': 'theirs',
      'Content-Security-Policy': 'theirs',
      'Referrer-Policy': 'theirs',
      'Permissions-Policy': 'theirs',
    });
    const theirs = (await send('effectless')).headers;
    const expected = (...lines: readonly string[]): string[] => {
      const names = new Set(lines.map((line) => line.split(':')[0]));
      return [...theirs.filter((line) => !names.has(line.split(':')[0])), ...lines].sort();
    };
    const rows: readonly (readonly [string, readonly string[]])[] = [
      ['frame', ['x-frame-options: DENY']],
      ['framecustom', ['x-frame-options: SAMEORIGIN']],
      ['nosniff', ['x-content-type-options: nosniff']],
      ['xss', ['x-xss-protection: 1; mode=block']],
      ['xsscustom', ['x-xss-protection: 0']],
      [
        'csp',
        ["content-security-policy: default-src 'self'", 'content-security-policy-report-only: report-to x'],
      ],
      ['referrer', ['referrer-policy: no-referrer']],
      ['permissions', ['permissions-policy: camera=()']],
      [
        'all',
        [
          'x-frame-options: ALLOWALL',
          'strict-transport-security: max-age=31536000; includeSubDomains; preload',
          'access-control-expose-headers: X-Out,X-More',
        ],
      ],
    ];
    for (const [name, lines] of rows) assert.deepEqual((await send(name)).headers, expected(...lines), name);
    assert.equal(theirs.length, 7);
  });
});
