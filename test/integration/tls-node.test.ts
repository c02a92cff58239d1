// TLS on the node engine as clients meet it: certificates, options, challenges, resumption, and hostile hellos.

import assert from 'node:assert/strict';
import { spawnSync, spawn } from 'node:child_process';
import { connect as connectHttp2 } from 'node:http2';
import { connect as connectTls } from 'node:tls';
import { after, before, describe, test } from 'node:test';
import { eventually } from '../support/gateway.ts';
import { startOrigin, type Origin } from '../support/origin.ts';
import { makeAuthority, type Authority, type Issued } from '../support/pki.ts';
import { openTlsBench, specOf, tlsOptions, type TlsBench } from '../support/tls-bench.ts';
import { judgeBySslscan, startSlicer, tlsAsk } from '../support/tls-client.ts';
import { exchangeRaw, openRaw } from '../support/wire.ts';

const noSslscan = (process.env['PORTCULLIS_TEST_MISSING'] ?? '').includes('sslscan');
let pki: Authority;
let origin: Origin;
let certificates: {
  readonly a: Issued;
  readonly wild: Issued;
  readonly fallback: Issued;
  readonly ip: Issued;
};
before(async () => {
  pki = makeAuthority();
  origin = await startOrigin();
  certificates = {
    a: pki.issue(['a.test', 'old.test', 'strict.test', 'modern.test']),
    wild: pki.issue(['*.b.test'], { rsa: true }),
    fallback: pki.issue(['default.test']),
    ip: pki.issue(['127.0.0.1']),
  };
});
after(async () => {
  await origin?.stop();
  pki?.close();
});

