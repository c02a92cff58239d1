// Compose's variables: `$NAME`, defaults, required ones, `$$`, and what `.env` gives.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseDotenv } from '../../../../../src/config/sources/compose/dotenv.ts';
import { interpolate } from '../../../../../src/config/sources/compose/interpolate.ts';
import { shellWords } from '../../../../../src/config/sources/compose/shell-words.ts';

const set: Readonly<Record<string, string>> = { A: 'a', EMPTY: '', B_2: 'b' };
const read = (text: string) =>
  interpolate(text, (name) => (Object.hasOwn(set, name) ? set[name] : undefined));

test('variables, defaults and replacements give what compose gives', () => {
  for (const [written, expected] of [
    ['$A-$B_2', 'a-b'],
    ['${A}', 'a'],
    ['${NO:-x}', 'x'],
    ['${NO-x}', 'x'],
    ['${EMPTY:-x}', 'x'],
    ['${EMPTY-x}', ''],
    ['${A:+x}', 'x'],
    ['${EMPTY:+x}', ''],
    ['${EMPTY+x}', 'x'],
    ['${NO:+x}', ''],
    ['${NO:-${A}.${NO:-y}}', 'a.y'],
    ['${A:?gone}', 'a'],
    ['$$A $$$$', '$A $$'],
    ['^a$', '^a$'],
    ['a$`b', 'a$`b'],
    ['$1', '$1'],
  ]) {
    const { text, problems } = read(written as string);
    assert.deepEqual([text, problems], [expected, []], written);
  }
});

test('what is not set is told, what is required or unreadable is an error', () => {
  const codes = (text: string) => read(text).problems.map(({ code, isFatal }) => [code, isFatal]);
  assert.deepEqual(codes('$NO'), [['config.unset_variable', false]]);
  assert.deepEqual(codes('${NO:?say where}'), [['config.required_variable', true]]);
  assert.match(read('${EMPTY:?say where}').problems[0]?.message ?? '', /required and not set: say where/);
  assert.deepEqual(codes('${NO?}'), [['config.required_variable', true]]);
  for (const text of ['${', '${A', '${A:-${B}', '${1}', '${A b}', '${}']) {
    assert.deepEqual(codes(text), [['config.interpolation', true]], text);
  }
});

test('any text ends, and bounds hold', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('$', '{', '}', ':-', 'A', '?', '+', ' ', 'NO')), (parts) => {
      assert.equal(typeof read(parts.join('')).text, 'string');
    }),
  );
  assert.ok(
    read('${NO:-'.repeat(100) + '}'.repeat(100)).problems.some(({ message }) => /too deeply/.test(message)),
  );
  const big = 'x'.repeat(500_000);
  assert.ok(interpolate('$A'.repeat(100), () => big).text.length < 2_000_000);
});

test('.env is read with its quotes, comments and earlier lines; the environment wins', () => {
  const text = `# comment\nA=1\nexport B = two words # not this\nC='$A #'\nD="x\\n$A"\nE=\${A}\${F:-f}\nG=\n H: yaml\nnot a line\nI=a#b\n`;
  assert.deepEqual(
    { ...parseDotenv(text, { A: 'outside' }) },
    {
      A: '1',
      B: 'two words',
      C: '$A #',
      D: 'x\noutside',
      E: 'outsidef',
      G: '',
      H: 'yaml',
      I: 'a#b',
    },
  );
});

test('a command splits at blanks that are not quoted', () => {
  assert.deepEqual(shellWords(`a "b c" 'd"e' f\\ g "h\\"i" "" --x="y z"`), [
    'a',
    'b c',
    'd"e',
    'f g',
    'h"i',
    '',
    '--x=y z',
  ]);
});
