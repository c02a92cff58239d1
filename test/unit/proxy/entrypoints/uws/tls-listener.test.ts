// Certificates on uWebSockets.js: chosen by name, and replaced while connections come and go.

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import {
  defaultTlsOptions,
  type CertificateSpec,
  type TlsOptionsSpec,
} from '../../../../../src/model/tls.ts';
import { buildEntryPoint } from '../../../../../src/proxy/entrypoints/entry-point.ts';
import type { Listener, ListenerPlan } from '../../../../../src/proxy/entrypoints/listener.ts';
import { listenUws } from '../../../../../src/proxy/entrypoints/uws/listener.ts';
import { readCertificate } from '../../../../../src/tls/certificate.ts';
import { CertificateStore } from '../../../../../src/tls/store.ts';
import { eventually } from '../../../../support/gateway.ts';
import { type Authority, type IssueOptions, makeAuthority } from '../../../../support/pki.ts';
import { entryPoint } from '../../../../support/specs.ts';

interface Front {
  readonly listener: Listener;
  readonly warnings: string[];
  use(certificates: readonly CertificateSpec[], options?: Partial<TlsOptionsSpec>): void;
}

let authority: Authority;
before(() => {
  authority = makeAuthority();
});
after(() => authority.close());

function certificate(names: readonly string[], options: IssueOptions = {}): CertificateSpec {
  const { cert, key } = authority.issue(names, options);
  const read = readCertificate(cert, key);
  assert.ok(read.ok);
  return read.certificate;
}

const fronts: Listener[] = [];
after(() => {
  for (const listener of fronts) listener.close();
});

async function open(
  fallback: CertificateSpec | null,
  certificates: readonly CertificateSpec[] = [],
  options: Partial<TlsOptionsSpec> = {},
): Promise<Front> {
  const store = new CertificateStore();
  const plan = (own: Partial<TlsOptionsSpec>): ListenerPlan => ({
    spec: { entryPoint: 'web', engine: 'uws', side: 'tls', hosts: [] },
    certificates: store,
    options: new Map([['default', { ...defaultTlsOptions, ...own }]]),
    alpnChallenges: new Map(),
  });
  store.configure({ certificates, defaultCertificate: fallback });
  const warnings: string[] = [];
  const spec = { ...entryPoint('web'), host: '127.0.0.1', port: 0 };
  const listener = await listenUws(
    buildEntryPoint(spec, () => {}),
    {
      serve: (x) => x.downstream.respond(200, ['x-scheme', x.scheme], x.host, false),
      refused: () => {},
      managedNames: () => ({ has: () => false }),
      isDraining: () => false,
      bootSecret: 'secret',
      warn: (message) => warnings.push(message),
    },
    plan(options),
  );
  fronts.push(listener);
  return {
    listener,
    warnings,
    use(next, own = options) {
      store.configure({ certificates: next, defaultCertificate: fallback });
      listener.update(plan(own));
    },
  };
}

async function handshake(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
  await once(socket, 'secureConnect');
  socket.on('error', () => {});
  return socket;
}

function fingerprintOf(socket: TLSSocket): string {
  return new X509Certificate(socket.getPeerCertificate().raw).fingerprint256
    .replaceAll(':', '')
    .toLowerCase();
}

async function shown(port: number, servername: string | undefined): Promise<string> {
  const socket = await handshake(port, servername === undefined ? {} : { servername });
  const fingerprint = fingerprintOf(socket);
  socket.destroy();
  return fingerprint;
}

async function ask(socket: TLSSocket): Promise<string> {
  socket.write('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n');
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  return chunk.toString('latin1');
}

describe('a certificate is chosen', () => {
  test('by the exact name, by the wildcard of one label, and else it is the default one', async () => {
    const [other, exact, wild] = [
      certificate(['default.test']),
      certificate(['a.test']),
      certificate(['*.w.test']),
    ];
    const own = certificate(['own.w.test']);
    const { listener } = await open(other, [exact, wild, own]);
    const { port } = listener;
    assert.equal(await shown(port, 'a.test'), exact.fingerprint);
    assert.equal(await shown(port, 'one.w.test'), wild.fingerprint);
    assert.equal(
      await shown(port, 'own.w.test'),
      own.fingerprint,
      'a name of its own wins over a wildcard in use',
    );
    for (const name of ['w.test', 'two.one.w.test', 'unknown.test', undefined])
      assert.equal(await shown(port, name), other.fingerprint, name);
  });

  test('however its name is spelled', async () => {
    const exact = certificate(['a.test', '*.w.test']);
    const { listener } = await open(certificate(['default.test']), [exact]);
    assert.equal(await shown(listener.port, 'A.Test'), exact.fingerprint);
    assert.equal(await shown(listener.port, 'ONE.W.TEST'), exact.fingerprint);
  });

  test('though it has run out: a client may still want it', async () => {
    const over = certificate(['a.test'], { days: -1 });
    const { listener } = await open(certificate(['default.test']), [over]);
    assert.equal(await shown(listener.port, 'a.test'), over.fingerprint);
  });

  test('of RSA and of ECDSA alike', async () => {
    const rsa = certificate(['rsa.test'], { rsa: true });
    const { listener } = await open(certificate(['default.test']), [rsa]);
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const socket = await handshake(listener.port, { servername: 'rsa.test', maxVersion });
      assert.equal(fingerprintOf(socket), rsa.fingerprint);
      assert.match(await ask(socket), /^HTTP\/1\.1 200 [^]*x-scheme: https[^]*a\.test$/);
      socket.destroy();
    }
  });
});