const ask = (host: string, target = '/o/x'): string =>
  `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;

describe('certificates and options by name', { timeout: 60_000 }, () => {
  let bench: TlsBench;
  before(async () => {
    bench = await openTlsBench({
      routes: { o: origin.url },
      certificates: [certificates.a, certificates.wild],
      defaultCertificate: certificates.fallback,
      options: [
        tlsOptions('old@file', {
          minVersion: 'TLSv1',
          maxVersion: 'TLSv1.2',
          cipherSuites: ['ECDHE-ECDSA-AES128-SHA'],
          alpnProtocols: ['http/1.1'],
        }),
        tlsOptions('modern@file', { minVersion: 'TLSv1.3', curvePreferences: ['P-384'] }),
        tlsOptions('strict@file', { sniStrict: true }),
        tlsOptions('broken@file', { errors: ['no such file'] }),
        tlsOptions('odd@file', { cipherSuites: ['NO-SUCH-SUITE'] }),
      ],
      hosts: {
        'old.test': 'old@file',
        'modern.test': 'modern@file',
        'strict.test': 'strict@file',
        'nowhere.test': 'strict@file',
        'broken.test': 'broken@file',
        'odd.test': 'odd@file',
        'gone.test': 'gone@file',
        '*.b.test': 'modern@file',
        'x.b.test': 'old@file',
      },
    });
  });
  after(() => bench?.close());

  test('sslscan finds TLS 1.2 and 1.3 with strong suites only', { skip: noSslscan }, async () => {
    await judgeBySslscan(bench.port, 'a.test');
  });

  test('the certificate of the name is shown: exact, by wildcard, else the default one', async () => {
    const shown = async (servername: string): Promise<string> =>
      (await tlsAsk(bench.port, { servername })).names;
    assert.match(await shown('a.test'), /DNS:a\.test/);
    assert.match(await shown('A.TEST'), /DNS:a\.test/);
    assert.equal(await shown('one.b.test'), 'DNS:*.b.test');
    assert.equal(await shown('one.two.b.test'), 'DNS:default.test');
    assert.equal(await shown('b.test'), 'DNS:default.test');
    assert.equal(await shown('other.test'), 'DNS:default.test');
    assert.equal(await shown(''), 'DNS:default.test');
  });

  test('a request over TLS is https to rules and servers, and its answer whole', async () => {
    const got = await tlsAsk(
      bench.port,
      { servername: 'a.test', ca: pki.root, rejectUnauthorized: true },
      ask('a.test'),
    );
    assert.equal(got.error, null);
    assert.equal(got.status, 200);
    assert.match(got.text, /origin$/);
    assert.equal(origin.requests.at(-1)?.headers['x-forwarded-proto'], 'https');
  });

  test('versions, ciphers, curves and protocols are those of the options of the name', async () => {
    const old = await tlsAsk(
      bench.port,
      { servername: 'old.test', ALPNProtocols: ['h2', 'http/1.1'] },
      ask('old.test'),
    );
    assert.deepEqual(
      [old.error, old.version, old.cipher, old.protocol, old.status],
      [null, 'TLSv1.2', 'ECDHE-ECDSA-AES128-SHA', 'http/1.1', 200],
    );
    const tls10 = { minVersion: 'TLSv1', maxVersion: 'TLSv1', ciphers: 'ALL:@SECLEVEL=0' } as const;
    const oldest = await tlsAsk(bench.port, { servername: 'old.test', ...tls10 }, ask('old.test'));
    assert.deepEqual([oldest.error, oldest.version], [null, 'TLSv1']);
    assert.notEqual((await tlsAsk(bench.port, { servername: 'a.test', ...tls10 })).error, null);
    const modern = await tlsAsk(bench.port, { servername: 'modern.test' }, ask('modern.test'));
    assert.deepEqual([modern.version, modern.status], ['TLSv1.3', 200]);
    const tls12 = await tlsAsk(bench.port, { servername: 'modern.test', maxVersion: 'TLSv1.2' });
    assert.equal(tls12.error, 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
    const curve = await tlsAsk(bench.port, { servername: 'modern.test', ecdhCurve: 'P-256' });
    assert.notEqual(curve.error, null);
    const ordered = await tlsAsk(bench.port, { servername: 'a.test', ALPNProtocols: ['http/1.1', 'h2'] }, '');
    assert.equal(ordered.protocol, 'h2');
    const none = await tlsAsk(bench.port, { servername: 'a.test', ALPNProtocols: ['spdy/3'] });
    assert.match(none.error ?? '', /NO_APPLICATION_PROTOCOL/);
  });

  test('broken, unknown and unusable options fail the handshakes of their hosts, and no others', async () => {
    for (const servername of ['broken.test', 'odd.test', 'gone.test'])
      assert.match((await tlsAsk(bench.port, { servername })).error ?? '', /INTERNAL_ERROR/, servername);
    assert.equal((await tlsAsk(bench.port, { servername: 'a.test' })).status, 200);
    await tlsAsk(bench.port, { servername: 'odd.test' });
    const warnings = bench.logs.filter((line) => line.includes('odd@file'));
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /ERR_SSL_NO_CIPHER_MATCH/);
  });

  test('with sniStrict a name without a certificate fails, one with it does not', async () => {
    const unknown = await tlsAsk(bench.port, { servername: 'nowhere.test' });
    assert.match(unknown.error ?? '', /UNRECOGNIZED_NAME/);
    assert.equal((await tlsAsk(bench.port, { servername: 'strict.test' }, ask('strict.test'))).status, 200);
  });

  test('a host with other options than the connection’s is misdirected, on HTTP/1 and HTTP/2', async () => {
    const asked = async (servername: string, host: string): Promise<number> =>
      (await tlsAsk(bench.port, { servername }, ask(host))).status;
    assert.equal(await asked('a.test', 'modern.test'), 421);
    assert.equal(await asked('a.test', 'MODERN.test:443'), 421);
    assert.equal(await asked('a.test', 'modern.test.'), 421);
    assert.equal(await asked('modern.test', 'a.test'), 421);
    assert.equal(await asked('', 'old.test'), 421);
    assert.equal(await asked('a.test', 'other.test'), 200);
    assert.equal(await asked('modern.test', 'y.b.test'), 200);
    assert.equal(await asked('modern.test', 'x.b.test'), 421);
    const session = connectHttp2(`https://127.0.0.1:${bench.port}`, {
      servername: 'a.test',
      rejectUnauthorized: false,
    });
    const over = async (authority: string): Promise<number> => {
      const stream = session.request({ ':path': '/o/x', ':authority': authority });
      const status = await new Promise<number>((resolve) =>
        stream.on('response', (head) => resolve(Number(head[':status']))),
      );
      stream.resume();
      return status;
    };
    assert.deepEqual(
      [await over('a.test'), await over('modern.test'), await over('other.test')],
      [200, 421, 200],
    );
    session.destroy();
  });

  test('new certificates and options hold for new handshakes, and no connection is lost', async () => {
    const kept = connectTls({
      port: bench.port,
      host: '127.0.0.1',
      servername: 'a.test',
      rejectUnauthorized: false,
    });
    let text = '';
    kept.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
    kept.write('GET /o/1 HTTP/1.1\r\nHost: a.test\r\n\r\n');
    await eventually('the first answer', () => text.includes('origin'));
    const renewed = pki.issue(['a.test']);
    bench.apply({
      certificates: [renewed, certificates.wild],
      options: [tlsOptions('default', { maxVersion: 'TLSv1.2' })],
      hosts: {},
    });
    const got = await tlsAsk(bench.port, { servername: 'a.test' });
    assert.equal(got.fingerprint, specOf(renewed).fingerprint);
    assert.equal(got.version, 'TLSv1.2');
    text = '';
    kept.write('GET /o/2 HTTP/1.1\r\nHost: a.test\r\n\r\n');
    await eventually('the second answer', () => text.includes('origin'));
    kept.destroy();
  });
});

