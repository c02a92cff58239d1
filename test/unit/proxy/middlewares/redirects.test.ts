// redirectScheme and redirectRegex.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExchangeRequest } from '../../../../src/proxy/exchange.ts';
import { getHeader } from '../../../../src/proxy/headers.ts';
import { ANSWERED, CONTINUE } from '../../../../src/proxy/hooks.ts';
import { build, exchange } from './workbench.ts';

type Request = Partial<ExchangeRequest>;

const schemes: readonly [options: object, request: Request, location: string | null][] = [
  [{ scheme: 'https' }, { path: '/a', search: '?b=c' }, 'https://example.org/a?b=c'],
  [{ scheme: 'https' }, { authority: 'example.org:80' }, 'https://example.org/'],
  [{ scheme: 'https' }, { authority: 'example.org:8080' }, 'https://example.org/'],
  [{ scheme: 'https', port: '443' }, {}, 'https://example.org/'],
  [{ scheme: 'https', port: '8443' }, {}, 'https://example.org:8443/'],
  [{ scheme: 'https', port: 8443 }, { authority: '[2001:db8::1]:80' }, 'https://[2001:db8::1]:8443/'],
  [{ scheme: 'https' }, { authority: '[2001:db8::1]' }, 'https://[2001:db8::1]/'],
  [{ scheme: 'http', port: '80' }, { scheme: 'https' }, 'http://example.org/'],
  [{ scheme: 'https' }, { scheme: 'https' }, null],
  [{ scheme: 'https' }, { scheme: 'https', authority: 'example.org:443' }, null],
  [{ scheme: 'https' }, { scheme: 'https', authority: 'example.org:8443' }, 'https://example.org/'],
  [{ scheme: 'https', port: '8443' }, { scheme: 'https', authority: 'example.org:8443' }, null],
  [{ scheme: 'https' }, { headers: ['x-forwarded-proto', 'https'] }, null],
  [{ scheme: 'https' }, { headers: ['x-forwarded-proto', 'HTTPS'] }, null],
  [{ scheme: 'https' }, { headers: ['x-forwarded-proto', 'wss'] }, null],
  [{ scheme: 'https' }, { headers: ['x-forwarded-proto', 'ws'] }, 'https://example.org/'],
  [{ scheme: 'https' }, { scheme: 'https', headers: ['x-forwarded-proto', 'http'] }, 'https://example.org/'],
  [{ scheme: 'https' }, { path: '//evil.example' }, 'https://example.org//evil.example'],
  [{ scheme: 'https' }, { path: '/\\evil.example' }, 'https://example.org/%5Cevil.example'],
];
for (const [options, request, location] of schemes) {
  test(`redirectScheme ${JSON.stringify(options)} sends ${JSON.stringify(request)} to ${location}`, () => {
    const x = exchange(request);
    const verdict = build('redirectScheme', options).request(x);
    assert.equal(verdict, location === null ? CONTINUE : ANSWERED);
    assert.equal(getHeader(x.responseHeaders, 'location'), location);
  });
}

for (const [method, permanent, status, body] of [
  ['GET', false, 302, 'Found'],
  ['HEAD', false, 307, 'Temporary Redirect'],
  ['POST', false, 307, 'Temporary Redirect'],
  ['GET', true, 301, 'Moved Permanently'],
  ['HEAD', true, 308, 'Permanent Redirect'],
  ['PUT', true, 308, 'Permanent Redirect'],
] as const) {
  test(`a ${permanent ? 'permanent ' : ''}redirect of ${method} is ${status}`, () => {
    const x = exchange({ method });
    build('redirectScheme', { scheme: 'https', permanent }).request(x);
    assert.equal(x.status, status);
    assert.equal(x.answerBody, body);
    assert.equal(getHeader(x.responseHeaders, 'content-type'), null);
  });
}

for (const authority of ['', 'evil.example@example.org', 'a b', 'example.org/x']) {
  test(`redirectScheme answers 400 to the authority ${JSON.stringify(authority)}`, () => {
    const x = exchange({ authority });
    build('redirectScheme', { scheme: 'https' }).request(x);
    assert.equal(x.status, 400);
  });
}

test('redirectScheme refuses options that make no URL', () => {
  assert.throws(() => build('redirectScheme', {}), /expected text/);
  assert.throws(() => build('redirectScheme', { scheme: '' }), /expected a scheme/);
  assert.throws(() => build('redirectScheme', { scheme: 'https', port: '443/evil' }), /expected a port/);
});

const regexes: readonly [regex: string, replacement: string, request: Request, location: string | null][] = [
  [
    '^http://example.org/(.*)',
    'https://new.example/$1',
    { path: '/a', search: '?b' },
    'https://new.example/a?b',
  ],
  ['^https?://(.*)', 'https://www.${1}', {}, 'https://www.example.org/'],
  ['^https://(.*)', 'https://www.${1}', {}, null],
  ['^(.*)$', '$1', {}, null],
  ['example', 'other', {}, 'http://other.org/'],
  ['^http://[^/]+(/.*)$', '$1', { path: '/a' }, '/a'],
  ['^(http://[^/]+/a)$', '${1}/', { path: '/a' }, 'http://example.org/a/'],
  [
    '^http://[^/]+(.*)$',
    'https://x.example$1',
    { path: '/\\evil.example' },
    'https://x.example/%5Cevil.example',
  ],
  ['^http://[^/]+/(.*)$', '//cdn.example/$1', { path: '/a' }, '//cdn.example/a'],
];
for (const [regex, replacement, request, location] of regexes) {
  test(`redirectRegex ${regex} to ${replacement} sends ${JSON.stringify(request)} to ${location}`, () => {
    const x = exchange(request);
    const verdict = build('redirectRegex', { regex, replacement }).request(x);
    assert.equal(verdict, location === null ? CONTINUE : ANSWERED);
    assert.equal(getHeader(x.responseHeaders, 'location'), location);
  });
}

for (const path of ['//evil.example', '/\\evil.example']) {
  test(`redirectRegex does not let ${path} choose another site through a relative target`, () => {
    const x = exchange({ path });
    build('redirectRegex', { regex: '^http://[^/]+/(.*)$', replacement: '/$1' }).request(x);
    assert.equal(x.status, 400);
    assert.equal(getHeader(x.responseHeaders, 'location'), null);
  });
}

test('redirectRegex answers 502 when the target is no URL', () => {
  for (const replacement of ['http://h:port/', 'http://h/%zz', ':x']) {
    const x = exchange();
    build('redirectRegex', { regex: '^.*$', replacement }).request(x);
    assert.equal(x.status, 502, replacement);
  }
});

test('redirectRegex refuses a pattern that Go would refuse', () => {
  assert.throws(() => build('redirectRegex', { regex: '(?=a)', replacement: '' }));
});
