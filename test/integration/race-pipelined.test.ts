// Requests that wait behind another one on their connection while the configuration changes.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { after, before, beforeEach, describe, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { eventually, startGateway, type TestGateway } from '../support/gateway.ts';
import { type Origin, startOrigin } from '../support/origin.ts';
import { type Authority, type Issued, makeAuthority } from '../support/pki.ts';

describe('a request that waits for its turn while the configuration changes', () => {
  const held: ServerResponse[] = [];
  let pki: Authority;
  let issued: Issued;
  let origin: Origin;
  let gateway: TestGateway;
  let round = 0;

  before(async () => {
    pki = makeAuthority();
    issued = pki.issue(['open.test', 'secret.test']);
    origin = await startOrigin({
      answer(asked, response) {
        if (asked.url === '/hold') held.push(response);
        else response.end('served');
      },
    });
    gateway = await startGateway({
      static: { entryPoints: { web: {}, safe: { http: { tls: {} } } } },
      engine: 'node',
      dynamic: site({}),
    });
  });
  after(async () => {
    await gateway?.stop();
    await origin?.stop();
    pki?.close();
  });
  beforeEach(async () => {
    await gateway.writeDynamic(site({}));
    origin.requests.length = 0;
    held.length = 0;
  });

  test('brings no header that is the auth server’s to set from now on', async () => {
    const socket = connect(gateway.port('web'), '127.0.0.1');
    const answers = await waitBehind(socket, 'GET / HTTP/1.1\r\nHost: open.test\r\nX-User: admin\r\n\r\n', {
      auth: true,
    });
    assert.match(answers, /served/);
    assert.equal(origin.requests.at(-1)?.target, '/');
    assert.equal(origin.requests.at(-1)?.headers['x-user'], undefined);
  });

  test('reaches no host that asks for a certificate from now on', async () => {
    const socket = connectTls({
      port: gateway.port('safe'),
      host: '127.0.0.1',
      servername: 'open.test',
      rejectUnauthorized: false,
      ALPNProtocols: ['http/1.1'],
    });
    await once(socket, 'secureConnect');
    const answers = await waitBehind(socket, 'GET / HTTP/1.1\r\nHost: secret.test\r\n\r\n', {
      clients: true,
    });
    assert.match(answers, /HTTP\/1\.1 421 /);
    assert.equal(origin.requests.length, 1);
  });

  /** What is answered to a request that came before the change, and had its turn after it. */
  async function waitBehind(socket: Socket, second: string, changes: Changes): Promise<string> {
    let answers = '';
    socket.on('data', (chunk: Buffer) => (answers += chunk.toString('latin1')));
    socket.on('error', () => {});
    socket.write(`GET /hold HTTP/1.1\r\nHost: open.test\r\n\r\n${second}`);
    await eventually('the first is with its server', () => held.length === 1);
    await gateway.writeDynamic(site(changes));
    held[0]?.end('first');
    await eventually('both are answered', () => answers.split('HTTP/1.1 ').length === 3);
    socket.destroy();
    return answers;
  }

  interface Changes {
    readonly auth?: boolean;
    readonly clients?: boolean;
  }

  function site({ auth = false, clients = false }: Changes): object {
    const authorised = { forwardAuth: { address: origin.url, authResponseHeaders: ['X-User'] } };
    const router = (host: string, more: object): object => ({
      rule: `Host(\`${host}\`)`,
      service: 'origin',
      ...more,
    });
    return {
      http: {
        routers: {
          open: router('open.test', { entryPoints: ['web', 'safe'] }),
          secret: router('secret.test', {
            entryPoints: ['safe'],
            ...(clients ? { tls: { options: 'clients' } } : {}),
          }),
          // Makes one configuration another one.
          other: router(`${round++}.test`, { middlewares: [auth ? 'auth' : 'plain'] }),
        },
        middlewares: { plain: { addPrefix: { prefix: '/a' } }, ...(auth ? { auth: authorised } : {}) },
        services: { origin: { loadBalancer: { servers: [{ url: origin?.url ?? 'http://127.0.0.1:1' }] } } },
      },
      tls: {
        certificates: [{ certFile: issued.cert, keyFile: issued.key }],
        options: {
          clients: { clientAuth: { caFiles: [pki.root], clientAuthType: 'RequireAndVerifyClientCert' } },
        },
      },
    };
  }
});