describe('what a connection may begin with', { timeout: 60_000 }, () => {
  test('on an entry point of both sides TLS, HTTP/1 and HTTP/2 by prior knowledge are told apart', async () => {
    const bench = await openTlsBench({
      side: 'both',
      routes: { o: origin.url },
      defaultCertificate: certificates.a,
    });
    try {
      assert.equal((await tlsAsk(bench.port)).status, 200);
      assert.equal(origin.requests.at(-1)?.headers['x-forwarded-proto'], 'https');
      assert.match(await exchangeRaw(bench.port, '/o/x'), /^HTTP\/1\.1 200 /);
      assert.equal(origin.requests.at(-1)?.headers['x-forwarded-proto'], 'http');
      for (const [scheme, secure] of [
        ['http', false],
        ['https', true],
      ] as const) {
        const session = connectHttp2(
          `${scheme}://127.0.0.1:${bench.port}`,
          secure ? { rejectUnauthorized: false } : {},
        );
        const stream = session.request({ ':path': '/o/x' });
        for await (const chunk of stream) assert.equal(String(chunk), 'origin');
        assert.equal(origin.requests.at(-1)?.headers['x-forwarded-proto'], scheme);
        session.close();
      }
    } finally {
      await bench.close();
    }
  });

  test('where only TLS is spoken HTTP is told so, and other bytes get an alert', async () => {
    const bench = await openTlsBench({ routes: { o: origin.url }, defaultCertificate: certificates.a });
    try {
      assert.match(await exchangeRaw(bench.port, '/o/x'), /^HTTP\/1\.1 400 .*HTTPS, and only that\.$/s);
      for (const bytes of [
        '\x17\x03\x03\x00\x01x',
        '\x16\x02',
        '\x16\x03\x01\x00\x04\x02\x00\x00\x00',
        '\x00',
      ]) {
        const client = await openRaw(bench.port);
        client.write(Buffer.from(bytes, 'latin1'));
        assert.match(await client.closed(), /^\x15\x03\x03\x00\x02\x02\x32$/);
      }
      const session = connectHttp2(`http://127.0.0.1:${bench.port}`);
      await new Promise<void>((resolve) => session.on('error', () => resolve()).on('close', () => resolve()));
    } finally {
      await bench.close();
    }
  });

  test('a hello that comes byte by byte, and one in many segments with data behind it, are served', async () => {
    const bench = await openTlsBench({
      side: 'both',
      routes: { o: origin.url },
      defaultCertificate: certificates.a,
    });
    const proxy = await startSlicer(bench.port);
    try {
      for (let i = 0; i < 5; i++) {
        const got = await tlsAsk(proxy.port, { servername: 'a.test' });
        assert.deepEqual([got.error, got.status], [null, 200]);
      }
    } finally {
      proxy.close();
      await bench.close();
    }
  });

  test('without a name the certificate of the address is shown, also with sniStrict', async () => {
    const bench = await openTlsBench({
      routes: { o: origin.url },
      certificates: [certificates.ip],
      defaultCertificate: certificates.fallback,
      options: [tlsOptions('default', { sniStrict: true })],
    });
    try {
      const got = await tlsAsk(bench.port);
      assert.deepEqual([got.names, got.status], ['IP Address:127.0.0.1', 200]);
      assert.match((await tlsAsk(bench.port, { servername: 'other.test' })).error ?? '', /UNRECOGNIZED_NAME/);
    } finally {
      await bench.close();
    }
    const none = await openTlsBench({
      routes: { o: origin.url },
      certificates: [certificates.a],
      options: [tlsOptions('default', { sniStrict: true })],
    });
    assert.match((await tlsAsk(none.port)).error ?? '', /UNRECOGNIZED_NAME/);
    await none.close();
  });

  test('before there is any certificate handshakes fail and nothing else', async () => {
    const bench = await openTlsBench({ side: 'both', routes: { o: origin.url } });
    assert.match((await tlsAsk(bench.port)).error ?? '', /INTERNAL_ERROR/);
    assert.match(await exchangeRaw(bench.port, '/o/x'), /^HTTP\/1\.1 200 /);
    await bench.close();
  });
});

