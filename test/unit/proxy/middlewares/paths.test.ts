// addPrefix, stripPrefix and replacePath.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { getHeaderValues } from '../../../../src/proxy/headers.ts';
import { ANSWERED, CONTINUE } from '../../../../src/proxy/hooks.ts';
import { isEscaped } from '../../../../src/proxy/middlewares/path-text.ts';
import { build, exchange } from './workbench.ts';

const added: readonly [prefix: string, path: string, expected: string][] = [
  ['/api', '/x', '/api/x'],
  ['api', '/x', '/api/x'],
  ['/api/', '/x', '/api//x'],
  ['/a b', '/x', '/a%20b/x'],
  ['/ä', '/x', '/%C3%A4/x'],
  ['/a%2Fb', '/x', '/a%252Fb/x'],
  ['/api', '/x%2Fy', '/api/x%2Fy'],
  ['/a\r\nHost: evil', '/', '/a%0D%0AHost:%20evil/'],
  ['/a?b#c', '/x', '/a%3Fb%23c/x'],
];
for (const [prefix, path, expected] of added) {
  test(`addPrefix ${JSON.stringify(prefix)} makes ${path} into ${expected}`, () => {
    const x = exchange({ path });
    assert.equal(build('addPrefix', { prefix }).request(x), CONTINUE);
    assert.equal(x.path, expected);
  });
}

test('addPrefix refuses an empty prefix', () => {
  assert.throws(() => build('addPrefix', { prefix: '' }), /expected a prefix/);
});

const stripped: readonly [prefixes: string[], path: string, expected: string, header: string | null][] = [
  [['/api'], '/api/x', '/x', '/api'],
  [['/api'], '/api', '/', '/api'],
  [['/api'], '/api/', '/', '/api'],
  [['/api/'], '/api/x', '/x', '/api/'],
  [['/api'], '/apix', '/x', '/api'],
  [['/api'], '/other', '/other', null],
  [['/api'], '/ap', '/ap', null],
  [['/v1', '/v'], '/v1/x', '/x', '/v1'],
  [['/v', '/v1'], '/v1/x', '/1/x', '/v'],
  [['/api'], '/api/a%2Fb', '/a%2Fb', '/api'],
  [['/a b'], '/a%20b/c%20d', '/c%20d', '/a b'],
  [['/a/b'], '/a%2Fb/c', '/c', '/a/b'],
  [['/100%'], '/100%25/x', '/x', '/100%'],
  [['/ä'], '/%C3%A4/x', '/x', '/\xc3\xa4'],
  [['/api'], '/api.json', '/.json', '/api'],
  [['/api'], '/api...', '/...', '/api'],
];
for (const [prefixes, path, expected, header] of stripped) {
  test(`stripPrefix ${prefixes.join()} makes ${path} into ${expected}`, () => {
    const x = exchange({ path });
    assert.equal(build('stripPrefix', { prefixes }).request(x), CONTINUE);
    assert.equal(x.path, expected);
    assert.deepEqual(getHeaderValues(x.headers, 'x-forwarded-prefix'), header === null ? [] : [header]);
  });
}

for (const path of [
  '/api../admin',
  '/api./admin',
  '/api//x',
  '/api/../x',
  '/api..',
  '/api/x/./y',
  '/api..%2Fadmin',
  '/api..%5cadmin',
  '/api%2Fx',
  '/api%5cx',
  '/api%2F..%2Fadmin',
  '/api%2F/x',
  '/api..;/admin',
]) {
  test(`stripPrefix answers 400 to ${path}, whose rest is not clean`, () => {
    const x = exchange({ path });
    assert.equal(build('stripPrefix', { prefixes: '/api' }).request(x), ANSWERED);
    assert.equal(x.status, 400);
    assert.equal(x.answerBody, 'Bad Request\n');
    assert.deepEqual(x.responseHeaders, [
      'content-type',
      'text/plain; charset=utf-8',
      'x-content-type-options',
      'nosniff',
    ]);
  });
}

test('stripPrefix appends to X-Forwarded-Prefix', () => {
  const x = exchange({ path: '/b/c', headers: ['x-forwarded-prefix', '/a'] });
  build('stripPrefix', { prefixes: ['/b'] }).request(x);
  assert.deepEqual(getHeaderValues(x.headers, 'x-forwarded-prefix'), ['/a', '/b']);
});

test('replacePath replaces the whole path and tells the old one', () => {
  const x = exchange({ path: '/a%20b', search: '?q' });
  build('replacePath', { path: '/new' }).request(x);
  assert.equal(x.path, '/new');
  assert.equal(x.search, '?q');
  assert.deepEqual(x.headers, ['x-replaced-path', '/a%20b']);
});

for (const [path, expected] of [
  ['', '/'],
  ['new', '/new'],
  ['/a%2Fb', '/a%2Fb'],
  ['/a b', '/a%20b'],
  ['/a?b', '/a%3Fb'],
  ['/ä', '/%C3%A4'],
  ['/a\r\nb', '/a%0D%0Ab'],
] as const) {
  test(`replacePath sends ${JSON.stringify(path)} as ${expected}`, () => {
    const x = exchange({ path: '/old' });
    build('replacePath', { path }).request(x);
    assert.equal(x.path, expected);
  });
}

test('replacePath refuses a broken escape', () => {
  assert.throws(() => build('replacePath', { path: '/a%zz' }), /percent signs/);
});

test('a path stays one word of ASCII whatever prefix is put before it or cut off', () => {
  const escapedPath = fc
    .array(fc.constantFrom('a', '/', '.', '%2F', '%20', '%00', '%0D', '%C3%A4', '%25', ';'), { maxLength: 8 })
    .map((parts) => `/${parts.join('')}`);
  fc.assert(
    fc.property(escapedPath, fc.string({ minLength: 1, unit: 'binary' }), (path, prefix) => {
      const x = exchange({ path });
      build('addPrefix', { prefix }).request(x);
      assert.ok(isEscaped(x.path) && x.path.startsWith('/'), x.path);
    }),
  );
  fc.assert(
    fc.property(
      escapedPath,
      fc.string({ maxLength: 4 }).filter((text) => !/[\x00-\x1f\x7f]/.test(text)),
      (path, rest) => {
        const x = exchange({ path });
        build('stripPrefix', { prefixes: [`/${rest}`] }).request(x);
        assert.ok(isEscaped(x.path) && x.path.startsWith('/'), x.path);
      },
    ),
  );
});
