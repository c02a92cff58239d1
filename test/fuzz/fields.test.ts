// Durations, networks, addresses and URLs of the configuration against references that do it the slow way.

import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import fc from 'fast-check';
import { parseServerUrl } from '../../src/config/dynamic/server-url.ts';
import { parseRedisEndpoint } from '../../src/config/static/redis-endpoint.ts';
import { bigint, duration, int, list, parseDuration } from '../../src/proxy/middlewares/fields.ts';
import { authorityPort, canonicalHost } from '../../src/rules/host.ts';
import { parseIpSet } from '../../src/util/ip.ts';
import { applyChanges, bytes, changes, cpuTime, fuzz, property, soup } from './fuzz.ts';

const unitNanos: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};

const durationText = soup(
  ['1', '0', '25', '.', '-', '+', 'ns', 'us', 'µs', 'ms', 's', 'm', 'h', ' ', 'e3', '9'],
  8,
);

const address4 = fc.ipV4();
const address6 = fc.oneof(
  fc.ipV6(),
  fc.constantFrom('::', '::1', '2001:db8::1', 'fe80::1', '::ffff:10.1.2.3', '::ffff:0:0', '2001:DB8::A'),
);
const nearby4 = fc
  .tuple(fc.constantFrom('10.0.0.', '10.0.1.', '192.168.255.', '10.128.0.'), fc.nat(255))
  .map((parts) => parts.join(''));
const address = fc.oneof(address4, nearby4, address6);
const network = fc
  .tuple(address, fc.option(fc.nat(128)))
  .map(([base, bits]) => (bits === null ? base : `${base}/${isIP(base) === 4 ? bits % 33 : bits}`));

const hostPart = fc.oneof(
  fc.domain(),
  fc.ipV4(),
  fc.ipV6().map((ip) => `[${ip}]`),
  fc.constantFrom('localhost', 'a_b', 'A.test', '10.0.0.1', '[::1]'),
);
const urlPieces = [
  'http',
  'https',
  'h2c',
  'redis',
  'rediss',
  '://',
  ':',
  '/',
  '//',
  '@',
  '?',
  '#',
  '%',
  '%2F',
  '.',
  '..',
];
const urlSoup = soup(
  [...urlPieces, 'a', 'host', '[', ']', '::1', '80', '65536', '\\', ' ', '\t', 'é', '\n'],
  12,
);

