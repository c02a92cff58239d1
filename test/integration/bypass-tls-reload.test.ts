// Connections that were made before their host asked its clients for a certificate, and are still there after.

import assert from 'node:assert/strict';
import { connect as connectHttp2 } from 'node:http2';
import { after, before, describe, test } from 'node:test';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { eventually, startGateway, type TestGateway } from '../support/gateway.ts';
import { type Origin, startOrigin } from '../support/origin.ts';
import { type Authority, type Issued, makeAuthority } from '../support/pki.ts';

let pki: Authority;
let other: Authority;
let third: Authority;
let issued: Issued;
let origin: Origin;
before(async () => {
  pki = makeAuthority();
  other = makeAuthority('Other Root');
  third = makeAuthority('Third Root');
  issued = pki.issue(['open.test', 'secret.test']);
  origin = await startOrigin();
});
after(async () => {
  await origin?.stop();
  pki?.close();
  other?.close();
  third?.close();
});

interface Site {
  /** Of the host `secret.test`; absent: it asks for none. */
  readonly clients?: object;
  /** Of all other hosts. */
  readonly all?: object;
}

/** Makes one configuration another one. */
let round = 0;

function site({ clients, all }: Site): object {
  round += 1;
  const router = (host: string, options?: string): object => ({
    rule: `Host(\`${host}\`)`,
    entryPoints: ['web'],
    priority: round,
    service: 'origin',
    tls: options === undefined ? {} : { options },
  });
  return {
    http: {
      routers: {
        open: router('open.test'),
        secret: router('secret.test', clients === undefined ? undefined : 'clients'),
      },
      services: { origin: { loadBalancer: { servers: [{ url: origin.url }] } } },
    },
    tls: {
      certificates: [{ certFile: issued.cert, keyFile: issued.key }],
      options: {
        none: {},
        ...(clients === undefined ? {} : { clients: { clientAuth: clients } }),
        ...(all === undefined ? {} : { default: { clientAuth: all } }),
      },
    },
  };
}

const demanded = (...authorities: readonly Authority[]): object => ({
  clientAuthType: 'RequireAndVerifyClientCert',
  caFiles: authorities.map(({ root }) => root),
});

interface Kept {
  readonly socket: TLSSocket;
  text: string;
  closed: boolean;
}

/** A connection that stays. */
async function open(gateway: TestGateway, servername: string, more: object = {}): Promise<Kept> {
  const socket = connectTls({
    port: gateway.port('web'),
    host: '127.0.0.1',
    servername,
    rejectUnauthorized: false,
    ALPNProtocols: ['http/1.1'],
    ...more,
  });
  const kept: Kept = { socket, text: '', closed: false };
  socket.on('data', (chunk: Buffer) => (kept.text += chunk.toString('latin1')));
  socket.on('error', () => {});
  socket.on('close', () => (kept.closed = true));
  await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
  return kept;
}

/** Status of the next answer on it; 0 when it was cut. */
async function ask(kept: Kept, host: string): Promise<number> {
  kept.text = '';
  kept.socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  await eventually('an answer', () => kept.text.includes('\r\n\r\n') || kept.closed);
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(kept.text)?.[1] ?? 0);
}

for (const engine of ['auto', 'node'] as const) {
  const title = `a host that asks for client certificates from now on, ${engine} engine`;
  describe(title, { timeout: 60_000 }, () => {
    let gateway: TestGateway;
    before(async () => {
      gateway = await startGateway({ static: { entryPoints: { web: { engine } } }, dynamic: site({}) });
    });
    after(() => gateway?.stop());

    for (const [what, then] of [
      ['by options of its own', () => site({ clients: demanded(pki) })],
      ['by the default options', () => site({ all: demanded(pki) })],
    ] as const) {
      test(`${what}: is not reached over a connection that has shown none, used or idle`, async () => {
        await gateway.writeDynamic(site({}));
        const kept: Kept[] = [];
        // The engine may be changing back: what is refused comes again.
        await eventually('connections', async () => {
          const one = await open(gateway, 'secret.test').catch(() => null);
          if (one !== null && (await ask(one, 'secret.test')) === 200) kept.push(one);
          return kept.length === 4;
        });
        kept.push(await open(gateway, 'secret.test'), await open(gateway, 'secret.test'));
        const before = origin.requests.length;
        await gateway.writeDynamic(then());
        for (const one of kept) {
          const status = await ask(one, 'secret.test');
          assert.ok(status === 421 || status === 0, String(status));
          one.socket.destroy();
        }
        assert.equal(origin.requests.length, before);
      });
    }
  });
}

describe('a connection whose client has shown a certificate', { timeout: 60_000 }, () => {
  let gateway: TestGateway;
  let shown: object;
  before(async () => {
    const client = pki.issue(['client'], { client: true });
    shown = { cert: client.cert, key: client.key };
    gateway = await startGateway({ dynamic: site({ clients: demanded(pki, other) }) });
  });
  after(() => gateway?.stop());

  test('goes on while its authority is trusted, and is refused once it is not', async () => {
    const kept = await open(gateway, 'secret.test', shown);
    assert.equal(await ask(kept, 'secret.test'), 200);
    await gateway.writeDynamic(site({ clients: demanded(pki, other, third) }));
    assert.equal(await ask(kept, 'secret.test'), 200);
    await gateway.writeDynamic(site({ clients: demanded(other) }));
    assert.equal(await ask(kept, 'secret.test'), 421);
    kept.socket.destroy();
  });

  test('of a kind that need not be verified is refused once it must be, over HTTP/2 as well', async () => {
    await gateway.writeDynamic(site({ clients: { clientAuthType: 'RequireAnyClientCert' } }));
    const session = connectHttp2(`https://127.0.0.1:${gateway.port('web')}`, {
      servername: 'secret.test',
      rejectUnauthorized: false,
      ...shown,
    });
    session.on('error', () => {});
    const status = (): Promise<number> =>
      new Promise((resolve) => {
        const stream = session.request({ ':path': '/', ':authority': 'secret.test' });
        stream.on('response', (headers) => resolve(Number(headers[':status'])));
        stream.on('error', () => resolve(0));
        stream.resume();
      });
    try {
      assert.equal(await status(), 200);
      const before = origin.requests.length;
      await gateway.writeDynamic(site({ clients: demanded(other) }));
      assert.equal(await status(), 421);
      assert.equal(origin.requests.length, before);
    } finally {
      session.destroy();
    }
  });
});
