// Go's regular expressions: what is accepted, how fast it fails, and that both engines agree.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RE2JS } from 're2js';
import { compileRegexp, maxPatternLength, type Regexp } from '../../../src/rules/regexp.ts';
import { translateRegexp } from '../../../src/rules/regexp-translate.ts';

function compiled(pattern: string): Regexp {
  const result = compileRegexp(pattern);
  assert.ok(result.ok, `${pattern} is accepted`);
  return result.regexp;
}

test('what RE2 refuses is refused with a reason', () => {
  for (const pattern of [
    'a(?=b)',
    '(?<=a)b',
    '(a)\\1',
    'a{1001}',
    '[z-a]',
    '(',
    'a**',
    '\\Z',
    '(?#c)',
    '\\p{Foo}',
  ]) {
    const result = compileRegexp(pattern);
    assert.equal(result.ok, false, pattern);
    assert.ok(!result.ok && result.message !== '');
  }
});

test('look-around, back-references and possessive quantifiers come with a way out', () => {
  for (const pattern of ['^(?!api)', '(a)\\1', 'a*+', 'end\\Z']) {
    const result = compileRegexp(pattern);
    assert.ok(!result.ok && result.hint !== undefined, pattern);
  }
});

test('a pattern beyond the bound is refused', () => {
  assert.equal(compileRegexp('a'.repeat(maxPatternLength + 1)).ok, false);
});

test('a match is not anchored unless written so', () => {
  assert.equal(compiled('b+').test('abbc'), true);
  assert.equal(compiled('^b').test('abbc'), false);
  assert.deepEqual(compiled('b+').find('abbc'), [1, 3]);
  assert.equal(compiled('x').find('abbc'), null);
});

test('the dialect is Go’s where JavaScript differs', () => {
  const rows: readonly (readonly [string, string, boolean])[] = [
    ['^a.c$', 'a\nc', false],
    ['^a.c$', 'a\rc', true],
    ['(?s)^a.c$', 'a\nc', true],
    ['a$', 'a\n', false],
    ['(?m)a$', 'a\nb', true],
    ['\\s', '\u00a0', false],
    ['\\s', '\v', false],
    ['[[:space:]]', '\v', true],
    ['\\Aab\\z', 'ab', true],
    ['(?i)^HOST$', 'host', true],
    ['(?i)k', '\u212a', true],
    ['^(?i:a)b$', 'Ab', true],
    ['^(?i:a)b$', 'AB', false],
    ['^[[:alpha:]]+$', 'abC', true],
    ['^\\pL+$', 'äb', true],
    ['^.$', '😀', true],
    ['^{host:.+}$', '{host:x}', true],
    ['^a{,2}$', 'a{,2}', true],
    ['^[]a]+$', 'a]', true],
    ['^[a\\-z]+$', 'm', false],
    ['^\\x41\\x{42}\\103$', 'ABC', true],
    ['^\\Q.*\\E$', '.*', true],
    ['^[^/]+$', 'a\nb', true],
  ];
  for (const [pattern, text, expected] of rows) {
    assert.equal(compiled(pattern).test(text), expected, `${pattern} on ${JSON.stringify(text)}`);
  }
});

test('replacement templates are read as Go reads them', () => {
  const rows: readonly (readonly [string, string, string, string])[] = [
    ['^/api/(.*)', '/api/x/y', '/$1', '/x/y'],
    ['^/(a)/(b)$', '/a/b', '${2}x$1', 'bxa'],
    ['^/(a)$', '/a', '$1x', ''],
    ['^/(a)$', '/a', '${1}x', 'ax'],
    ['(?P<first>\\w+)@(?P<last>\\w+)', 'a@b', '$last.${first}', 'b.a'],
    ['a', 'aba', '$$', '$b$'],
    ['a', 'a', 'x$', 'x$'],
    ['a', 'a', '${1', '${1'],
    ['a', 'a', '[$9]', '[]'],
    ['(a)|(b)', 'ab', '<$1$2>', '<a><b>'],
    ['a*', 'baaac', '-', '-b-c-'],
    ['', 'ab', '-', '-a-b-'],
    ['x*', '😀', '-', '-😀-'],
    ['a', 'a', '$0$0', 'aa'],
  ];
  for (const [pattern, text, template, expected] of rows) {
    assert.equal(compiled(pattern).replaceAll(text, template), expected, `${pattern} → ${template}`);
  }
});