fuzz('fields', [
  property(
    'a duration is what Go makes of it, or is refused as Go refuses it',
    fc.oneof(
      durationText,
      fc
        .tuple(fc.double({ min: 0, max: 1e6, noNaN: true }), fc.constantFrom(...Object.keys(unitNanos)))
        .map(([n, unit]) => `${n.toFixed(6)}${unit}`),
    ),
    (text) => {
      const wanted = goDuration(text.trim());
      const read = duration.safeParse(text);
      if (wanted === null) {
        assert.equal(read.success, false, JSON.stringify(text));
        return;
      }
      assert.ok(read.success, JSON.stringify(text));
      const error = Math.abs(read.data - Number(wanted) / 1e6);
      assert.ok(error <= 2e-6 + Math.abs(read.data) * 1e-12, `${text}: ${read.data} ms, ${wanted} ns`);
    },
    2_000,
  ),
  property(
    'whole milliseconds written in any unit are read as they are',
    fc.tuple(fc.integer({ min: -1e9, max: 1e9 }), fc.constantFrom('ms', 's', 'm')),
    ([ms, unit]) => {
      const per = Number(unitNanos[unit]) / 1e6;
      const whole = Math.trunc(Math.abs(ms) / per);
      const text = `${ms < 0 ? '-' : ''}${whole}${unit}${Math.abs(ms) % per}ms`;
      assert.equal(parseDuration(text), whole === 0 && Math.abs(ms) % per === 0 && ms < 0 ? -0 : ms);
    },
    500,
  ),
  property(
    'no text of any length keeps a field busy',
    fc.tuple(
      fc.constantFrom('1', '1.', '.1', '1s', '1.1', '0x', ' ', ',', ', ', '-1', '+', '1h1'),
      fc.constantFrom('', 'x', 's', ' ', '\n'),
    ),
    ([unit, end]) => {
      const text = unit.repeat(65_536 / unit.length) + end;
      const spent = cpuTime(() => {
        for (const field of [duration, int, bigint, list]) field.safeParse(text);
        parseServerUrl(text);
        parseServerUrl(`http://${text}`);
        parseRedisEndpoint(text, 6379);
        canonicalHost(text);
      });
      assert.ok(spent < 1_500, `${spent} ms`);
    },
    20,
  ),
  property(
    'an address is in a set exactly when its bits are in one of the networks',
    fc.tuple(
      fc.array(network, { maxLength: 5 }),
      fc.array(fc.oneof(address, bytes(12)), { minLength: 1, maxLength: 6 }),
    ),
    ([networks, asked]) => {
      const set = parseIpSet(networks);
      for (const one of [...asked, ...networks.map((entry) => entry.split('/')[0] as string)]) {
        const wanted = networks.some((entry) => contains(entry, one));
        assert.equal(set.has(one), wanted, `${one} in ${networks.join(' ')}`);
        assert.equal(set.has(one), wanted, 'asked twice');
      }
    },
    1_000,
  ),
  property(
    'what is no network is refused, and what is taken has an address and a length',
    fc.tuple(network, changes(soup(['/', '.', ':', '0', '33', '129', '-', ' ', '%', 'a', 'g'], 2), 3)),
    ([base, edits]) => {
      const text = applyChanges(base, edits);
      try {
        parseIpSet([text]);
      } catch (error) {
        assert.match((error as Error).message, /is neither an IP address nor a CIDR|has no prefix length/);
        return;
      }
      assert.match(text.trim(), /^[0-9A-Fa-f:.]+(?:%[^/]*)?(?:\/\d{1,3})?$/);
    },
    1_000,
  ),
  property(
    'the URL of a server has the host and the port that a browser finds in it',
    fc.oneof(
      fc
        .tuple(
          fc.constantFrom('http', 'https', 'h2c', 'HTTP'),
          hostPart,
          fc.option(fc.integer({ min: 1, max: 65535 })),
          fc.constantFrom('', '/', '/a', '/a/b%20c'),
        )
        .map(([scheme, host, port, path]) => `${scheme}://${host}${port === null ? '' : `:${port}`}${path}`),
      urlSoup,
    ),
    (text) => {
      const read = parseServerUrl(text);
      if (typeof read === 'string') {
        assert.ok(read.length < 200 && !read.includes('\n'));
        return;
      }
      assert.deepEqual(parseServerUrl(read.origin + read.path), read, 'read again');
      const url = URL.parse(read.origin.replace(/^h2c:/, 'http:') + read.path);
      // Names that a browser takes for an address, like 1.2.3 or 0x7f, and addresses that are none.
      if (url === null || /^https?:\/\/[0-9a-fx.]*(?::|$)/i.test(read.origin.replace(/^h2c/, 'http'))) return;
      const host = read.origin.replace(/^[a-z0-9]+:\/\//, '').replace(/:\d+$/, '');
      if (!host.startsWith('[')) assert.equal(url.hostname, host);
      assert.equal(url.username + url.password + url.search + url.hash, '');
    },
    2_000,
  ),
  property(
    'no message about an endpoint of Redis repeats its password, and what is read is what is written',
    fc.tuple(
      fc.stringMatching(/^[a-z0-9]{1,8}$/),
      fc.oneof(hostPart, urlSoup),
      fc.option(fc.nat(70_000)),
      fc.boolean(),
    ),
    ([user, host, port, isTls]) => {
      const password = 'pass-canary';
      const text = `${isTls ? 'rediss' : 'redis'}://${user}:${password}@${host}${port === null ? '' : `:${port}`}`;
      const read = parseRedisEndpoint(text, 6379);
      if (typeof read === 'string') {
        assert.ok(!read.includes(password));
        return;
      }
      assert.ok(read.port >= 1 && read.port <= 65_535 && read.host !== '' && !/[[\]@/]/.test(read.host));
      assert.equal(read.isTls, isTls);
      assert.ok(
        read.password === password || text.lastIndexOf('@') !== text.indexOf('@') || /[/?#\\]/.test(host),
      );
    },
    1_000,
  ),
  property(
    'a Host that is taken is one name or address and a port, and means the same when it is written again',
    fc.oneof(
      hostPart,
      fc
        .tuple(hostPart, soup([':', '80', '.', ',', '@', '/', ' ', '[', ']', '\t', 'é', '%'], 4))
        .map((p) => p.join('')),
      urlSoup,
    ),
    (authority) => {
      const host = canonicalHost(authority);
      if (host === null) return;
      assert.match(host, /^[a-z0-9\-._~:]+$/);
      assert.match(authorityPort(authority), /^\d{0,5}$/);
      const bracketed = host.includes(':') ? `[${host}]` : host;
      if (!host.endsWith('.')) assert.equal(canonicalHost(bracketed), host);
      const url = URL.parse(`http://${authority}/`);
      if (url === null || /^[0-9a-fx.]+$/i.test(host) || host.endsWith('.')) return;
      if (!host.includes(':') && !host.includes('~')) assert.equal(url.hostname.replace(/\.$/, ''), host);
    },
    1_000,
  ),
]);

/** Nanoseconds, as Go's ParseDuration reads them and this project's documentation adds bare seconds; null: refused. */
function goDuration(text: string): bigint | null {
  const sign = text.startsWith('-') ? -1n : 1n;
  let rest = text.replace(/^[+-]/, '');
  if (rest === '') return null;
  if (/^\d+$/.test(rest)) rest += 's';
  let total = 0n;
  while (rest !== '') {
    const part = /^(\d*)(?:\.(\d*))?(ns|us|µs|ms|s|m|h)/.exec(rest);
    if (part === null) return null;
    const [all, whole = '', fraction = '', unit = ''] = part;
    if (whole === '' && fraction === '') return null;
    const nanos = unitNanos[unit] as bigint;
    total +=
      BigInt(whole || '0') * nanos + (BigInt(fraction || '0') * nanos) / 10n ** BigInt(fraction.length);
    rest = rest.slice(all.length);
  }
  return total > 2n ** 63n ? null : sign * total;
}

function contains(entry: string, asked: string): boolean {
  const [base, bits] = entry.split('/') as [string, string | undefined];
  const [one, other] = [bitsOf(base), bitsOf(asked)];
  if (one === null || other === null) return false;
  const width = isIP(base) === 4 ? 32 : 128;
  // An IPv4 address written as an IPv6 one is the same address.
  const prefix = (width === 32 ? 96 : 0) + (bits === undefined ? width : Number(bits));
  return prefix === 0 || one >> BigInt(128 - prefix) === other >> BigInt(128 - prefix);
}

/** 128 bits; IPv4 as its IPv6 form. */
function bitsOf(text: string): bigint | null {
  const family = isIP(text);
  if (family === 0) return null;
  if (family === 4)
    return 0xffff_0000_0000n + text.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n);
  const bare = (text.split('%')[0] as string).replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...parts) => {
    const [a, b, c, d] = parts.slice(0, 4).map(Number) as [number, number, number, number];
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  });
  const [head = '', tail] = bare.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const groups = [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right];
  return groups.reduce((sum, group) => sum * 65_536n + BigInt(`0x${group}`), 0n);
}
