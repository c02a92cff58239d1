// stripPrefixRegex, replacePathRegex and encodedCharacters: what the wire cannot show.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ANSWERED, CONTINUE } from '../../../../src/proxy/hooks.ts';
import { isClean, isEscaped } from '../../../../src/proxy/middlewares/path-text.ts';
import { hidesDots } from '../../../../src/rules/target.ts';
import { build, exchange } from './workbench.ts';

test('a rewritten path stays one clean word of ASCII, whatever the client sent', () => {
  const path = fc
    .array(fc.constantFrom('a', '/', '.', '%2F', '%20', '%00', '%0D', '%C3%A4', '%ff', '%25', ';'), {
      maxLength: 8,
    })
    .map((parts) => `/${parts.join('')}`);
  const strip = build('stripPrefixRegex', { regex: ['^/a+', '^/[^/]*', '^/.'] });
  const replace = build('replacePathRegex', { regex: '^/(.*?)/(.*)$', replacement: '$2/ä/$1' });
  fc.assert(
    fc.property(path, fc.constantFrom(strip, replace), (from, middleware) => {
      const x = exchange({ path: from });
      const verdict = middleware.request(x);
      if (x.path === from || verdict === ANSWERED) return;
      assert.ok(isEscaped(x.path) && isClean(x.path) && x.path.startsWith('/'), x.path);
      for (const text of x.headers) assert.ok(!/[\r\n\0]/.test(text));
    }),
  );
});

test('a replacement that multiplies what the client sent has an end', () => {
  const x = exchange({ path: `/${'a'.repeat(30_000)}` });
  const middleware = build('replacePathRegex', { regex: '^(.*)$', replacement: '$1$1$1' });
  assert.equal(middleware.request(x), ANSWERED);
  assert.equal(x.status, 500);
});

for (const [path, hides] of [
  ['/a/..', true],
  ['/a/..;x', true],
  ['/a%2f..%5cb', true],
  ['/a/.%00', true],
  ['/a..b/.well-known/...', false],
] as const) {
  test(`${path} ${hides ? 'hides dots' : 'is what it seems'}`, () => assert.equal(hidesDots(path), hides));
}

test('encodedCharacters with everything allowed refuses nothing', () => {
  const all = Object.fromEntries(
    ['Slash', 'BackSlash', 'NullCharacter', 'Semicolon', 'Percent', 'QuestionMark', 'Hash'].map((name) => [
      `allowEncoded${name}`,
      'true',
    ]),
  );
  const x = exchange({ path: '/%2F%5C%00%3B%25%3F%23' });
  assert.equal(build('encodedCharacters', all).request(x), CONTINUE);
});

test('expressions that are none are refused', () => {
  assert.throws(() => build('stripPrefixRegex', { regex: ['('] }), /missing/);
  assert.throws(() => build('stripPrefixRegex', {}), /expected a list/);
  assert.throws(() => build('replacePathRegex', { regex: '(?=a)' }));
});
