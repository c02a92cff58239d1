// Handshakes on their way: no more than there may be, the oldest is cut first.

import assert from 'node:assert/strict';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { createServer as createTls } from 'node:tls';
import { test } from 'node:test';
import { Handshakes, sendAlert } from '../../../../../src/proxy/entrypoints/node/openings.ts';

test('with one too many the oldest handshake is cut, and those that are over do not count', async () => {
  const handshakes = new Handshakes(2);
  const tls = createTls();
  tls.on('tlsClientError', (_error, socket) => socket.destroy());
  const accepted: Socket[] = [];
  const server = createServer((socket) => {
    accepted.push(socket);
    handshakes.begin(socket, tls);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const clients: Client[] = [];
  try {
    for (let i = 0; i < 2; i++) clients.push(await open(server));
    await until(() => accepted.length === 2);
    handshakes.ended(accepted[0] as Socket);
    clients.push(await open(server));
    await until(() => accepted.length === 3);
    assert.deepEqual(
      clients.map((one) => one.isClosed),
      [false, false, false],
    );
    clients.push(await open(server));
    await until(() => clients[1]?.isClosed === true);
    assert.deepEqual(
      clients.map((one) => one.isClosed),
      [false, true, false, false],
    );
  } finally {
    for (const { socket } of clients) socket.destroy();
    for (const socket of accepted) socket.destroy();
    server.close();
  }
});

test('an alert is the last that is said', async () => {
  const server = createServer((socket) => sendAlert(socket, 112));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const client = await open(server);
  await until(() => client.isClosed);
  assert.deepEqual(Buffer.concat(client.chunks), Buffer.from([21, 3, 3, 0, 2, 2, 112]));
  server.close();
});

interface Client {
  readonly socket: Socket;
  readonly chunks: Buffer[];
  isClosed: boolean;
}

function open(server: { address(): unknown }): Promise<Client> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const client: Client = { socket, chunks: [], isClosed: false };
  socket.on('data', (chunk: Buffer) => client.chunks.push(chunk));
  socket.on('close', () => (client.isClosed = true)).on('error', () => {});
  return new Promise((resolve) => socket.once('connect', () => resolve(client)));
}

async function until(check: () => boolean): Promise<void> {
  const deadline = performance.now() + 5_000;
  while (!check()) {
    assert.ok(performance.now() < deadline, 'it did not come to that');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
