// The headers middleware: CORS, custom headers, security headers, allowed hosts.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExchangeRequest } from '../../../../src/proxy/exchange.ts';
import { getHeader, type HeaderList } from '../../../../src/proxy/headers.ts';
import { ANSWERED, CONTINUE } from '../../../../src/proxy/hooks.ts';
import { build, exchange } from './workbench.ts';

const origin = 'https://app.example';
const asks: HeaderList = [
  'origin',
  origin,
  'access-control-request-method',
  'PUT',
  'access-control-request-headers',
  'x-a',
];

/** Response headers of a preflight, sorted by name. */
function preflight(options: object, headers: HeaderList = asks): Record<string, string> {
  const x = exchange({ method: 'OPTIONS', headers: [...headers] });
  const built = build('headers', options);
  assert.equal(built.request(x), ANSWERED);
  assert.equal(x.status, 200);
  assert.equal(x.answerBody, '');
  return asObject(x.responseHeaders);
}

/** Response headers of an ordinary request. */
function respond(
  options: object,
  request: Partial<ExchangeRequest> = {},
  server: HeaderList = [],
): Record<string, string> {
  const x = exchange(request);
  const built = build('headers', options);
  assert.equal(built.request(x), CONTINUE);
  x.status = 200;
  x.responseHeaders = [...server];
  built.response(x);
  return asObject(x.responseHeaders);
}

function asObject(headers: HeaderList): Record<string, string> {
  const object: Record<string, string> = {};
  for (let i = 0; i < headers.length; i += 2) object[headers[i] as string] = headers[i + 1] as string;
  return object;
}

const acao = 'access-control-allow-origin';

test('a preflight is answered with everything that is configured', () => {
  const options = {
    accessControlAllowCredentials: true,
    accessControlAllowHeaders: ['x-a', 'x-b'],
    accessControlAllowMethods: 'GET, PUT',
    accessControlAllowOriginList: [origin],
    accessControlExposeHeaders: ['x-c'],
    accessControlMaxAge: 0,
    addVaryHeader: true,
    customResponseHeaders: { 'X-Custom': '1' },
    frameDeny: true,
  };
  assert.deepEqual(preflight(options), {
    'content-length': '0',
    'access-control-allow-credentials': 'true',
    'access-control-allow-headers': 'x-a,x-b',
    'access-control-allow-methods': 'GET,PUT',
    'access-control-max-age': '0',
    'access-control-expose-headers': 'x-c',
    [acao]: origin,
  });
});

test('a preflight from an origin that is not allowed is answered without Access-Control-Allow-Origin', () => {
  assert.deepEqual(preflight({ accessControlAllowOriginList: ['https://other.example'] }), {
    'content-length': '0',
  });
});

test('with credentials the wildcards of a preflight give way to what was asked for', () => {
  const options = {
    accessControlAllowCredentials: true,
    accessControlAllowHeaders: '*',
    accessControlAllowMethods: '*',
    accessControlAllowOriginList: '*',
    accessControlExposeHeaders: '*',
  };
  assert.deepEqual(preflight(options), {
    'content-length': '0',
    'access-control-allow-credentials': 'true',
    'access-control-allow-headers': 'x-a',
    'access-control-allow-methods': 'PUT',
    [acao]: origin,
  });
  assert.match(build('headers', options).warnings.join(), /every site/);
});

for (const [pattern, warned] of [
  ['https://.*\\.example\\.com', true],
  ['^https://.*\\.example\\.com', true],
  ['https://example\\.com$', true],
  ['^https://a\\.com$|https://b\\.com$', true],
  ['^https://example\\.com\\$', true],
  ['^https://([a-z]+\\.)?example\\.com$', false],
  ['(?i)^https://example\\.com$', false],
  ['\\Ahttps://example\\.com\\z', false],
  ['^(https://a\\.com|https://b\\.com)$', false],
  ['^https://a\\.com$|^https://b\\.com$', false],
  ['.*', false],
] as const) {
  test(`an origin expression ${pattern} ${warned ? 'brings a warning' : 'is as it should be'}`, () => {
    const { warnings } = build('headers', { accessControlAllowOriginListRegex: [pattern] });
    assert.equal(warnings.length, warned ? 1 : 0, warnings.join());
    if (warned) assert.match(warnings.join(), /begin it with \^ and end it with \$/);
  });
}

