// TLS options in the words of OpenSSL: what is asked of clients, and what tickets are sealed with.

import assert from 'node:assert/strict';
import { constants } from 'node:crypto';
import { test } from 'node:test';
import { defaultTlsOptions, type ClientAuthType, type TlsOptionsSpec } from '../../../src/model/tls.ts';
import {
  problemOf,
  serverTlsOptions,
  ticketKeyLife,
  ticketKeys,
  verifiesClients,
} from '../../../src/tls/server-options.ts';

const pair = { cert: 'cert', key: 'key' };

test('the default options are TLS 1.2 and 1.3 with forward secrecy, without client certificates', () => {
  const made = serverTlsOptions(defaultTlsOptions, pair);
  assert.equal(made.minVersion, 'TLSv1.2');
  assert.equal(made.maxVersion, 'TLSv1.3');
  assert.ok(made.ciphers.split(':').every((name) => /^(?:TLS_|ECDHE-).*(?:GCM|CHACHA20)/.test(name)));
  assert.deepEqual([made.requestCert, made.rejectUnauthorized, made.ca], [false, false, []]);
  assert.deepEqual(made.ALPNProtocols, ['h2', 'http/1.1']);
  assert.ok((made.secureOptions & constants.SSL_OP_NO_RENEGOTIATION) !== 0);
  assert.ok((made.secureOptions & constants.SSL_OP_NO_TICKET) === 0);
});

test('versions below 1.2 get their ciphers and the level that lets them', () => {
  const { ciphers } = serverTlsOptions(options({ minVersion: 'TLSv1' }), pair);
  assert.match(ciphers, /ECDHE-RSA-AES128-SHA:.*@SECLEVEL=0$/);
  const own = serverTlsOptions(options({ minVersion: 'TLSv1.1', cipherSuites: ['AES128-SHA'] }), pair);
  assert.equal(own.ciphers, 'AES128-SHA:@SECLEVEL=0');
});

test('ciphers, curves, protocols and no tickets are handed on', () => {
  const made = serverTlsOptions(
    options({
      cipherSuites: ['A', 'B'],
      curvePreferences: ['X25519', 'P-256'],
      alpnProtocols: ['http/1.1'],
      sessionTickets: false,
    }),
    pair,
  );
  assert.equal(made.ciphers, 'A:B');
  assert.equal(made.ecdhCurve, 'X25519:P-256');
  assert.deepEqual(made.ALPNProtocols, ['http/1.1']);
  assert.ok((made.secureOptions & constants.SSL_OP_NO_TICKET) !== 0);
});

test('each kind of client authentication asks for what it means', () => {
  const asked = (type: ClientAuthType): readonly unknown[] => {
    const made = serverTlsOptions(options({ clientAuth: { type, cas: ['ca'] } }), pair);
    return [made.requestCert, made.rejectUnauthorized, made.ca.length];
  };
  assert.deepEqual(asked('NoClientCert'), [false, false, 0]);
  assert.deepEqual(asked('RequestClientCert'), [true, false, 1]);
  assert.deepEqual(asked('RequireAnyClientCert'), [true, false, 1]);
  assert.deepEqual(asked('VerifyClientCertIfGiven'), [true, false, 1]);
  assert.deepEqual(asked('RequireAndVerifyClientCert'), [true, true, 1]);
});

test('options with errors, or that verify by nobody, serve nobody', () => {
  assert.equal(problemOf(defaultTlsOptions), null);
  assert.equal(problemOf(options({ errors: ['broken'] })), 'broken');
  for (const type of ['VerifyClientCertIfGiven', 'RequireAndVerifyClientCert'] as const) {
    assert.equal(verifiesClients(type), true);
    assert.match(problemOf(options({ clientAuth: { type, cas: [] } })) ?? '', /needs authorities/);
  }
  assert.equal(problemOf(options({ clientAuth: { type: 'RequireAnyClientCert', cas: [] } })), null);
});

test('ticket keys are the same for one boot, options and time, and others for any other', () => {
  const secret = 'ab'.repeat(32);
  const keys = ticketKeys(secret, defaultTlsOptions, 1000);
  assert.equal(keys.length, 48);
  assert.deepEqual(ticketKeys(secret, { ...defaultTlsOptions }, ticketKeyLife - 1), keys);
  assert.notDeepEqual(ticketKeys(secret, defaultTlsOptions, ticketKeyLife), keys);
  assert.notDeepEqual(ticketKeys('cd'.repeat(32), defaultTlsOptions, 1000), keys);
  assert.notDeepEqual(ticketKeys(secret, options({ sniStrict: true }), 1000), keys);
  const clientAuth = { type: 'RequireAndVerifyClientCert', cas: ['other'] } as const;
  assert.notDeepEqual(ticketKeys(secret, options({ clientAuth }), 1000), keys);
});

function options(changes: Partial<TlsOptionsSpec>): TlsOptionsSpec {
  return { ...defaultTlsOptions, ...changes };
}
