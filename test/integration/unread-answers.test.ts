// A client that asks and asks on one connection and reads nothing: no answer waits in memory behind another one.

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { eventually, startGateway, type TestGateway } from '../support/gateway.ts';
import { startWireServer, type WireServer } from '../support/wire.ts';

const body = 'x'.repeat(60_000);
const answers: Readonly<Record<string, string>> = {
  'of known length': `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  'in chunks': `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
};
/** What the system takes on both sides is a fraction of so many. */
const most = 500;

for (const engine of ['uws', 'node'] as const) {
  describe(`unread answers of the ${engine} engine`, () => {
    let server: WireServer;
    let gateway: TestGateway;
    let says = '';
    let asked = 0;
    before(async () => {
      server = await startWireServer((socket, text) => {
        if (!text.endsWith('\r\n\r\n')) return;
        asked += 1;
        socket.write(says);
      });
      gateway = await startGateway({
        engine,
        dynamic: {
          http: {
            routers: { all: { rule: 'PathPrefix(`/`)', service: 'one' } },
            services: { one: { loadBalancer: { servers: [{ url: server.url }] } } },
          },
        },
      });
    });
    after(async () => {
      await gateway?.stop();
      await server?.stop();
    });

    for (const [name, text] of Object.entries(answers)) {
      test(`${name}: requests behind them are not served`, async () => {
        says = text;
        asked = 0;
        const socket = connect(gateway.port('web'), '127.0.0.1');
        let isClosed = false;
        socket.on('error', () => {}).on('close', () => (isClosed = true));
        let isHeld = false;
        for (let sent = 1; sent <= most && !isClosed && !isHeld; sent += 1) {
          socket.write('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n');
          await eventually('the request is served', () => asked >= sent || isClosed, 500).catch(
            () => (isHeld = true),
          );
          // Its answer follows: who asks before that is refused as one that does not wait.
          await new Promise((resolve) => setTimeout(resolve, 3));
        }
        socket.destroy();
        assert.ok(isClosed || isHeld, `${asked} answers were taken`);
      });
    }
  });
}