test('without credentials wildcards stay wildcards', () => {
  const options = {
    accessControlAllowHeaders: '*',
    accessControlAllowMethods: '*',
    accessControlAllowOriginList: '*',
  };
  assert.deepEqual(preflight(options), {
    'content-length': '0',
    'access-control-allow-headers': '*',
    'access-control-allow-methods': '*',
    [acao]: '*',
  });
});

test('OPTIONS that is no preflight goes to the server', () => {
  const built = build('headers', { accessControlAllowOriginList: '*' });
  const heads: HeaderList[] = [
    [],
    ['origin', origin],
    ['access-control-request-method', 'PUT'],
    ['origin', '', 'access-control-request-method', 'PUT'],
    ['origin', origin, 'access-control-request-method', ''],
  ];
  for (const headers of heads)
    assert.equal(built.request(exchange({ method: 'OPTIONS', headers })), CONTINUE);
});

test('a preflight is left to the server when no CORS key is set', () => {
  const built = build('headers', { customRequestHeaders: { 'X-A': '1' } });
  assert.equal(built.request(exchange({ method: 'OPTIONS', headers: [...asks] })), CONTINUE);
});

const origins: readonly [options: object, sent: string | null, expected: string | undefined][] = [
  [{ accessControlAllowOriginList: [origin] }, origin, origin],
  [{ accessControlAllowOriginList: [origin] }, 'https://APP.example', undefined],
  [{ accessControlAllowOriginList: [origin] }, null, undefined],
  [{ accessControlAllowOriginList: '*' }, origin, '*'],
  [{ accessControlAllowOriginList: '*' }, null, '*'],
  [{ accessControlAllowOriginList: ['*', origin] }, origin, '*'],
  [{ accessControlAllowOriginList: [origin, '*'] }, origin, origin],
  [{ accessControlAllowOriginList: '*', accessControlAllowCredentials: true }, origin, origin],
  [{ accessControlAllowOriginList: '*', accessControlAllowCredentials: true }, null, undefined],
  [{ accessControlAllowOriginListRegex: ['^https://.*\\.example$'] }, origin, origin],
  [{ accessControlAllowOriginListRegex: ['^https://.*\\.example$'] }, 'https://app.example.evil', undefined],
  [{ accessControlAllowOriginListRegex: ['app'] }, 'https://app.evil', 'https://app.evil'],
  [{ accessControlAllowOriginListRegex: ['.*'] }, null, undefined],
];
for (const [options, sent, expected] of origins) {
  test(`${JSON.stringify(options)} answers the origin ${sent} with ${expected}`, () => {
    assert.equal(respond(options, { headers: sent === null ? [] : ['origin', sent] })[acao], expected);
  });
}

test("a server's own CORS answer is replaced for an allowed origin and left alone for others", () => {
  const options = { accessControlAllowOriginList: [origin], accessControlAllowCredentials: true };
  assert.equal(respond(options, { headers: ['origin', origin] }, [acao, 'x'])[acao], origin);
  const other = respond(options, { headers: ['origin', 'https://other'] }, [acao, 'x']);
  assert.deepEqual(other, { [acao]: 'x', 'access-control-allow-credentials': 'true' });
});

for (const [vary, expected] of [
  [[], 'Origin'],
  [['vary', 'Origin'], 'Origin'],
  [['vary', 'Accept-Encoding'], 'Accept-Encoding,Origin'],
  [['vary', 'Origin, Accept'], 'Origin, Accept,Origin'],
  [['vary', 'A', 'vary', 'B'], 'A, B,Origin'],
] as const) {
  test(`addVaryHeader makes ${JSON.stringify(vary)} into ${expected}`, () => {
    assert.equal(respond({ addVaryHeader: true }, {}, [...vary])['vary'], expected);
  });
}