describe('a handshake fails', () => {
  test('for a name without a certificate under sniStrict, and for none', async () => {
    const exact = certificate(['a.test']);
    const { listener } = await open(certificate(['default.test']), [exact], { sniStrict: true });
    assert.equal(await shown(listener.port, 'a.test'), exact.fingerprint);
    await assert.rejects(shown(listener.port, 'b.test'));
    await assert.rejects(shown(listener.port, undefined));
  });

  test('below TLS 1.2', async () => {
    const { listener } = await open(certificate(['default.test']));
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' } as const;
    await assert.rejects(handshake(listener.port, old));
  });

  test('with cipher suites that are not among the wanted', async () => {
    const { listener } = await open(certificate(['default.test']), [], {
      cipherSuites: ['TLS_AES_128_GCM_SHA256', 'ECDHE-ECDSA-AES256-GCM-SHA384'],
    });
    const suite = (ciphers: string): ConnectionOptions => ({ ciphers, maxVersion: 'TLSv1.2' });
    (await handshake(listener.port, suite('ECDHE-ECDSA-AES256-GCM-SHA384'))).destroy();
    await assert.rejects(handshake(listener.port, suite('ECDHE-ECDSA-AES128-GCM-SHA256')));
  });

  test('where the engine cannot use the default certificate, which is said', async () => {
    const exact = certificate(['a.test']);
    const { listener, warnings } = await open({ ...certificate(['default.test']), key: 'no key' }, [exact]);
    assert.equal(warnings.length, 1);
    assert.equal(await shown(listener.port, 'a.test'), exact.fingerprint);
    await assert.rejects(shown(listener.port, 'b.test'));
  });
});

describe('a certificate that comes later', () => {
  test('is there at once, and a connection that was open goes on with the old one', async () => {
    const [first, second] = [certificate(['a.test']), certificate(['a.test'], { days: 60 })];
    const { listener, use } = await open(certificate(['default.test']), [first]);
    const socket = await handshake(listener.port, { servername: 'a.test' });
    assert.match(await ask(socket), /^HTTP\/1\.1 200 /);
    use([second]);
    assert.equal(await shown(listener.port, 'a.test'), second.fingerprint);
    assert.match(await ask(socket), /^HTTP\/1\.1 200 /);
    assert.equal(fingerprintOf(socket), first.fingerprint);
    // Longer than it takes to let a generation go that nobody uses.
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    assert.match(await ask(socket), /^HTTP\/1\.1 200 /);
    socket.destroy();
  });

  test('for a name of its own takes over from the wildcard in use', async () => {
    const [wild, own] = [certificate(['*.w.test']), certificate(['one.w.test'])];
    const { listener, use } = await open(certificate(['default.test']), [wild]);
    assert.equal(await shown(listener.port, 'one.w.test'), wild.fingerprint);
    use([wild, own]);
    assert.equal(await shown(listener.port, 'one.w.test'), own.fingerprint);
    assert.equal(await shown(listener.port, 'two.w.test'), wild.fingerprint);
  });

  test('is gone again when it is taken away', async () => {
    const [other, exact] = [certificate(['default.test']), certificate(['a.test'])];
    const { listener, use } = await open(other, [exact]);
    assert.equal(await shown(listener.port, 'a.test'), exact.fingerprint);
    use([]);
    assert.equal(await shown(listener.port, 'a.test'), other.fingerprint);
  });

  test('costs no client a handshake or an answer, again and again', async () => {
    const pair = [certificate(['a.test']), certificate(['a.test'], { days: 60 })];
    const { listener, use } = await open(certificate(['default.test']), pair.slice(0, 1));
    const until = performance.now() + 5_000;
    const seen = new Set<string>();
    const steady = await handshake(listener.port, { servername: 'a.test' });
    const clients = Array.from({ length: 4 }, async () => {
      for (let n = 0; ; n += 1) {
        if (performance.now() > until) return n;
        const socket = await handshake(listener.port, { servername: 'a.test' });
        seen.add(fingerprintOf(socket));
        assert.match(await ask(socket), /^HTTP\/1\.1 200 /);
        socket.destroy();
      }
    });
    let at = 0;
    const replacing = setInterval(() => {
      at += 1;
      use([pair[at % 2] as CertificateSpec]);
    }, 10);
    const counts = await Promise.all(clients).finally(() => clearInterval(replacing));
    assert.ok(
      counts.every((count) => count > 20),
      counts.join(' '),
    );
    assert.equal(seen.size, 2);
    assert.match(await ask(steady), /^HTTP\/1\.1 200 /);
    steady.destroy();
    const last = pair[at % 2] as CertificateSpec;
    await eventually(
      'the last one is shown',
      async () => (await shown(listener.port, 'a.test')) === last.fingerprint,
    );
  });
});

describe('what is no TLS on the TLS side', () => {
  test('is closed, and those who wait hold up nobody', async () => {
    const { listener } = await open(certificate(['default.test']));
    const { connect: plain } = await import('node:net');
    const waiting = Array.from({ length: 500 }, () =>
      plain(listener.port, '127.0.0.1').on('error', () => {}),
    );
    await Promise.all(waiting.map((socket) => once(socket, 'connect')));
    const socket = plain(listener.port, '127.0.0.1').on('error', () => {});
    socket.write('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n');
    await once(socket.resume(), 'close');
    const asked = await handshake(listener.port, { servername: 'a.test' });
    assert.match(await ask(asked), /^HTTP\/1\.1 200 /);
    for (const one of [...waiting, asked]) one.destroy();
  });
});
