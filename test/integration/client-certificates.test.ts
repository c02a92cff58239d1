// Certificates of clients: who is let in by which kind of authentication, and what servers are told of them.

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { connect as connectHttp2 } from 'node:http2';
import { after, before, describe, test } from 'node:test';
import type { ClientAuthType } from '../../src/model/tls.ts';
import { startOrigin, type Origin } from '../support/origin.ts';
import { makeAuthority, type Authority, type Issued } from '../support/pki.ts';
import { middleware, openTlsBench, tlsOptions, type TlsBench } from '../support/tls-bench.ts';
import { type TlsAnswer, tlsAsk } from '../support/tls-client.ts';

const types: readonly ClientAuthType[] = [
  'NoClientCert',
  'RequestClientCert',
  'RequireAnyClientCert',
  'VerifyClientCertIfGiven',
  'RequireAndVerifyClientCert',
];
const hostOf = (type: ClientAuthType): string => `${type.toLowerCase()}.test`;
const subject = { country: true, province: true, locality: true, organization: true, commonName: true };

describe('client certificates', { timeout: 60_000 }, () => {
  let trusted: Authority;
  let foreign: Authority;
  let origin: Origin;
  let bench: TlsBench;
  let clients: Readonly<Record<'good' | 'foreign' | 'expired' | 'server', Issued>>;

  before(async () => {
    trusted = makeAuthority('Trusted');
    foreign = makeAuthority('Foreign');
    origin = await startOrigin();
    clients = {
      good: trusted.issue(['alice.test'], { client: true, subject: '/C=DE/O=Acme & Co/CN=alice' }),
      foreign: foreign.issue(['mallory.test'], { client: true, subject: '/CN=mallory' }),
      expired: trusted.issue(['old.test'], { client: true, days: -1 }),
      // Issued for servers: no client may show it.
      server: trusted.issue(['server.test']),
    };
    bench = await openTlsBench({
      routes: { o: origin.url },
      defaultCertificate: trusted.issue(['gateway.test']),
      options: [
        ...types.map((type) =>
          tlsOptions(`${type}@file`, {
            clientAuth: { type, cas: type === 'NoClientCert' ? [] : [trusted.root] },
          }),
        ),
        tlsOptions('nobody@file', { clientAuth: { type: 'VerifyClientCertIfGiven', cas: [] } }),
      ],
      hosts: {
        ...Object.fromEntries(types.map((type) => [hostOf(type), `${type}@file`])),
        'nobody.test': 'nobody@file',
      },
      middlewares: [
        middleware('passTLSClientCert', {
          pem: true,
          info: { notAfter: true, notBefore: true, sans: true, serialNumber: true, subject, issuer: subject },
        }),
      ],
      trustedIPs: ['127.0.0.1'],
    });
  });
  after(async () => {
    await bench?.close();
    await origin?.stop();
    trusted?.close();
    foreign?.close();
  });

  function come(type: ClientAuthType, client: Issued | null, more: object = {}): Promise<TlsAnswer> {
    const host = hostOf(type);
    const spoofed =
      'X-Forwarded-Tls-Client-Cert: me\r\nX-Forwarded-Tls-Client-Cert-Info: me\r\nx_forwarded_tls_client_cert: me\r\n';
    return tlsAsk(
      bench.port,
      { servername: host, ...client, ...more },
      `GET /o/x HTTP/1.1\r\nHost: ${host}\r\n${spoofed}Connection: close\r\n\r\n`,
    );
  }

  /** The PEM header's certificate, base64; null without the header. Fails when it was not served. */
  async function told(
    type: ClientAuthType,
    client: Issued | null,
    more: object = {},
  ): Promise<string | null> {
    const before = origin.requests.length;
    const got = await come(type, client, more);
    assert.equal(got.status, 200, `${type}: ${got.error}`);
    assert.equal(origin.requests.length, before + 1);
    const last = origin.requests.at(-1);
    assert.equal(last?.rawHeaders.includes('me'), false, 'what the client says of itself is gone');
    return (last?.headers['x-forwarded-tls-client-cert'] as string | undefined) ?? null;
  }

  async function refused(type: ClientAuthType, client: Issued | null, more: object = {}): Promise<void> {
    const before = origin.requests.length;
    const got = await come(type, client, more);
    assert.equal(got.status, 0, `${type} was served`);
    assert.equal(origin.requests.length, before);
  }

  const base64 = ({ cert }: Issued): string => new X509Certificate(cert).raw.toString('base64');

  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const over = { maxVersion };

    test(`${maxVersion}: NoClientCert asks nobody, and tells the server nothing`, async () => {
      assert.equal(await told('NoClientCert', null, over), null);
      assert.equal(await told('NoClientCert', clients.good, over), null);
    });

    test(`${maxVersion}: RequestClientCert lets everybody in, and tells what was shown`, async () => {
      assert.equal(await told('RequestClientCert', null, over), null);
      assert.equal(await told('RequestClientCert', clients.good, over), base64(clients.good));
      assert.equal(await told('RequestClientCert', clients.foreign, over), base64(clients.foreign));
    });

    test(`${maxVersion}: RequireAnyClientCert wants one, by whomever`, async () => {
      await refused('RequireAnyClientCert', null, over);
      assert.equal(await told('RequireAnyClientCert', clients.foreign, over), base64(clients.foreign));
    });

    test(`${maxVersion}: VerifyClientCertIfGiven wants none or a good one`, async () => {
      assert.equal(await told('VerifyClientCertIfGiven', null, over), null);
      assert.equal(await told('VerifyClientCertIfGiven', clients.good, over), base64(clients.good));
      for (const client of [clients.foreign, clients.expired, clients.server])
        await refused('VerifyClientCertIfGiven', client, over);
    });

    test(`${maxVersion}: RequireAndVerifyClientCert wants a good one`, async () => {
      assert.equal(await told('RequireAndVerifyClientCert', clients.good, over), base64(clients.good));
      for (const client of [null, clients.foreign, clients.expired, clients.server])
        await refused('RequireAndVerifyClientCert', client, over);
    });

    test(`${maxVersion}: a resumed session brings its certificate along, and none to other options`, async () => {
      const type = 'RequireAndVerifyClientCert';
      const first = await come(type, clients.good, over);
      assert.ok(first.session);
      const session = { session: first.session, ...over };
      const again = await come(type, null, session);
      assert.deepEqual([again.resumed, again.status], [true, 200]);
      const raw = origin.requests.at(-1)?.headers['x-forwarded-tls-client-cert'];
      assert.equal(raw, base64(clients.good));
      const plain = await come('NoClientCert', null, over);
      await refused(type, null, { session: plain.session, ...over });
      const asked = await come('RequestClientCert', clients.foreign, over);
      await refused(type, null, { session: asked.session, ...over });
    });
  }

  test('a chain is told without the authorities of the gateway', async () => {
    const chain = { cert: clients.good.cert + trusted.root, key: clients.good.key };
    assert.equal(await told('RequireAndVerifyClientCert', chain), base64(clients.good));
    const shown = { cert: clients.foreign.cert + foreign.root, key: clients.foreign.key };
    const root = new X509Certificate(foreign.root).raw.toString('base64');
    assert.equal(await told('RequestClientCert', shown), `${base64(clients.foreign)},${root}`);
  });

  test('nobody is verified by nobody: without authorities the handshake fails', async () => {
    const got = await tlsAsk(bench.port, { servername: 'nobody.test', ...clients.good });
    assert.match(got.error ?? '', /INTERNAL_ERROR/);
  });

  test('who needs no certificate for one host does not get in to another one without', async () => {
    const before = origin.requests.length;
    const got = await tlsAsk(
      bench.port,
      { servername: 'gateway.test' },
      `GET /o/x HTTP/1.1\r\nHost: ${hostOf('RequireAndVerifyClientCert')}\r\nConnection: close\r\n\r\n`,
    );
    assert.equal(got.status, 421);
    assert.equal(origin.requests.length, before);
  });

  test('the particulars of a certificate are told as Traefik tells them, on HTTP/2 too', async () => {
    await told('RequireAndVerifyClientCert', clients.good);
    const over1 = String(origin.requests.at(-1)?.headers['x-forwarded-tls-client-cert-info']);
    const session = connectHttp2(`https://127.0.0.1:${bench.port}`, {
      servername: hostOf('RequireAndVerifyClientCert'),
      rejectUnauthorized: false,
      ...clients.good,
    });
    const stream = session.request({
      ':path': '/o/x',
      ':authority': hostOf('RequireAndVerifyClientCert'),
      'x-forwarded-tls-client-cert': 'me',
    });
    for await (const _ of stream);
    session.close();
    const headers = origin.requests.at(-1)?.headers;
    assert.equal(headers?.['x-forwarded-tls-client-cert'], base64(clients.good));
    assert.equal(headers?.['x-forwarded-tls-client-cert-info'], over1);
    const text = decodeURIComponent(over1.replaceAll('+', ' '));
    const { serialNumber, validTo } = new X509Certificate(clients.good.cert);
    assert.match(text, /^Subject="C=DE,O=Acme & Co,CN=alice";Issuer="CN=Trusted";/);
    assert.ok(text.includes(`SerialNumber="${BigInt(`0x${serialNumber}`)}"`));
    assert.ok(text.includes(`NA="${Date.parse(validTo) / 1000}"`));
    assert.ok(text.endsWith('SAN="alice.test"'));
  });
});