test('custom request headers are set, replaced and deleted', () => {
  const x = exchange({ headers: ['x-a', '1', 'x-b', '1', 'x-b', '2', 'x-keep', 'k'] });
  build('headers', { customRequestHeaders: { 'X-A': 'new', 'x-B': '', 'X-Uni': 'ä' } }).request(x);
  assert.deepEqual(x.headers, ['x-keep', 'k', 'x-a', 'new', 'x-uni', '\xc3\xa4']);
});

test('what custom request headers set or delete is gone in every spelling a server could take for it', () => {
  const spoofed = ['x_a', '1', 'x.a', '1', 'x!b', '1', 'x-ab', 'k', 'xa', 'k', 'x--a', 'k'];
  const x = exchange({ headers: spoofed });
  build('headers', { customRequestHeaders: { 'X-A': 'new', 'x-a': 'newer', 'X-B': '' } }).request(x);
  assert.deepEqual(x.headers, ['x-ab', 'k', 'xa', 'k', 'x--a', 'k', 'x-a', 'newer']);
});

test('a custom Host goes upstream as the authority and not as a header', () => {
  const x = exchange();
  build('headers', { customRequestHeaders: { hOST: 'inner.example:8080' } }).request(x);
  assert.equal(x.authority, 'inner.example:8080');
  assert.equal(getHeader(x.headers, 'host'), null);
});

test('an empty X-Forwarded-For deletes it and keeps the peer out of it', () => {
  const x = exchange({ headers: ['x-forwarded-for', '10.0.0.1'] });
  build('headers', { customRequestHeaders: { 'X-Forwarded-For': '' } }).request(x);
  assert.deepEqual(x.headers, []);
  assert.equal(x.dropForwardedFor, true);
});

test('custom response headers are set over the server and deleted', () => {
  const options = { customResponseHeaders: { 'X-A': 'new', Server: '' } };
  assert.deepEqual(respond(options, {}, ['x-a', '1', 'x-a', '2', 'server', 's']), { 'x-a': 'new' });
});

test('headers that frame a message are left alone, with a warning', () => {
  const names = { 'Content-Length': '0', 'Transfer-Encoding': '', Connection: 'close', Upgrade: 'x' };
  const built = build('headers', { customRequestHeaders: names, customResponseHeaders: names });
  assert.equal(built.warnings.length, 8);
  assert.deepEqual(built.hooks, {});
});

test('names and values that would break a message are refused', () => {
  for (const [name, value] of [
    ['X-A', 'a\r\nX-B: c'],
    ['X-A', 'a\0'],
    ['X A', 'a'],
    ['X-A:', 'a'],
    ['', 'a'],
    ['X-Ä', 'a'],
  ] as const) {
    assert.throws(() => build('headers', { customRequestHeaders: { [name]: value } }), name);
    assert.throws(() => build('headers', { customResponseHeaders: { [name]: value } }), name);
  }
  assert.throws(() => build('headers', { contentSecurityPolicy: 'a\nb' }), /control/);
  assert.throws(() => build('headers', { customRequestHeaders: { Host: 'a/b' } }), /no host name/);
});

const secure: readonly [options: object, expected: Record<string, string>][] = [
  [{ frameDeny: true }, { 'x-frame-options': 'DENY' }],
  [{ frameDeny: true, customFrameOptionsValue: 'SAMEORIGIN' }, { 'x-frame-options': 'SAMEORIGIN' }],
  [{ contentTypeNosniff: 'true' }, { 'x-content-type-options': 'nosniff' }],
  [{ browserXssFilter: true }, { 'x-xss-protection': '1; mode=block' }],
  [{ browserXssFilter: true, customBrowserXSSValue: '0' }, { 'x-xss-protection': '0' }],
  [{ contentSecurityPolicy: "default-src 'self'" }, { 'content-security-policy': "default-src 'self'" }],
  [{ contentSecurityPolicyReportOnly: 'x' }, { 'content-security-policy-report-only': 'x' }],
  [{ referrerPolicy: 'no-referrer' }, { 'referrer-policy': 'no-referrer' }],
  [{ permissionsPolicy: 'camera=()' }, { 'permissions-policy': 'camera=()' }],
  [{ forceSTSHeader: true, stsSeconds: 10 }, { 'strict-transport-security': 'max-age=10' }],
  [{ forceSTSHeader: true, stsSeconds: 10, isDevelopment: true }, {}],
  [{ stsSeconds: 10, publicKey: 'pin' }, {}],
];
for (const [options, expected] of secure) {
  test(`${JSON.stringify(options)} sends ${JSON.stringify(expected)} over cleartext`, () => {
    assert.deepEqual(respond(options), expected);
  });
}

