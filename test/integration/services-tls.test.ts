// serversTransports: whom the gateway believes to be its server, and how it says who it is.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server as HttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { TlsOptions, TLSSocket } from 'node:tls';
import { startGateway, type TestGateway } from '../support/gateway.ts';

interface Pair {
  readonly cert: string;
  readonly key: string;
}

/** A certificate for `names` by the authority in `dir`, or the authority itself. */
function issue(dir: string, name: string, names: string | null): Pair {
  const at = (ending: string): string => join(dir, `${name}.${ending}`);
  const run = (...args: string[]): void => void execFileSync('openssl', args, { stdio: 'pipe' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', at('key')];
  const subject = ['-subj', `/CN=${name}`];
  if (names === null) run('req', '-x509', '-days', '2', ...key, ...subject, '-out', at('crt'));
  else {
    writeFileSync(at('ext'), `subjectAltName=${names}\n`);
    run('req', '-new', ...key, ...subject, '-out', at('csr'));
    const authority = ['-CA', join(dir, 'ca.crt'), '-CAkey', join(dir, 'ca.key'), '-CAcreateserial'];
    run(
      'x509',
      '-req',
      '-days',
      '2',
      '-in',
      at('csr'),
      ...authority,
      '-extfile',
      at('ext'),
      '-out',
      at('crt'),
    );
  }
  return { cert: readFileSync(at('crt'), 'utf8'), key: readFileSync(at('key'), 'utf8') };
}

describe('TLS towards servers', () => {
  const dir = mkdtempSync(join(tmpdir(), 'portcullis-tls-'));
  const servers: HttpsServer[] = [];
  let gateway: TestGateway;

  async function serve(options: TlsOptions): Promise<string> {
    const server = createServer(options, (request, response) => {
      const socket = request.socket as TLSSocket;
      const { CN = 'nobody' } = (socket.getPeerCertificate().subject as { CN?: string } | undefined) ?? {};
      response.end(`${socket.getProtocol()} ${socket.getCipher().name} ${String(socket.servername)} ${CN}`);
    });
    server.on('tlsClientError', () => {});
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    servers.push(server);
    return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  before(async () => {
    const ca = issue(dir, 'ca', null);
    const own = issue(dir, 'server', 'DNS:app.internal,URI:spiffe://house/app,URI:spiffe://house/app2');
    issue(dir, 'client', 'DNS:client.internal');
    const tls12 = await serve({ ...own, maxVersion: 'TLSv1.2' });
    const tls13 = await serve({ ...own, minVersion: 'TLSv1.3' });
    const any = await serve(own);
    const mutual = await serve({ ...own, ca: ca.cert, requestCert: true, rejectUnauthorized: true });

    const trusting = { serverName: 'app.internal', rootCAs: [join(dir, 'ca.crt')] };
    const transports: Record<string, [url: string, transport: object]> = {
      unknownca: [any, { serverName: 'app.internal' }],
      trusted: [any, trusting],
      wrongname: [any, { ...trusting, serverName: 'other.internal' }],
      insecure: [any, { insecureSkipVerify: true }],
      nocert: [mutual, trusting],
      mutual: [
        mutual,
        {
          ...trusting,
          certificates: [{ certFile: join(dir, 'client.crt'), keyFile: join(dir, 'client.key') }],
        },
      ],
      uri: [any, { ...trusting, peerCertURI: 'spiffe://house/app' }],
      otheruri: [any, { ...trusting, peerCertURI: 'spiffe://house/ap' }],
      insecureuri: [any, { insecureSkipVerify: true, peerCertURI: 'spiffe://house/app' }],
      tooold: [tls12, { ...trusting, minVersion: 'VersionTLS13' }],
      toonew: [tls13, { ...trusting, maxVersion: 'VersionTLS12' }],
      only12: [any, { ...trusting, maxVersion: 'VersionTLS12' }],
      // Without a maxVersion, unlike Traefik, it holds as well.
      min12: [tls12, { ...trusting, minVersion: 'VersionTLS12' }],
      suite: [
        any,
        {
          ...trusting,
          maxVersion: 'VersionTLS12',
          cipherSuites: ['TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256'],
        },
      ],
      nosuite: [tls12, { ...trusting, cipherSuites: ['TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'] }],
      badsuite: [any, { ...trusting, cipherSuites: ['TLS_NONE'] }],
      badversion: [any, { ...trusting, minVersion: 'VersionTLS99' }],
      spiffe: [any, { ...trusting, spiffe: { ids: ['spiffe://house/app'] } }],
      checked: [any, trusting],
      checkeduri: [any, { ...trusting, peerCertURI: 'spiffe://house/other' }],
    };
    const names = Object.keys(transports);
    gateway = await startGateway({
      dynamic: {
        http: {
          routers: Object.fromEntries(
            names.map((name) => [name, { rule: `Path(\`/${name}\`)`, service: name }]),
          ),
          services: Object.fromEntries(
            Object.entries(transports).map(([name, [url]]) => [
              name,
              {
                loadBalancer: {
                  servers: [{ url }],
                  serversTransport: name,
                  ...(name.startsWith('checked')
                    ? { healthCheck: { path: '/', interval: '100ms', timeout: '2s' } }
                    : {}),
                },
              },
            ]),
          ),
          serversTransports: Object.fromEntries(
            // HTTP/1.1: what is asked here is who answers.
            Object.entries(transports).map(([name, [, transport]]) => [
              name,
              { ...transport, disableHTTP2: true },
            ]),
          ),
        },
      },
    });
  });
  after(async () => {
    await gateway?.stop();
    for (const server of servers) {
      server.close();
      server.closeAllConnections();
    }
    rmSync(dir, { recursive: true, force: true });
  });

  const get = async (name: string): Promise<[number, string]> => {
    const answer = await fetch(`${gateway.url('web')}/${name}`);
    return [answer.status, await answer.text()];
  };

  test('a certificate is believed when its authority is, and names the server', async () => {
    assert.match((await get('trusted'))[1], /^TLSv1\.3 \S+ app\.internal nobody$/);
    for (const name of ['unknownca', 'wrongname']) assert.equal((await get(name))[0], 500, name);
    assert.equal((await get('insecure'))[0], 200);
  });

  test('a server that wants to know its client gets the certificate', async () => {
    assert.match((await get('mutual'))[1], / client$/);
    assert.ok((await get('nocert'))[0] >= 500);
  });

  test('peerCertURI must be one of the URIs, whole, on kept connections and new ones', async () => {
    for (let i = 0; i < 3; i++) {
      assert.equal((await get('uri'))[0], 200);
      assert.equal((await get('otheruri'))[0], 500);
    }
  });

  test('versions outside of the bounds are not spoken', async () => {
    for (const name of ['tooold', 'toonew']) assert.ok((await get(name))[0] >= 500, name);
    assert.match((await get('only12'))[1], /^TLSv1\.2 /);
    assert.match((await get('min12'))[1], /^TLSv1\.2 /);
  });

  test('cipher suites are those that are listed', async () => {
    assert.match((await get('suite'))[1], /^TLSv1\.2 ECDHE-ECDSA-CHACHA20-POLY1305 /);
    assert.ok((await get('nosuite'))[0] >= 500);
  });

  test('what cannot be held is refused by name, and its routers answer 503', async () => {
    const { diagnostics } = await gateway.status();
    const text = diagnostics.map(({ message }) => message).join('\n');
    for (const name of ['insecureuri', 'badsuite', 'badversion', 'spiffe'])
      assert.equal((await get(name))[0], 503, name);
    assert.match(text, /spiffe of a serversTransport is not supported/);
    assert.match(text, /peerCertURI says nothing with insecureSkipVerify/);
    assert.match(text, /TLS_NONE/);
    assert.match(text, /VersionTLS10, VersionTLS11, VersionTLS12, VersionTLS13/);
  });

  test('health checks believe the same certificates', async () => {
    await gateway.waitForLog(/"service":"checkeduri@file"[^\n]*"message":"server is down"/);
    assert.equal((await get('checkeduri'))[1], 'no available server\n');
    assert.equal((await get('checked'))[0], 200);
  });
});
