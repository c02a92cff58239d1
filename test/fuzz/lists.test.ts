// Lists in header fields: encodings with qualities, forwarded addresses, cookies.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { buildClientIp } from '../../src/proxy/client-ip.ts';
import type { Exchange } from '../../src/proxy/exchange.ts';
import type { Encoding } from '../../src/proxy/middlewares/compress/codecs.ts';
import { choose } from '../../src/proxy/middlewares/compress/negotiate.ts';
import { cookieValue, StickyCookie } from '../../src/proxy/services/sticky-cookie.ts';
import { parseIpSet } from '../../src/util/ip.ts';
import { bytes, cpuTime, fuzz, property, soup } from './fuzz.ts';

const encodings: readonly Encoding[] = ['gzip', 'br', 'zstd'];
const offers = fc.subarray([...encodings], { minLength: 1 });

const weight = fc.constantFrom(
  '',
  ';q=0',
  ';q=1',
  ';q=0.5',
  ' ; q=0.501',
  ';Q=0.999',
  ';q=1.000',
  ';q=0.0',
  ';q=0.',
);
const members = fc.uniqueArray(
  fc.tuple(fc.constantFrom('gzip', 'br', 'zstd', 'identity', '*', 'deflate', 'GZIP', 'x-gzip'), weight),
  { selector: ([name]) => name.toLowerCase(), maxLength: 6 },
);

const forwardedPieces = [
  '10.0.0.1',
  '192.0.2.7',
  '2001:db8::1',
  '::1',
  ',',
  ', ',
  ' ,',
  ' ',
  '\t',
  'unknown',
  '"',
  '[::1]',
  ':80',
];
const forwardedLines = fc.array(soup(forwardedPieces, 8), { maxLength: 3 });
const cookiePieces = ['lb', '=', ';', '; ', ' ', 'a', 'lb=', 'LB', '"', '\t', ',', 'xlb', '\x80'];

fuzz('lists', [
  property(
    'the encoding is the one that RFC 9110 prefers',
    fc.tuple(members, offers, fc.constantFrom('', ' ', '\t')),
    ([list, offered, blank]) => {
      const text = list.map(([name, quality]) => blank + name + quality + blank).join(',');
      assert.equal(choose(text, offered, null), preferred(list, offered), text);
    },
    2_000,
  ),
  property(
    'no Accept-Encoding leads to an encoding that is not offered or was refused by name',
    fc.tuple(
      fc.oneof(
        bytes(60),
        soup(['gzip', 'br', ';', 'q=', '0', '1', '.', ',', '*', ' ', 'e9', '-', 'Infinity', 'NaN'], 14),
      ),
      offers,
    ),
    ([text, offered]) => {
      const chosen = choose(text, offered, 'gzip');
      assert.ok(chosen === null || offered.includes(chosen));
      if (chosen === null) return;
      const own = text
        .toLowerCase()
        .split(',')
        .filter((member) => (member.split(';')[0] as string).trim() === chosen);
      const last = own.at(-1);
      assert.ok(last === undefined || !/;\s*q=0(?:\.0*)?\s*$/.test(last), text);
      assert.ok(last !== undefined || text.includes('*'), text);
    },
    1_000,
  ),
  property(
    'the client is the n-th address from the right, whatever lines the list is spread over',
    fc.tuple(forwardedLines, fc.integer({ min: 1, max: 5 })),
    ([lines, depth]) => {
      const find = buildClientIp({ depth, excludedIPs: [] });
      const all = lines
        .join(', ')
        .split(',')
        .map((one) => one.trim());
      const wanted = lines.length === 0 || all.length < depth ? '' : (all[all.length - depth] as string);
      assert.equal(find(exchangeOf(lines)), wanted);
    },
    1_000,
  ),
  property(
    'the client is the first address from the right that is not one of our own',
    fc.tuple(
      forwardedLines,
      fc.subarray(['10.0.0.0/8', '192.0.2.7', '2001:db8::/32', '::1'], { minLength: 1 }),
    ),
    ([lines, excluded]) => {
      const find = buildClientIp({ depth: 0, excludedIPs: excluded });
      const ours = parseIpSet(excluded);
      const all = lines
        .join(', ')
        .split(',')
        .map((one) => one.trim());
      const wanted = all.reverse().find((one) => one !== '' && !ours.has(one)) ?? '';
      assert.equal(find(exchangeOf(lines)), wanted);
    },
    1_000,
  ),
  property(
    'a long list is read in time that grows with its length alone',
    fc.constantFrom(',', ', ', '10.0.0.1,', ';', '; ', 'lb;', ' ', 'gzip;q=', '*,', '=;'),
    (unit) => {
      const text = unit.repeat(65_536 / unit.length);
      const spent = cpuTime(() => {
        choose(text, encodings, null);
        cookieValue(text, 'lb');
        buildClientIp({ depth: 5, excludedIPs: [] })(exchangeOf([text]));
        buildClientIp({ depth: 0, excludedIPs: ['10.0.0.0/8'] })(exchangeOf([text]));
      });
      assert.ok(spent < 1_000, `${spent} ms`);
    },
    10,
  ),
  property(
    'a cookie is the first pair of that very name',
    fc.tuple(fc.oneof(soup(cookiePieces, 14), bytes(40)), fc.constantFrom('lb', 'a', '_sticky')),
    ([cookies, name]) => {
      const pair = cookies
        .split(';')
        .map((one) => one.replace(/^ +/, ''))
        .find((one) => one.startsWith(`${name}=`));
      assert.equal(
        cookieValue(cookies, name),
        pair === undefined ? null : pair.slice(name.length + 1).trim(),
      );
    },
    1_000,
  ),
  property(
    'a sticky cookie leads to a server only by a value that was given out for it',
    fc.tuple(
      fc.array(fc.oneof(soup([...cookiePieces, '0123456789abcdef'], 10), bytes(20)), { maxLength: 3 }),
      fc.nat(2),
      fc.boolean(),
    ),
    ([lines, index, isGiven]) => {
      const choices = ['http://10.0.0.1', 'http://10.0.0.2', 'http://10.0.0.3'].map((key) => ({
        key,
        keeps: true,
        isUp: true,
      }));
      const spec = {
        name: 'lb',
        path: '/',
        secure: false,
        httpOnly: false,
        sameSite: null,
        maxAge: 0,
        domain: null,
      };
      const sticky = new StickyCookie(spec as never, choices as never[]);
      const choice = choices[index] as (typeof choices)[number];
      const given = (sticky.setCookieFor(choice as never).split(';')[0] as string).trim();
      const headers = lines.flatMap((line) => ['cookie', line]);
      const found = sticky.serverOf(isGiven ? ['cookie', `x=1; ${given}`, ...headers] : headers);
      assert.equal(found, isGiven ? choice : null);
    },
    500,
  ),
]);

function preferred(
  list: readonly (readonly [string, string])[],
  offered: readonly Encoding[],
): Encoding | null {
  const weights = new Map(
    list.map(([name, quality]) => [name.toLowerCase(), Number(/q=([\d.]+)/i.exec(quality)?.[1] ?? '1')]),
  );
  const of = (name: string): number =>
    weights.get(name) ?? (name === 'identity' ? 0 : (weights.get('*') ?? 0));
  const best = [...offered].sort((a, b) => of(b) - of(a))[0] as Encoding;
  return of(best) > 0 && of('identity') <= of(best) ? best : null;
}

function exchangeOf(lines: readonly string[]): Exchange {
  const headers = lines.flatMap((line) => ['x-forwarded-for', line]);
  return { peer: '203.0.113.9', headers } as unknown as Exchange;
}
