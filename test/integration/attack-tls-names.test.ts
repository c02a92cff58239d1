// A host that demands a client's certificate, looked for by every other name, way and session there is.

import assert from 'node:assert/strict';
import { connect as connectHttp2 } from 'node:http2';
import { after, before, describe, test } from 'node:test';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { type Origin, startOrigin } from '../support/origin.ts';
import { type Authority, makeAuthority } from '../support/pki.ts';
import { tlsAsk } from '../support/tls-client.ts';

/** Of the connection, of the target, of the Host header. */
type Way = readonly [serverName: string, target: string, host: string];

const misdirected: readonly Way[] = [
  ['open.test', '/', 'secret.test'],
  ['open.test', '/', 'SECRET.test'],
  ['open.test', '/', 'secret.test.'],
  ['open.test', '/', 'secret.test:443'],
  ['open.test', '/', 'secret.test.:1'],
  ['open.test', 'http://secret.test/', 'open.test'],
  ['open.test', 'https://secret.test/', 'secret.test'],
  ['open.test', '/', 'x.wild.test'],
  ['open.test', '/', 'X.WILD.TEST'],
  ['open.test', '/', 'upper.test'],
  ['open.test', '/', 'twice.test'],
  ['', '/', 'secret.test'],
  ['', '/', '127.0.0.1'],
  ['', '/', '127.0.0.1:443'],
];
const nobody: readonly Way[] = [
  ['open.test', '/', 'secret.test..'],
  ['open.test', '/', 'y.x.wild.test'],
  ['', '/', '[::ffff:127.0.0.1]'],
  ['', '/', '0x7f.1'],
];
/** Of routers whose demand no handshake can know. */
const unserved: readonly Way[] = [
  ['open.test', '/', 're.test'],
  ['open.test', '/or', 'other.test'],
  ['open.test', '/not', 'other.test'],
  ['open.test', '/any', 'other.test'],
];

describe('a host behind client certificates', { timeout: 60_000 }, () => {
  let pki: Authority;
  let origin: Origin;
  let gateway: TestGateway;

  before(async () => {
    pki = makeAuthority();
    origin = await startOrigin();
    const { cert, key } = pki.issue(['open.test', 'secret.test', '*.wild.test']);
    const router = (rule: string, options?: string): object => ({
      rule,
      entryPoints: ['web'],
      service: 'origin',
      tls: options === undefined ? {} : { options },
    });
    gateway = await startGateway({
      static: { entryPoints: { web: { engine: 'auto' } } },
      dynamic: {
        http: {
          routers: {
            open: router('Host(`open.test`)'),
            secret: router('Host(`secret.test`)', 'clients'),
            wild: router('Host(`*.wild.test`)', 'clients'),
            address: router('Host(`127.0.0.1`)', 'clients'),
            upper: router('Host(`Upper.Test.`)', 'clients'),
            twice: router('!(!Host(`twice.test`))', 'clients'),
            regexp: router('HostRegexp(`^re\\.test$`)', 'clients'),
            or: router('Host(`or.test`) || PathPrefix(`/or`)', 'clients'),
            not: router('!Host(`open.test`) && PathPrefix(`/not`)', 'clients'),
            any: router('PathPrefix(`/any`)', 'clients'),
          },
          services: { origin: { loadBalancer: { servers: [{ url: origin.url }] } } },
        },
        tls: {
          certificates: [{ certFile: cert, keyFile: key }],
          options: {
            clients: {
              clientAuth: { clientAuthType: 'RequireAndVerifyClientCert', caFiles: [pki.root] },
            },
          },
        },
      },
    });
  });
  after(async () => {
    await gateway?.stop();
    await origin?.stop();
    pki?.close();
  });

  const ask = ([servername, target, host]: Way, more: object = {}, head = '') =>
    tlsAsk(
      gateway.port('web'),
      { servername, ...more },
      `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n${head}Connection: close\r\n\r\n`,
    );

  test('no spelling of Host or target leads there over another connection, and no server hears of it', async () => {
    assert.equal((await ask(['open.test', '/', 'open.test'])).status, 200);
    const before = origin.requests.length;
    const expected = [...misdirected.map(() => 421), ...nobody.map(() => 404), ...unserved.map(() => 503)];
    for (const [index, way] of [...misdirected, ...nobody, ...unserved].entries())
      assert.equal((await ask(way)).status, expected[index], JSON.stringify(way));
    const upgrade =
      'Upgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n';
    const socket = await ask(['open.test', '/', 'secret.test'], {}, `${upgrade}Connection: Upgrade\r\n`);
    assert.notEqual(socket.status, 200);
    assert.equal(origin.requests.length, before);
  });

  test('a handshake for it without a certificate fails, however its name is spelled', async () => {
    for (const servername of ['secret.test', 'SECRET.TEST', 'x.wild.test', 'upper.test']) {
      const got = await ask([servername, '/', servername]);
      assert.deepEqual([got.status, got.error === null], [0, false], servername);
    }
  });

  test('an HTTP/2 connection for another host is told to go elsewhere', async () => {
    const url = `https://127.0.0.1:${gateway.port('web')}`;
    const session = connectHttp2(url, { servername: 'open.test', rejectUnauthorized: false });
    const status = (headers: object): Promise<number> =>
      new Promise((resolve) => {
        const stream = session.request({ ':path': '/', ...headers });
        stream.on('response', (head) => resolve(head[':status'] as number));
        stream.on('error', () => resolve(0));
        stream.resume().end();
      });
    assert.equal(await status({ ':authority': 'open.test' }), 200);
    for (const name of ['secret.test', 'SECRET.test.', 'x.wild.test:1'])
      assert.equal(await status({ ':authority': name }), 421, name);
    assert.equal(await status({ ':authority': 'open.test', host: 'secret.test' }), 400);
    assert.equal(await status({ ':authority': 'secret.test', host: 'open.test' }), 400);
    session.destroy();
  });

  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    test(`${maxVersion}: a session of a host without client certificates opens no other`, async () => {
      const open = await ask(['open.test', '/', 'open.test'], { maxVersion });
      assert.notEqual(open.session, null);
      const got = await ask(['secret.test', '/', 'secret.test'], { maxVersion, session: open.session });
      assert.deepEqual([got.status, got.resumed], [0, false]);
    });
  }
});