describe('challenges of certificate authorities', { timeout: 60_000 }, () => {
  test('acme-tls/1 gets the certificate of its challenge and nothing else', async () => {
    const bench = await openTlsBench({ routes: { o: origin.url }, certificates: [certificates.a] });
    const challenge = pki.issue(['a.test'], { subject: '/CN=challenge' });
    const offer = { servername: 'a.test', ALPNProtocols: ['acme-tls/1'] };
    try {
      assert.match((await tlsAsk(bench.port, offer)).error ?? '', /NO_APPLICATION_PROTOCOL/);
      bench.setChallenges([{ kind: 'tls-alpn-01', domain: 'a.test', ...challenge }]);
      const before = origin.requests.length;
      for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
        const got = await tlsAsk(bench.port, { ...offer, minVersion: version, maxVersion: version });
        assert.equal(got.protocol, 'acme-tls/1');
        assert.equal(got.fingerprint, specOf(challenge).fingerprint);
        assert.equal(got.text, '');
      }
      const mixed = await tlsAsk(bench.port, {
        servername: 'a.test',
        ALPNProtocols: ['http/1.1', 'acme-tls/1'],
      });
      assert.deepEqual([mixed.protocol, mixed.text], ['acme-tls/1', '']);
      assert.match(
        (await tlsAsk(bench.port, { ...offer, servername: 'b.test' })).error ?? '',
        /NO_APPLICATION_PROTOCOL/,
      );
      assert.match(
        (await tlsAsk(bench.port, { ...offer, servername: '' })).error ?? '',
        /NO_APPLICATION_PROTOCOL/,
      );
      assert.equal(origin.requests.length, before);
      const usual = await tlsAsk(bench.port, { servername: 'a.test' });
      assert.equal(usual.fingerprint, specOf(certificates.a).fingerprint);
      bench.setChallenges([]);
      assert.match((await tlsAsk(bench.port, offer)).error ?? '', /NO_APPLICATION_PROTOCOL/);
    } finally {
      await bench.close();
    }
  });
});

