// Which connections will do for a host, by what their handshakes asked and what its options want now.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClientAuthType, TlsOptionsSpec } from '../../../../src/model/tls.ts';
import { defaultTlsOptions } from '../../../../src/model/tls.ts';
import { type ClientAuth, ClientDemands, meets } from '../../../../src/proxy/entrypoints/client-demands.ts';

const pem = (name: string): string => `-----BEGIN CERTIFICATE-----\n${name}\n-----END CERTIFICATE-----\n`;
const asks = (type: ClientAuthType, ...names: readonly string[]): ClientAuth => ({
  type,
  cas: names.map(pem),
});

test('a connection that was asked for less will not do, one that was asked for as much or more will', () => {
  const table: readonly (readonly [ClientAuth, ClientAuth, boolean])[] = [
    [null, null, true],
    [null, asks('NoClientCert'), true],
    [null, asks('RequestClientCert'), true],
    [null, asks('RequireAnyClientCert'), false],
    [null, asks('VerifyClientCertIfGiven', 'a'), true],
    [null, asks('RequireAndVerifyClientCert', 'a'), false],
    [asks('RequestClientCert'), asks('VerifyClientCertIfGiven', 'a'), false],
    [asks('RequestClientCert'), asks('RequireAnyClientCert'), false],
    [asks('RequireAnyClientCert'), asks('RequireAndVerifyClientCert', 'a'), false],
    [asks('RequireAnyClientCert'), asks('VerifyClientCertIfGiven', 'a'), false],
    [asks('VerifyClientCertIfGiven', 'a'), asks('RequireAndVerifyClientCert', 'a'), false],
    [asks('VerifyClientCertIfGiven', 'a'), asks('VerifyClientCertIfGiven', 'a', 'b'), true],
    [asks('RequireAndVerifyClientCert', 'a'), asks('RequireAnyClientCert'), true],
    [asks('RequireAndVerifyClientCert', 'a'), asks('VerifyClientCertIfGiven', 'a'), true],
    [asks('RequireAndVerifyClientCert', 'a'), null, true],
  ];
  for (const [asked, wanted, expected] of table)
    assert.equal(meets(asked, wanted), expected, JSON.stringify([asked, wanted]));
});

test('an authority may be added, in whatever file, and none may be gone', () => {
  const type = 'RequireAndVerifyClientCert';
  const both: ClientAuth = { type, cas: [`# a bundle\n${pem('a')}${pem('b').replaceAll('\n', '\r\n')}`] };
  assert.equal(meets(asks(type, 'a'), both), true);
  assert.equal(meets(both, asks(type, 'b', 'c', 'a')), true);
  assert.equal(meets(both, asks(type, 'a')), false);
  assert.equal(meets(both, asks(type, 'a')), false);
  assert.equal(meets(both, asks(type)), false);
});

test('a host is held to its own options, by name, by wildcard, or to the default ones', () => {
  const strict = asks('RequireAndVerifyClientCert', 'a');
  const options = (own: Readonly<Record<string, ClientAuth>>): ReadonlyMap<string, TlsOptionsSpec> =>
    new Map(
      Object.entries(own).map(([name, clientAuth]) => [name, { ...defaultTlsOptions, name, clientAuth }]),
    );
  const hosts = ['a.test', '*.wild.test'].map((host) => ({ host, options: 'strict' }));
  const some = new ClientDemands(hosts, options({ default: null, strict }));
  for (const host of ['a.test', 'x.wild.test']) assert.equal(some.areMetBy(null, host), false, host);
  for (const host of ['b.test', 'wild.test', 'y.x.wild.test'])
    assert.equal(some.areMetBy(null, host), true, host);
  assert.equal(some.areMetBy(strict, 'a.test'), true);
  const all = new ClientDemands([], options({ default: strict }));
  assert.equal(all.areMetBy(null, 'b.test'), false);
  const none = new ClientDemands([], options({ default: null, strict }));
  assert.equal(none.areMetBy(null, 'a.test'), true);
});
