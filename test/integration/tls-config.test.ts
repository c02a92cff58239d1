// TLS from what is written to what a client meets: certificates in files, redirection, and what the API says of it.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connect } from 'node:tls';
import { ask } from '../support/ask.ts';
import { eventually, runCommand, startGateway, type TestGateway } from '../support/gateway.ts';
import { type Origin, startOrigin } from '../support/origin.ts';
import { type Authority, makeAuthority } from '../support/pki.ts';

interface Met {
  readonly subject: string;
  readonly answer: string;
}

describe('TLS as it is configured', () => {
  let gateway: TestGateway;
  let origin: Origin;
  let authority: Authority;
  const put = (names: readonly string[]): void => {
    const { cert, key } = authority.issue(names);
    writeFileSync(join(gateway.dir, 'a.crt'), cert);
    writeFileSync(join(gateway.dir, 'a.key'), key);
  };
  const meet = (servername: string, entryPoint = 'websecure'): Promise<Met> =>
    new Promise((resolve, reject) => {
      const socket = connect(
        {
          host: '127.0.0.1',
          port: gateway.port(entryPoint),
          servername,
          ca: authority.root,
          rejectUnauthorized: false,
        },
        () => {
          const subject = socket.getPeerCertificate().subject?.CN ?? '';
          let answer = '';
          socket.setEncoding('utf8');
          socket.on('data', (text: string) => (answer += text));
          socket.on('close', () => resolve({ subject: String(subject), answer }));
          socket.write(`GET / HTTP/1.1\r\nHost: ${servername}\r\nConnection: close\r\n\r\n`);
        },
      );
      socket.setTimeout(10_000, () => socket.destroy(new Error('no answer')));
      socket.on('error', reject);
    });
  const api = async (path: string): Promise<unknown> =>
    (await fetch(`${gateway.url('traefik')}/api/${path}`)).json();

  const dynamic = (): object => ({
    http: {
      routers: {
        app: { rule: 'Host(`a.test`)', service: 'app', entryPoints: ['websecure'], tls: {} },
        everywhere: { rule: 'Host(`e.test`)', service: 'app', tls: {} },
      },
      services: { app: { loadBalancer: { servers: [{ url: origin.url }] } } },
    },
    tls: { certificates: [{ certFile: join(gateway.dir, 'a.crt'), keyFile: join(gateway.dir, 'a.key') }] },
  });

  before(async () => {
    authority = makeAuthority();
    origin = await startOrigin();
    gateway = await startGateway({
      static: {
        entryPoints: {
          web: { http: { redirections: { entryPoint: { to: 'websecure' } } } },
          websecure: {},
        },
        ping: { entryPoint: 'web' },
      },
    });
    put(['a.test']);
    await gateway.writeDynamic(dynamic());
  });
  after(async () => {
    await gateway.stop();
    await origin.stop();
    authority.close();
  });

  test('a certificate of a file is served, and the router behind it answers', async () => {
    await eventually(
      'the listener serves TLS',
      async () => (await meet('a.test').catch(() => null)) !== null,
    );
    const { subject, answer } = await meet('a.test');
    assert.equal(subject, 'a.test');
    assert.match(answer, /^HTTP\/1\.1 200 /);
  });

  test('the other entry point redirects to the TLS one, with its port, but not the ping', async () => {
    const moved = await ask(gateway.port('web'), { host: 'a.test', target: '/x?y=1' });
    assert.equal(moved.status, 301);
    assert.ok(moved.headers.includes(`location: https://a.test:${gateway.port('websecure')}/x?y=1`));
    const posted = await ask(gateway.port('web'), { host: 'a.test', method: 'POST' });
    assert.equal(posted.status, 308);
    assert.equal((await ask(gateway.port('web'), { host: 'a.test', target: '/ping' })).status, 200);
  });

  test('a replaced certificate is served without a reload of anything else', async () => {
    put(['new.test', 'a.test']);
    await eventually(
      'the new certificate is served',
      async () => (await meet('a.test')).subject === 'new.test',
    );
    writeFileSync(join(gateway.dir, 'a.key'), 'garbage');
    await gateway.waitForLog(/last good certificate stays in use/);
    assert.equal((await meet('a.test')).subject, 'new.test');
  });

  test('the API says how entry points listen and which certificates there are, without a key or a PEM text', async () => {
    const points = (await api('entrypoints')) as { name: string; engine: string; side: string }[];
    assert.deepEqual(
      points.map(({ name, engine, side }) => `${name} ${engine} ${side}`),
      ['traefik uws cleartext', 'web uws cleartext', 'websecure uws tls'],
    );
    const certificates = (await api('tls/certificates')) as { names: string[]; source: string }[];
    assert.deepEqual(
      certificates.map(({ names, source }) => [names, source]),
      [[['a.test', 'new.test'], 'file']],
    );
    const [shown] = (await api('certificates')) as { name: string; commonName: string; status: string }[];
    assert.deepEqual([shown?.commonName, shown?.status], ['new.test', 'warning']);
    assert.equal(((await api(`certificates/${shown?.name}`)) as { name: string }).name, shown?.name);
    const { tls } = (await api('http/routers/app@file')) as { tls: object };
    assert.deepEqual(tls, { options: 'default' });
    const key = readFileSync(join(gateway.dir, 'a.key'), 'utf8');
    const everything = JSON.stringify([
      await api('rawdata'),
      await api('certificates'),
      await api('tls/certificates'),
      await api('diagnostics'),
      await api('overview'),
    ]);
    assert.doesNotMatch(everything, /BEGIN|PRIVATE/);
    assert.ok(!everything.includes(key.slice(0, 20)) || key === 'garbage');
  });

  test('explain tells the handshake of a running gateway, and why a side is not there', async () => {
    const explain = (url: string) =>
      runCommand(['explain', 'GET', url, '--endpoint', gateway.url('traefik')]);
    const { code, output } = await explain(`https://a.test:${gateway.port('websecure')}/`);
    assert.equal(code, 0, output);
    assert.match(output, /handshake: +server name a\.test, engine uws, options default/);
    assert.match(output, /certificate: a\.test, new\.test \(file, until \d{4}-/);
    assert.match(
      (await explain(`https://e.test:${gateway.port('web')}/`)).output,
      /no handshake: entry point web serves cleartext only/,
    );
    assert.match(
      (await explain(`http://a.test:${gateway.port('websecure')}/`)).output,
      /no answer: entry point websecure serves TLS only/,
    );
    assert.match(
      (await explain(`https://e.test:${gateway.port('websecure')}/`)).output,
      /none for this name: one the gateway has made itself/,
    );
  });
});
