// The request target: what leaves is what the routers saw, and every other reader finds the same path in it.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { hidesDots, readSearch, readTarget } from '../../src/rules/target.ts';
import { everyCharacter } from '../support/specs.ts';
import { bytes, cpuTime, fuzz, property, soup } from './fuzz.ts';

const pieces = [
  '/',
  '.',
  '..',
  '%2e',
  '%2E',
  '%2f',
  '%5C',
  '\\',
  'a',
  'B',
  '%41',
  '%',
  '%25',
  '%252e',
  ';',
  '?',
  '#',
  '%00',
  '%c0%ae',
  '%C3%A9',
  '%20',
  '%09',
  ':',
  '@',
  '|',
  '"',
  '%7e',
  '~',
  'é',
];
// What follows a question mark is the query, and was taken off before.
const path = fc
  .oneof(
    soup(pieces, 12).map((text) => `/${text}`),
    soup(pieces, 6),
    bytes(20).map((text) => `/${text}`),
  )
  .map((text) => text.split('?')[0] as string);
const none = Object.fromEntries(
  Object.keys(everyCharacter).map((name) => [name, false]),
) as unknown as typeof everyCharacter;

fuzz('paths', [
  property(
    'a target that is taken is taken again as it left, and resolves to itself wherever a URL is parsed',
    fc.tuple(path, fc.boolean()),
    ([raw, allows]) => {
      const rules = { sanitizePath: true, encodedCharacters: allows ? everyCharacter : none };
      const target = readTarget(raw, rules);
      if (target === null) return;
      assert.deepEqual(readTarget(target.path, rules), target, 'taken again');
      assert.match(target.path, /^\/[\x21-\x7e]*$/);
      assert.ok(!/[#?"<>\\^`{|}]/.test(target.path) && !/\/\.{0,2}\//.test(target.path));
      assert.ok(!hidesDots(target.path));
      if (!target.path.startsWith('//')) assert.equal(new URL(target.path, 'http://x').pathname, target.path);
    },
    3_000,
  ),
  property(
    'what routers compare is the path with its escapes decoded, but for reserved characters',
    path,
    (raw) => {
      const target = readTarget(raw, { sanitizePath: false, encodedCharacters: everyCharacter });
      if (target === null) return;
      const decoded = target.path.replace(/(?:%[0-9A-F]{2})+/g, (run) => decodeRun(run));
      assert.equal(target.routePath, decoded);
    },
    2_000,
  ),
  property(
    'an escape that is not allowed is nowhere in what is taken',
    path,
    (raw) => {
      const target = readTarget(raw, { sanitizePath: true, encodedCharacters: none });
      if (target === null) return;
      assert.doesNotMatch(target.path, /%(?:2F|5C|00|3B|25|3F|23)/i);
    },
    1_000,
  ),
  property(
    'a query keeps its bytes, and semicolons mean what everybody takes them for',
    fc.tuple(
      fc.oneof(soup(['a', '=', '&', ';', '%3B', '?', '#', ' ', 'é', '/'], 10), bytes(20)),
      fc.boolean(),
    ),
    ([query, encodes]) => {
      const read = readSearch(query, encodes);
      if (/[^\x21-\x7e]|#/.test(query)) assert.equal(read, null);
      else assert.equal(read, query === '' ? '' : `?${query.split(';').join(encodes ? '%3B' : '&')}`);
    },
  ),
  property(
    'no target of any length takes long',
    fc.constantFrom(...pieces.map((piece) => `/${piece}`), ...pieces, '/.', '/..', '%25', ' '),
    (unit) => {
      const text = `/${unit.repeat(65_536 / unit.length)}`;
      for (const end of ['', '\x00', '%', '.']) {
        const spent = cpuTime(() =>
          readTarget(text + end, { sanitizePath: true, encodedCharacters: everyCharacter }),
        );
        assert.ok(spent < 1_000, `${spent} ms`);
      }
    },
    40,
  ),
]);

function decodeRun(run: string): string {
  const bytesOf = run.split('%').slice(1);
  const kept = bytesOf.map((hex) => {
    const char = String.fromCharCode(Number.parseInt(hex, 16));
    return ":/?#[]@!$&'()*+,;=%".includes(char)
      ? Buffer.from(`%${hex}`)
      : Buffer.from([Number.parseInt(hex, 16)]);
  });
  return Buffer.concat(kept).toString('utf8');
}
