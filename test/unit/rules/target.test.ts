// Targets: what is forwarded, what rules compare, what is refused; and that once is enough.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { everyCharacter } from '../../support/specs.ts';
import { readSearch, readTarget, type TargetRules } from '../../../src/rules/target.ts';

const usual: TargetRules = { sanitizePath: true, encodedCharacters: everyCharacter };
const raw: TargetRules = { sanitizePath: false, encodedCharacters: everyCharacter };

test('targets are forwarded and compared as this table says', () => {
  const rows: readonly (readonly [string, string | null, string?])[] = [
    ['/', '/'],
    ['/a/b', '/a/b'],
    ['/a/b/', '/a/b/'],
    ['//', '/'],
    ['//a', '/a'],
    ['/a//b///c/', '/a/b/c/'],
    ['/./a/.', '/a'],
    ['/a/..', '/'],
    ['/a/../', '/'],
    ['/../../a', '/a'],
    ['/a/.../b', '/a/.../b'],
    ['/..a/b..', '/..a/b..'],
    ['/%2e%2E/a', '/a'],
    ['/a/%2e', '/a'],
    ['/%61%7E', '/a~'],
    ['/a%20b', '/a%20b', '/a b'],
    ['/%c3%a9', '/%C3%A9', '/é'],
    ['/a%2fb', '/a%2Fb', '/a%2Fb'],
    ['/a%3bb', '/a%3Bb', '/a%3Bb'],
    ['/a%25b', '/a%25b', '/a%25b'],
    ['/%252e%252e/a', null],
    ['/a/.%25252E', null],
    ['/a%252f..', null],
    ['/a/..%253bx/b', null],
    ['/a/..%3Fb', null],
    ['/a/..%2523', null],
    ['/a/.%09./b', null],
    ['/a/%c0%ae%c0%ae/b', null],
    ['/a%c1%9c..', null],
    ['/a/%e0%80%ae.%f0%80%80%af', null],
    ['/a/..%20', null],
    ['/a/.%20%1f/b', null],
    ['/a/..%20b', '/a/..%20b', '/a/.. b'],
    ['/a%252eb', '/a%252eb'],
    ['/a%252fb', '/a%252fb'],
    ['/a/b.%09c', '/a/b.%09c', '/a/b.\tc'],
    ['/a%22', '/a%22', '/a"'],
    ['/a"b', '/a%22b', '/a"b'],
    ['/a\\b', '/a%5Cb', '/a\\b'],
    ["/!$&'()*+,;=:@", "/!$&'()*+,;=:@"],
    ['/[x]', '/[x]'],
    ['/a;b=1/c', '/a;b=1/c'],
    ['/a/..;/b', null],
    ['/a/.;b', null],
    ['/a/..%2fb', null],
    ['/a%2F..', null],
    ['/a%5c../b', null],
    ['/a\\..\\b', null],
    ['/a/..%00', null],
    ['', null],
    ['a', null],
    ['*', null],
    ['/a#b', null],
    ['/a b', null],
    ['/a\x80', null],
    ['/a\x7f', null],
    ['/a\x00', null],
    ['/%', null],
    ['/%4', null],
    ['/%4x', null],
    ['/%%41', null],
    ['/%u0041', null],
  ];
  for (const [sent, path, routePath = path] of rows) {
    const expected = path === null ? null : { path, routePath };
    assert.deepEqual(readTarget(sent, usual), expected, JSON.stringify(sent));
  }
});

test('without sanitizePath segments stay, escapes are still normalised', () => {
  for (const [sent, path] of [
    ['//a', '//a'],
    ['/a/../b', '/a/../b'],
    ['/a/%2e%2e/%62', '/a/../b'],
    ['/a/..;/b', '/a/..;/b'],
    ['/%', null],
  ] as const) {
    assert.equal(readTarget(sent, raw)?.path ?? null, path, sent);
  }
});

test('each character can be refused in its escaped form, in any case, alone', () => {
  const escapes = {
    slash: '%2F',
    backSlash: '%5C',
    nullCharacter: '%00',
    semicolon: '%3B',
    percent: '%25',
    questionMark: '%3F',
    hash: '%23',
  };
  for (const refused of Object.keys(escapes) as (keyof typeof escapes)[]) {
    const rules = { sanitizePath: true, encodedCharacters: { ...everyCharacter, [refused]: false } };
    for (const [name, escape] of Object.entries(escapes)) {
      for (const spelled of [escape, escape.toLowerCase()]) {
        assert.equal(
          readTarget(`/a${spelled}b`, rules) === null,
          name === refused,
          `${spelled} without ${refused}`,
        );
      }
    }
  }
});

const pieces = [
  '/',
  '//',
  '.',
  '..',
  '%2e',
  '%2F',
  '%5c',
  '\\',
  ';',
  '%3b',
  '%00',
  '%25',
  '%c3%a9',
  '%E9',
  'a',
  'b~',
  ' ',
  '"',
  '{',
  '#',
  '?',
  '%',
  '%4',
  '[',
  "'",
  '\xe9',
  '%41',
];
const path = fc.array(fc.constantFrom(...pieces), { maxLength: 24 }).map((parts) => `/${parts.join('')}`);

test('a forwarded path read once more is the same path on the same route', () => {
  for (const rules of [usual, raw]) {
    fc.assert(
      fc.property(path, (sent) => {
        const first = readTarget(sent, rules);
        if (first !== null) assert.deepEqual(readTarget(first.path, rules), first);
      }),
      { numRuns: 5_000 },
    );
  }
});

test('a forwarded path has no dot or empty segment, and no byte that may not stand in one', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        path,
        fc.string().map((text) => `/${text}`),
      ),
      (sent) => {
        // Engines split at the first question mark.
        const target = readTarget(sent.replaceAll('?', ''), usual);
        if (target === null) return;
        assert.match(target.path, /^\/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/[\]]|%[0-9A-F]{2})*$/);
        assert.doesNotMatch(target.path, /\/\/|\/\.\.?(?:\/|$)/);
      },
    ),
    { numRuns: 5_000 },
  );
});

test('queries pass as they are, but for semicolons and bytes that may not stand in one', () => {
  for (const [query, separated, encoded] of [
    ['', '', ''],
    ['a=1&b=%zz', '?a=1&b=%zz', '?a=1&b=%zz'],
    ['a;b;;', '?a&b&&', '?a%3Bb%3B%3B'],
    ['a=?/../%2e', '?a=?/../%2e', '?a=?/../%2e'],
    ['a#b', null, null],
    ['a b', null, null],
    ['\xe9', null, null],
    ['\n', null, null],
  ] as const) {
    assert.equal(readSearch(query, false), separated, query);
    assert.equal(readSearch(query, true), encoded, query);
  }
});