describe('sessions that are resumed', { timeout: 60_000 }, () => {
  const versions = ['TLSv1.2', 'TLSv1.3'] as const;

  test('a ticket of one worker is good for another, and for nobody of another boot', async () => {
    const options = { routes: { o: origin.url }, certificates: [certificates.a] };
    const one = await openTlsBench(options);
    const other = await openTlsBench(options);
    const stranger = await openTlsBench({ ...options, bootSecret: '77'.repeat(32) });
    try {
      for (const maxVersion of versions) {
        const first = await tlsAsk(one.port, { servername: 'a.test', maxVersion });
        assert.equal(first.resumed, false);
        const session = first.session as Buffer;
        const again = await tlsAsk(other.port, { servername: 'a.test', maxVersion, session });
        assert.deepEqual([again.resumed, again.status], [true, 200], maxVersion);
        const refused = await tlsAsk(stranger.port, { servername: 'a.test', maxVersion, session });
        assert.deepEqual([refused.resumed, refused.status], [false, 200], maxVersion);
      }
    } finally {
      await Promise.all([one.close(), other.close(), stranger.close()]);
    }
  });

  test('nothing agreed under one set of options is resumed under another, and nothing without tickets', async () => {
    const bench = await openTlsBench({
      routes: { o: origin.url },
      certificates: [certificates.a],
      options: [
        tlsOptions('strict@file', { sniStrict: true }),
        tlsOptions('none@file', { sessionTickets: false }),
      ],
      hosts: { 'strict.test': 'strict@file', 'modern.test': 'none@file' },
    });
    try {
      for (const maxVersion of versions) {
        const { session } = await tlsAsk(bench.port, { servername: 'a.test', maxVersion });
        const other = await tlsAsk(
          bench.port,
          { servername: 'strict.test', maxVersion, session: session as Buffer },
          ask('strict.test'),
        );
        assert.deepEqual([other.resumed, other.status], [false, 200]);
        const without = await tlsAsk(
          bench.port,
          { servername: 'modern.test', maxVersion },
          ask('modern.test'),
        );
        if (without.session === null) continue;
        const again = await tlsAsk(
          bench.port,
          { servername: 'modern.test', maxVersion, session: without.session },
          ask('modern.test'),
        );
        assert.equal(again.resumed, false);
      }
    } finally {
      await bench.close();
    }
  });
});

describe('hostile handshakes', { timeout: 60_000 }, () => {
  test('a hello that never ends is cut after readTimeout, however its bytes come, and others are served', async () => {
    const bench = await openTlsBench({
      routes: { o: origin.url },
      certificates: [certificates.a],
      transport: { readTimeout: 1_000 },
    });
    try {
      const started = performance.now();
      const silent = await openRaw(bench.port);
      const slow = await openRaw(bench.port);
      const bytes = Buffer.concat([Buffer.from([22, 3, 1, 2, 0, 1, 0, 1, 252]), Buffer.alloc(500)]);
      let at = 0;
      const drip = setInterval(() => slow.write(bytes.subarray(at, ++at)), 100);
      assert.equal((await tlsAsk(bench.port, { servername: 'a.test' })).status, 200);
      await Promise.all([silent.closed(4_000), slow.closed(4_000)]);
      clearInterval(drip);
      assert.ok(performance.now() - started < 4_000);
    } finally {
      await bench.close();
    }
  });

  test('renegotiation is refused', { skip: spawnSync('openssl', ['version']).status !== 0 }, async () => {
    const bench = await openTlsBench({ routes: { o: origin.url }, certificates: [certificates.a] });
    const client = spawn('openssl', [
      's_client',
      '-connect',
      `127.0.0.1:${bench.port}`,
      '-tls1_2',
      '-servername',
      'a.test',
    ]);
    let said = '';
    client.stdout.on('data', (chunk) => (said += String(chunk)));
    client.stderr.on('data', (chunk) => (said += String(chunk)));
    client.stdin.on('error', () => {});
    const ended = new Promise<number | null>((resolve) => client.on('close', resolve));
    try {
      await eventually('the handshake is over', () => said.includes('Verify return code'));
      client.stdin.write('R\n');
      await eventually('renegotiation is answered', () =>
        /no renegotiation|alert|error/i.test(said.split('RENEGOTIATING')[1] ?? ''),
      );
    } finally {
      client.kill('SIGKILL');
      await ended;
      await bench.close();
    }
  });

  test('hundreds of connections that stop in the middle leave nothing behind', async () => {
    const bench = await openTlsBench({ routes: { o: origin.url }, certificates: [certificates.a] });
    try {
      for (let round = 0; round < 5; round++) {
        await Promise.all(
          Array.from({ length: 60 }, async (_, i) => {
            const client = await openRaw(bench.port);
            client.write(Buffer.from([22, 3, 1, 0, 100, 1].slice(0, (i % 6) + 1)));
            if (i % 2 === 0) client.destroy();
            else client.socket.end();
          }),
        );
      }
      assert.equal((await tlsAsk(bench.port, { servername: 'a.test' })).status, 200);
    } finally {
      await bench.close();
    }
  });
});
