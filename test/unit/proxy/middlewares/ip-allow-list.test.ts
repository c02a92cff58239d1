// ipAllowList, its alias and the strategies that say who the client is.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildClientIp } from '../../../../src/proxy/client-ip.ts';
import { ANSWERED, CONTINUE } from '../../../../src/proxy/hooks.ts';
import { build, exchange } from './workbench.ts';

const peers: readonly [ranges: string | string[], peer: string, allowed: boolean][] = [
  ['192.0.2.0/24', '192.0.2.7', true],
  ['192.0.2.0/24', '192.0.3.7', false],
  [['10.0.0.1', '192.0.2.1'], '192.0.2.1', true],
  ['10.0.0.1, 192.0.2.1', '192.0.2.1', true],
  ['2001:db8::/32', '2001:db8::1', true],
  ['2001:db8::/32', '192.0.2.1', false],
  ['0.0.0.0/0', '', false],
  ['0.0.0.0/0', 'not-an-address', false],
];
for (const [sourceRange, peer, allowed] of peers) {
  test(`${sourceRange} ${allowed ? 'lets' : 'does not let'} ${JSON.stringify(peer)} through`, () => {
    const x = exchange({ peer });
    const verdict = build('ipAllowList', { sourceRange }).request(x);
    assert.equal(verdict, allowed ? CONTINUE : ANSWERED);
    if (allowed) return;
    assert.equal(x.status, 403);
    assert.equal(x.answerBody, 'Forbidden');
    assert.deepEqual(x.responseHeaders, []);
  });
}

test('the status of a refusal can be chosen, and ipWhiteList means the same middleware', () => {
  const x = exchange();
  build('ipwhitelist', { sourceRange: '10.0.0.0/8', rejectStatusCode: '404' }).request(x);
  assert.equal(x.status, 404);
  assert.equal(x.answerBody, 'Not Found');
});

test('options that cannot work are refused', () => {
  assert.throws(() => build('ipAllowList', { sourceRange: [] }), /at least one/);
  assert.throws(() => build('ipAllowList', {}), /expected a list/);
  assert.throws(() => build('ipAllowList', { sourceRange: ['10.0.0.0/33'] }), /CIDRs/);
  assert.throws(
    () => build('ipAllowList', { sourceRange: ['10.0.0.1'], rejectStatusCode: 100 }),
    /HTTP status/,
  );
  assert.throws(() =>
    build('ipAllowList', { sourceRange: ['10.0.0.1'], ipStrategy: { excludedIPs: ['x'] } }),
  );
});

interface Case {
  readonly depth?: number;
  readonly excludedIPs?: readonly string[];
  readonly ipv6Subnet?: number;
  readonly headers: string[];
  readonly expected: string;
}

const strategies: readonly Case[] = [
  { headers: ['x-forwarded-for', '10.0.0.1'], expected: '192.0.2.1' },
  { depth: 1, headers: [], expected: '' },
  { depth: 1, headers: ['x-forwarded-for', ''], expected: '' },
  { depth: 1, headers: ['x-forwarded-for', '10.0.0.1'], expected: '10.0.0.1' },
  { depth: 1, headers: ['x-forwarded-for', '10.0.0.1, 10.0.0.2'], expected: '10.0.0.2' },
  { depth: 2, headers: ['x-forwarded-for', '10.0.0.1 ,10.0.0.2'], expected: '10.0.0.1' },
  { depth: 3, headers: ['x-forwarded-for', '10.0.0.1, 10.0.0.2'], expected: '' },
  { depth: 2, headers: ['x-forwarded-for', ',10.0.0.2'], expected: '' },
  { depth: 1, headers: ['x-forwarded-for', '6.6.6.6', 'x-forwarded-for', '10.0.0.2'], expected: '10.0.0.2' },
  {
    excludedIPs: ['10.0.0.0/8'],
    headers: ['x-forwarded-for', '1.1.1.1, 2.2.2.2, 10.0.0.2'],
    expected: '2.2.2.2',
  },
  { excludedIPs: ['10.0.0.0/8'], headers: ['x-forwarded-for', '10.0.0.1, 10.0.0.2'], expected: '' },
  { excludedIPs: ['10.0.0.0/8'], headers: ['x-forwarded-for', ',1.1.1.1,, 10.0.0.2,'], expected: '1.1.1.1' },
  { excludedIPs: ['10.0.0.0/8'], headers: [], expected: '' },
  {
    depth: 1,
    ipv6Subnet: 48,
    headers: ['x-forwarded-for', '2001:db8:a:b::9'],
    expected: '2001:db8:a:0:0:0:0:0',
  },
  {
    depth: 1,
    ipv6Subnet: 60,
    headers: ['x-forwarded-for', '2001:db8:a:bcd9::'],
    expected: '2001:db8:a:bcd0:0:0:0:0',
  },
  { depth: 1, ipv6Subnet: 48, headers: ['x-forwarded-for', '10.0.0.1'], expected: '10.0.0.1' },
  { depth: 1, ipv6Subnet: 48, headers: ['x-forwarded-for', '::1'], expected: '0:0:0:0:0:0:0:0' },
];
for (const { headers, expected, ...strategy } of strategies) {
  test(`${JSON.stringify(strategy)} on ${headers.join(' ')} finds ${JSON.stringify(expected)}`, () => {
    const find = buildClientIp({ depth: 0, excludedIPs: [], ...strategy });
    assert.equal(find(exchange({ headers })), expected);
  });
}

test('a client that is not found is refused', () => {
  const x = exchange({ headers: ['x-forwarded-for', '10.0.0.1'] });
  assert.equal(
    build('ipAllowList', { sourceRange: ['0.0.0.0/0', '::/0'], ipStrategy: { depth: 2 } }).request(x),
    ANSWERED,
  );
});
