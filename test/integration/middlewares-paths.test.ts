// Middlewares that rewrite or refuse paths by their text, contentType and passTLSClientCert on the wire. Each
// router is a host: `strip.test` runs the middleware `strip`.

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { type Answer, ask } from '../support/ask.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { type Origin, startOrigin } from '../support/origin.ts';

const middlewares: Readonly<Record<string, object>> = {
  strip: { stripPrefixRegex: { regex: ['/api/v[0-9]+', ' ^/team/[^/]+ '] } },
  loose: { stripPrefixRegex: { regex: 'b+' } },
  any: { stripPrefixRegex: { regex: '^/x.*y' } },
  replace: { replacePathRegex: { regex: '^/old/([^/]+)/(?P<rest>.*)$', replacement: ' /new/${rest}/$1 ' } },
  bare: { replacePathRegex: { regex: '^/(.*)', replacement: '$1?x y' } },
  broken: { replacePathRegex: { regex: '.*', replacement: '/%zz' } },
  dots: { replacePathRegex: { regex: '^/x(.*)', replacement: '/a/$1' } },
  odd: { replacePathRegex: { regex: '/a', replacement: '/$1x$$' } },
  strict: { encodedCharacters: {} },
  slash: { encodedCharacters: { allowEncodedSlash: true, allowEncodedHash: true } },
  sniff: { contentType: {} },
  gzipsniff: { chain: { middlewares: ['gzip', 'sniff'] } },
  gzip: { compress: {} },
  cert: { passTLSClientCert: { pem: true, info: { notAfter: true, subject: { commonName: true } } } },
  lookahead: { stripPrefixRegex: { regex: ['^/(?=a)'] } },
  norex: { replacePathRegex: { replacement: '/x' } },
};

