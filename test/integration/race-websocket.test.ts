// A tunnel that ends while one of its sides is held back.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { test, type TestContext } from 'node:test';
import WebSocket, { WebSocketServer } from 'ws';
import { eventually, startGateway } from '../support/gateway.ts';

test('a client that reads nothing and says goodbye frees the connection of its server at once', async (context) => {
  const { server, flooded } = await startFlood(context);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const gateway = await startGateway({
    engine: 'uws',
    dynamic: {
      http: {
        routers: { flood: { rule: 'PathPrefix(`/`)', service: 'flood', entryPoints: ['web'] } },
        services: { flood: { loadBalancer: { servers: [{ url }] } } },
      },
    },
  });
  context.after(() => gateway.stop());
  const client = connect(gateway.port('web'), '127.0.0.1');
  context.after(() => void client.destroy());
  client.on('error', () => {});
  const fields = 'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13';
  client.write(
    `GET / HTTP/1.1\r\nHost: a.test\r\n${fields}\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
  );
  await once(client, 'readable');
  await eventually('its server is held back', () => flooded.held >= 3);
  assert.equal(flooded.closed, false);
  // A close frame, masked with zeros: 1000.
  client.write(Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8]));
  await eventually('the server is free', () => flooded.closed, 5_000);
});

interface Flooded {
  /** Looks in a row at which nothing more had left. */
  held: number;
  closed: boolean;
}

/** Sends for as long as somebody reads. */
async function startFlood(
  context: TestContext,
): Promise<{ readonly server: Server; readonly flooded: Flooded }> {
  const server = createServer();
  const sockets = new WebSocketServer({ server });
  const flooded: Flooded = { held: 0, closed: false };
  sockets.on('connection', (socket) => {
    let before = -1;
    const timer = setInterval(() => {
      if (socket.readyState !== WebSocket.OPEN) return;
      flooded.held = socket.bufferedAmount > 0 && socket.bufferedAmount === before ? flooded.held + 1 : 0;
      for (let i = 0; i < 64 && socket.bufferedAmount < 1024 * 1024; i++) socket.send(Buffer.alloc(65_536));
      before = socket.bufferedAmount;
    }, 50);
    socket.on('close', () => {
      clearInterval(timer);
      flooded.closed = true;
    });
    socket.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => {
    for (const socket of sockets.clients) socket.terminate();
    server.close();
  });
  return { server, flooded };
}