test('patterns made to explode stay fast on hostile text', () => {
  const hostile = [`${'a'.repeat(30_000)}!`, `/${'a/'.repeat(15_000)}!`];
  const patterns = [
    '^(a+)+$',
    '(a|a)*$',
    '^(\\w+\\s?)*$',
    '(.*)(.*)(.*)(.*)x$',
    'a*a*a*b',
    '(a?){20}a{20}b',
    '([^/]+/)+x',
  ];
  for (const pattern of patterns) {
    const regexp = compiled(pattern);
    const started = performance.now();
    for (const text of hostile) regexp.test(text);
    assert.ok(performance.now() - started < 2_000, `${pattern} took ${performance.now() - started} ms`);
  }
});

test('everyday patterns run on V8 and those with nested repeats do not', () => {
  for (const pattern of ['^[a-z]+\\.example\\.com$', '^/api/v[0-9]+/.*$', '(?i)^www\\.', '^https?://(.*)$']) {
    assert.notEqual(translateRegexp(pattern), null, pattern);
  }
  for (const pattern of [
    '^(a+)+$',
    '(?:a|b)*',
    '(?U)a+',
    '(?m)^a',
    '\\pL',
    '(?i)ä',
    '(a?b?c?d?e?f?g?h?i?j?k?l?m?)x*y*z*',
  ]) {
    assert.equal(translateRegexp(pattern), null, pattern);
  }
});

const atom = fc.constantFrom(
  'a',
  'b',
  'k',
  '.',
  '\\.',
  '[ab]',
  '[^a]',
  '[a-c-]',
  '\\d',
  '\\w',
  '\\s',
  '\\S',
  '\\W',
  '\\b',
  '^',
  '$',
  '[[:alpha:]_]',
  '[\\s\\d]',
  '[^\\w]',
  '\\n',
  '{',
  '}',
  ']',
  '/',
  '-',
  '\\-',
  '(?i)',
  'ä',
  '😀',
  '\\x61',
  '|',
  '\\A',
  '\\z',
  '_',
);
const quantifier = fc.constantFrom(
  '',
  '',
  '',
  '',
  '*',
  '+',
  '?',
  '*?',
  '+?',
  '??',
  '{2}',
  '{1,2}',
  '{0,1}',
  '{2,}',
);
const flag = fc.constantFrom('', '', '(?i)', '(?s)', '(?is)');
const piece = fc.tuple(atom, quantifier).map((parts) => parts.join(''));
const sequence = fc.array(piece, { maxLength: 5 }).map((pieces) => pieces.join(''));
const group = fc
  .tuple(fc.constantFrom('(', '(?:', '(?P<n>'), sequence, sequence, fc.boolean(), quantifier)
  .map(([open, left, right, choice, count]) => `${open}${left}${choice ? `|${right}` : ''})${count}`);
const pattern = fc
  .tuple(flag, sequence, fc.oneof(fc.constant(''), group), sequence)
  .map((parts) => parts.join(''));
const text = fc.string({
  unit: fc.constantFrom(
    'a',
    'b',
    'c',
    'k',
    'K',
    'A',
    '1',
    '_',
    ' ',
    '\n',
    '\r',
    '.',
    '/',
    '{',
    'ä',
    '😀',
    '\u017f',
    '-',
  ),
  maxLength: 10,
});

test('V8 and RE2 find the same match with the same groups', () => {
  let translatedCount = 0;
  fc.assert(
    fc.property(pattern, text, (source, input) => {
      const translated = translateRegexpIfValid(source);
      if (translated === null) return;
      translatedCount += 1;
      const matcher = RE2JS.compile(source).matcher(input);
      translated.lastIndex = 0;
      const actual = translated.exec(input);
      const expected = matcher.find()
        ? [...Array(matcher.groupCount() + 1).keys()].map((i) => matcher.group(i))
        : null;
      assert.deepEqual(actual === null ? null : [...actual].map((g) => g ?? null), expected);
      if (actual !== null) assert.equal(actual.index, matcher.start());
    }),
    { numRuns: 5_000 },
  );
  assert.ok(translatedCount > 500, `only ${translatedCount} patterns were translated`);
});

function translateRegexpIfValid(source: string): RegExp | null {
  try {
    RE2JS.compile(source);
  } catch {
    return null;
  }
  return translateRegexp(source)?.regexp ?? null;
}