describe('paths and types on the wire', () => {
  let origin: Origin;
  let gateway: TestGateway;
  before(async () => {
    origin = await startOrigin();
    const routers = Object.fromEntries(
      Object.keys(middlewares).map((name) => [
        name,
        { rule: `Host(\`${name}.test\`)`, service: 'origin', middlewares: [name] },
      ]),
    );
    gateway = await startGateway({
      static: { entryPoints: { web: { forwardedHeaders: { insecure: true } } } },
      dynamic: {
        http: {
          routers,
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

  const get = (name: string, target: string, headers: Record<string, string> = {}): Promise<Answer> =>
    ask(gateway.port('web'), { host: `${name}.test`, target, headers });

  const rewritten: readonly [string, string, string, Readonly<Record<string, string | undefined>>][] = [
    ['strip', '/api/v12/x?q=1', '/x?q=1', { 'x-forwarded-prefix': '/api/v12' }],
    ['strip', '/api/v1', '/', { 'x-forwarded-prefix': '/api/v1' }],
    ['strip', '/team/a%20b/c%2Fd', '/c%2Fd', { 'x-forwarded-prefix': '/team/a b' }],
    ['strip', '/team/%C3%A4/x', '/x', { 'x-forwarded-prefix': '/team/\xc3\xa4' }],
    ['strip', '/x/api/v1/y', '/x/api/v1/y', { 'x-forwarded-prefix': undefined }],
    ['loose', '/abb', '/abb', { 'x-forwarded-prefix': undefined }],
    ['replace', '/old/a%2Fb/c/d?q', '/new/c/d/a%2Fb?q', { 'x-replaced-path': '/old/a%2Fb/c/d' }],
    ['replace', '/other', '/other', { 'x-replaced-path': undefined }],
    ['bare', '/p', '/p%3Fx%20y', { 'x-replaced-path': '/p' }],
    ['odd', '/a/b/a', '/$/b/$', { 'x-replaced-path': '/a/b/a' }],
    ['strict', '/a%20b/c', '/a%20b/c', {}],
    ['slash', '/a%2Fb%23', '/a%2Fb%23', {}],
  ];
  for (const [name, target, expected, headers] of rewritten) {
    test(`${name} sends ${target} as ${expected}`, async () => {
      assert.equal((await get(name, target)).status, 200);
      const [request] = origin.requests;
      assert.equal(request?.target, expected);
      for (const [header, value] of Object.entries(headers)) assert.equal(request?.headers[header], value);
    });
  }

  const refused: readonly [string, string, number, string][] = [
    ['strip', '/api/v1../admin', 400, 'Bad Request\n'],
    ['strip', '/team/a%0D%0AX-Admin:%201/x', 400, 'Bad Request\n'],
    ['dots', '/x..', 400, 'Bad Request\n'],
    ['dots', '/x..%2Fadmin', 400, 'Bad Request\n'],
    ['dots', '/x/', 400, 'Bad Request\n'],
    ['broken', '/', 500, 'invalid URL escape\n'],
    ...['%2F', '%2f', '%5C', '%00', '%3B', '%25', '%3F', '%23'].map(
      (code): [string, string, number, string] => ['strict', `/a${code}b`, 400, ''],
    ),
    ['slash', '/a%3Bb', 400, ''],
    ['lookahead', '/a', 503, 'Service Unavailable'],
    ['norex', '/a', 503, 'Service Unavailable'],
  ];
  for (const [name, target, status, body] of refused) {
    test(`${name} answers ${status} to ${target}`, async () => {
      const answer = await get(name, target);
      assert.equal(answer.status, status);
      if (status !== 503) assert.equal(answer.body, body);
      assert.equal(origin.requests.length, 0);
    });
  }

  const typeOf = (answer: Answer): string | undefined =>
    answer.headers.find((line) => line.startsWith('content-type: '))?.slice('content-type: '.length);

  test('contentType names answers without a type by their first bytes', async () => {
    origin.answerWith((_request, response) => void response.end('  <!doctype html><p>'));
    assert.equal(typeOf(await get('sniff', '/')), 'text/html; charset=utf-8');
    origin.answerWith((_request, response) => void response.end());
    assert.equal(typeOf(await get('sniff', '/')), undefined);
    origin.answerWith(
      (_request, response) => void response.writeHead(200, { 'content-type': 'x/y' }).end('<html>'),
    );
    assert.equal(typeOf(await get('sniff', '/')), 'x/y');
    origin.answerWith(
      (_request, response) => void response.writeHead(200, { 'content-encoding': 'br' }).end('<html>'),
    );
    assert.equal(typeOf(await get('sniff', '/')), undefined);
  });

  test('contentType passes a long stream on whole, and a slow one without waiting for more', async () => {
    const part = 'x'.repeat(100_000);
    origin.answerWith((_request, response) => {
      response.write('plain ');
      setTimeout(() => {
        for (let i = 0; i < 30; i++) response.write(part);
        response.end('end');
      }, 20);
    });
    const answer = await get('sniff', '/');
    assert.equal(typeOf(answer), 'text/plain; charset=utf-8');
    assert.equal(answer.body.length, 6 + 30 * part.length + 3);
    origin.answerWith((_request, response) => {
      response.writeHead(200, { 'content-length': '3000000' });
      response.end(Buffer.alloc(3_000_000, 1));
    });
    const binary = await get('sniff', '/');
    assert.equal(typeOf(binary), 'application/octet-stream');
    assert.equal(binary.body.length, 3_000_000);
  });

  test('contentType sees what was written before it is compressed further out', async () => {
    const page = `<html>${'a'.repeat(5_000)}`;
    origin.answerWith((_request, response) => void response.end(page));
    const { headers } = await get('gzipsniff', '/', { 'accept-encoding': 'gzip' });
    assert.ok(headers.includes('content-type: text/html; charset=utf-8'), headers.join());
    assert.ok(headers.includes('content-encoding: gzip'), headers.join());
  });

  test('a client’s words about certificates do not reach the server, from whomever they come', async () => {
    const answer = await get('cert', '/', {
      'x-forwarded-tls-client-cert': 'forged',
      'x-forwarded-tls-client-cert-info': 'Subject="CN=admin"',
    });
    assert.equal(answer.status, 200);
    assert.equal(origin.requests[0]?.headers['x-forwarded-tls-client-cert'], undefined);
    assert.equal(origin.requests[0]?.headers['x-forwarded-tls-client-cert-info'], undefined);
  });
});
