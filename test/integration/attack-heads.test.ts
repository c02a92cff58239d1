// Attacks on the heads of answers: no text of a configuration, a client or a server begins a line of its own.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { type Origin, startOrigin } from '../support/origin.ts';
import { requestText, sendRaw } from '../support/raw.ts';
import { startWireServer, type WireServer } from '../support/wire.ts';

// Their low bytes are CR and LF: a careless step to latin1 makes a new line of them.
const nasty = 'a\u010d\u010ax-evil: 1\u010d\u010a\u010d\u010a<b>\u20ac\u00e9';

describe('heads under attack', () => {
  let origin: Origin;
  let wire: WireServer;
  let wireHead = '';
  let gateway: TestGateway;
  let names: readonly string[] = [];
  before(async () => {
    origin = await startOrigin();
    wire = await startWireServer((socket, text) => {
      if (text.endsWith('\r\n\r\n')) socket.write(Buffer.from(wireHead, 'latin1'));
    });
    const auth = (extra: object = {}): object => ({ forwardAuth: { address: wire.url, ...extra } });
    const middlewares: Record<string, object> = {
      custom: { headers: { customResponseHeaders: { 'X-A': nasty } } },
      csp: { headers: { contentSecurityPolicy: nasty, referrerPolicy: nasty, permissionsPolicy: nasty } },
      frame: { headers: { customFrameOptionsValue: nasty, customBrowserXSSValue: nasty, publicKey: nasty } },
      cors: {
        headers: {
          accessControlAllowOriginList: ['*'],
          accessControlAllowMethods: [nasty],
          accessControlExposeHeaders: [nasty],
        },
      },
      request: { headers: { customRequestHeaders: { 'X-A': nasty } } },
      redirect: { redirectRegex: { regex: '^(.*)$', replacement: `http://x.test/${nasty}\${1}` } },
      scheme: { redirectScheme: { scheme: 'https', port: nasty } },
      prefix: { addPrefix: { prefix: `/${nasty}` } },
      path: { replacePath: { path: `/${nasty}` } },
      signin: auth({ authSigninURL: `http://x.test/${nasty}` }),
      field: auth({ headerField: nasty }),
      plainAuth: auth(),
      errors: { errors: { status: ['200-599'], service: 'wire', query: `/${nasty}` } },
      basic: { basicAuth: { users: ['a:$apr1$x$x'], realm: nasty } },
      digest: { digestAuth: { users: ['a:traefik:x'], realm: nasty } },
      none: { chain: { middlewares: [] } },
    };
    names = Object.keys(middlewares);
    const cookie = { sticky: { cookie: { name: 'c', path: `/${nasty}`, domain: nasty } } };
    const named = { sticky: { cookie: { name: nasty } } };
    gateway = await startGateway({
      dynamic: {
        http: {
          middlewares,
          routers: {
            ...Object.fromEntries(
              names.map((name) => [
                name,
                { rule: `Host(\`${name.toLowerCase()}.test\`)`, service: 'origin', middlewares: [name] },
              ]),
            ),
            wire: { rule: 'Host(`wire.test`)', service: 'wire' },
            cookie: { rule: 'Host(`cookie.test`)', service: 'cookie' },
            named: { rule: 'Host(`named.test`)', service: 'named' },
          },
          services: {
            origin: { loadBalancer: { servers: [{ url: origin.url }] } },
            wire: { loadBalancer: { servers: [{ url: wire.url }] } },
            cookie: { loadBalancer: { servers: [{ url: origin.url }], ...cookie } },
            named: { loadBalancer: { servers: [{ url: origin.url }], ...named } },
          },
        },
      },
    });
    names = [...names, 'wire', 'cookie', 'named'];
  });
  after(async () => {
    await gateway.stop();
    await Promise.all([origin.stop(), wire.stop()]);
  });

  const get = (host: string, target = '/', lines: readonly string[] = []) =>
    sendRaw(
      gateway.port('web'),
      requestText(`GET ${target}`, [`Host: ${host.toLowerCase()}.test`, 'Connection: close', ...lines]),
    );

  test('no text of the configuration begins a line of its own', async () => {
    wireHead = 'HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\nno';
    for (const name of names) {
      const { text, statuses } = await get(name);
      assert.equal(statuses.length, 1, `${name}: ${text}`);
      const head = text.slice(0, text.indexOf('\r\n\r\n'));
      assert.doesNotMatch(head, /^x-evil/im, name);
      assert.doesNotMatch(head.replaceAll('\r\n', ''), /[\r\n\0]/, name);
    }
    assert.ok(origin.requests.every(({ headers }) => headers['x-evil'] === undefined));
    assert.ok(wire.connections.every((connection) => !/\r\nx-evil/i.test(connection.text())));
  });

  test('nothing a client says comes back as a line of its own', async () => {
    wireHead = 'HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\nno';
    const targets = [
      '/%0d%0ax-evil:1',
      '/%C4%8D%C4%8Ax-evil:1',
      '/\u00c4\u008d\u00c4\u008ax-evil:1',
      '/?a=%0d%0ax-evil:1',
    ];
    for (const target of targets) {
      for (const name of ['redirect', 'scheme', 'cors', 'signin']) {
        const { text } = await get(name, target, [`Origin: http://a\u00c4\u008d\u00c4\u008ax-evil: 1`]);
        assert.doesNotMatch(text, /^x-evil/im, `${name} ${target}`);
      }
    }
  });

  test('what a server says is passed on as it is or not at all', async () => {
    const heads = [
      'X-A: a\rx-evil: 1',
      'X-A: a\nx-evil: 1',
      'X-A: a\0b',
      'X A: 1',
      ': 1',
      'X-A : 1',
      ' folded: 1',
      'X-A: \x7f',
    ];
    for (const line of heads) {
      wireHead = `HTTP/1.1 200 OK\r\n${line}\r\nContent-Length: 2\r\n\r\nok`;
      for (const name of ['wire', 'plainAuth', 'errors']) {
        const { text, statuses } = await get(name);
        assert.equal(statuses.length, 1, `${name} ${JSON.stringify(line)}`);
        const head = text.slice(0, text.indexOf('\r\n\r\n'));
        if (line !== 'X-A: a\nx-evil: 1')
          assert.doesNotMatch(head, /^x-evil/im, `${name} ${JSON.stringify(line)}`);
        assert.doesNotMatch(head.replaceAll('\r\n', ''), /[\r\n\0]/, `${name} ${JSON.stringify(line)}`);
      }
    }
  });

  test('a head of any length leaves whole, one after the other', async () => {
    for (const length of [0, 1, 7_900, 8_100, 8_192, 8_193, 9_000, 15_000]) {
      const value = '\u00e9'.repeat(length);
      wireHead = `HTTP/1.1 200 OK\r\nX-A: ${value}\r\nContent-Length: 2\r\n\r\nok`;
      const { text } = await get('wire');
      assert.equal(/^x-a: (.*)$/im.exec(text)?.[1]?.trim(), value, String(length));
      wireHead = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nshort';
      assert.doesNotMatch((await get('wire')).text, /\u00e9/);
    }
  });
});
