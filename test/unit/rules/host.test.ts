// Host headers: what rules compare, and what is refused.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { authorityPort, canonicalHost } from '../../../src/rules/host.ts';

test('a Host is compared in lower case, without port, brackets and final dot', () => {
  for (const [authority, host, port] of [
    ['App.Test', 'app.test', ''],
    ['app.test:8080', 'app.test', '8080'],
    ['app.test.', 'app.test', ''],
    ['app.test.:80', 'app.test', '80'],
    ['app.test:', 'app.test', ''],
    ['127.0.0.1:1', '127.0.0.1', '1'],
    ['[::1]', '::1', ''],
    ['[2001:DB8::1]:443', '2001:db8::1', '443'],
    ['a_b-c~.test', 'a_b-c~.test', ''],
  ] as const) {
    assert.equal(canonicalHost(authority), host, authority);
    assert.equal(authorityPort(authority), port, authority);
  }
});

test('a Host that means different things to different readers is refused', () => {
  for (const authority of [
    '',
    '.',
    ':80',
    'a,b',
    'u@h',
    'u:p@h',
    'h/p',
    'h\\p',
    'h?q',
    'h#f',
    'a b',
    'a\tb',
    'a:b',
    'a:1:2',
    'a:123456',
    '::1',
    '[::1',
    '[]',
    '[::1]x',
    '[g::1]',
    '%61',
    "a'",
    'a"',
    'é',
    'a\x00',
    'a\r\nb',
    'a\n',
  ]) {
    assert.equal(canonicalHost(authority), null, JSON.stringify(authority));
  }
});

test('whatever is accepted holds nothing but the characters of a name or an address', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom(...Array.from('aB1.-_~[]:@,/\\?#% \r\n\0é')), maxLength: 12 }),
      (authority) => {
        const host = canonicalHost(authority);
        if (host !== null) assert.match(host, /^[a-z0-9\-._~:]+$/);
      },
    ),
    { numRuns: 5_000 },
  );
});