test('Strict-Transport-Security and Public-Key-Pins are sent over TLS, and where a proxy header says so', () => {
  const options = {
    stsSeconds: 31536000,
    stsIncludeSubdomains: true,
    stsPreload: true,
    publicKey: 'pin',
    sslProxyHeaders: { 'X-Forwarded-Proto': 'https' },
  };
  const expected = {
    'strict-transport-security': 'max-age=31536000; includeSubDomains; preload',
    'public-key-pins': 'pin',
  };
  assert.deepEqual(respond(options, { scheme: 'https' }), expected);
  assert.deepEqual(respond(options, { headers: ['x-forwarded-proto', 'https'] }), expected);
  assert.deepEqual(respond(options, { headers: ['x-forwarded-proto', 'http'] }), {});
});

test('custom headers win over security headers, and those over the server', () => {
  const options = {
    frameDeny: true,
    contentTypeNosniff: true,
    customResponseHeaders: { 'X-Frame-Options': 'mine' },
  };
  const sent = respond(options, {}, ['x-content-type-options', 'server', 'x-frame-options', 'server']);
  assert.deepEqual(sent, { 'x-content-type-options': 'nosniff', 'x-frame-options': 'mine' });
});

test('a host that is not allowed gets 500 Bad Host and nothing else', () => {
  const built = build('headers', { allowedHosts: ['Example.org', 'a.example:8080'], frameDeny: true });
  for (const authority of ['example.org', 'EXAMPLE.ORG', 'a.example:8080']) {
    assert.equal(built.request(exchange({ authority })), CONTINUE, authority);
  }
  for (const authority of ['evil.example', 'example.org:80', 'a.example', '']) {
    const x = exchange({ authority });
    assert.equal(built.request(x), ANSWERED, authority);
    assert.equal(x.status, 500);
    assert.equal(x.answerBody, 'Bad Host\n');
    assert.equal(getHeader(x.responseHeaders, 'x-frame-options'), null);
  }
});

test('hostsProxyHeaders are asked before the Host header, and development allows every host', () => {
  const options = { allowedHosts: ['inner.example'], hostsProxyHeaders: ['X-Forwarded-Host'] };
  const headers: HeaderList = ['x-forwarded-host', 'inner.example'];
  assert.equal(build('headers', options).request(exchange({ headers })), CONTINUE);
  assert.equal(build('headers', options).request(exchange({ authority: 'inner.example' })), CONTINUE);
  assert.equal(build('headers', options).request(exchange()), ANSWERED);
  assert.equal(build('headers', { ...options, isDevelopment: true }).request(exchange()), CONTINUE);
});

test('keys of older releases are taken without effect, with a warning each', () => {
  const built = build('headers', {
    sslRedirect: true,
    sslHost: 'x',
    featurePolicy: 'y',
    sslForceHost: false,
  });
  assert.deepEqual(built.hooks, {});
  assert.equal(built.warnings.length, 4);
});

test('a middleware without any option is refused', () => {
  assert.throws(() => build('headers', {}), /expected at least one/);
  assert.throws(() => build('headers', { accessControlAllowOriginListRegex: ['('] }));
});

test('phases with nothing to do do not exist', () => {
  assert.deepEqual(Object.keys(build('headers', { frameDeny: true }).hooks), ['response']);
  assert.deepEqual(Object.keys(build('headers', { customRequestHeaders: { a: 'b' } }).hooks), ['request']);
});

test('a maximum age of 0 is an option like any other', () => {
  const built = build('headers', { accessControlMaxAge: 0 });
  const headers = ['origin', 'https://app.test', 'access-control-request-method', 'PUT'];
  const x = exchange({ method: 'OPTIONS', headers });
  assert.equal(built.hooks.request?.(x), ANSWERED);
  assert.deepEqual(x.responseHeaders, ['content-length', '0', 'access-control-max-age', '0']);
});
