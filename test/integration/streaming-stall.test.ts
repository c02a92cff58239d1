// Silence longer than the engine's own idle timer of half a minute, where the client is not to blame for it.

import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, request as httpRequest, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import { eventually, startGateway } from '../support/gateway.ts';
import { openRaw, routesTo } from '../support/wire.ts';

const stall = 36_000;

test('a held-back upload, a silent event stream and a silent WebSocket outlive the idle timer', async () => {
  let upload: IncomingMessage | undefined;
  let events: ServerResponse | undefined;
  const origin = createServer((request, response) => {
    if (request.method === 'POST') {
      upload = request.pause();
      request.on('end', () => response.end('all of it'));
    } else {
      events = response.writeHead(200, { 'content-type': 'text/event-stream' });
      events.write('data: first\n\n');
    }
  });
  const sockets = new WebSocketServer({ server: origin });
  sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
  await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', () => resolve()));
  const gateway = await startGateway({
    dynamic: routesTo({ s: `http://127.0.0.1:${(origin.address() as AddressInfo).port}` }),
  });
  try {
    const port = gateway.port('web');
    const total = 32 * 1024 * 1024;
    const headers = { 'content-length': total };
    const request = httpRequest({
      host: '127.0.0.1',
      port,
      path: '/s',
      method: 'POST',
      headers,
      agent: false,
    });
    const answered = new Promise<IncomingMessage>((resolve, reject) =>
      request.once('response', resolve).once('error', reject),
    );
    request.end(Buffer.alloc(total));
    const stream = await openRaw(port);
    stream.write('GET /s HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await stream.until(/data: first/);
    const socket = new WebSocket(`ws://127.0.0.1:${port}/s`);
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    await eventually('the upload has begun', () => upload !== undefined);

    await new Promise((resolve) => setTimeout(resolve, stall));

    upload?.resume();
    assert.equal((await answered).statusCode, 200);
    events?.write('data: second\n\n');
    await stream.until(/data: second/, 1000);
    stream.destroy();
    const echo = new Promise<string>((resolve) =>
      socket.once('message', (data: Buffer) => resolve(data.toString())),
    );
    socket.send('still here');
    assert.equal(await echo, 'still here');
    socket.terminate();
  } finally {
    await gateway.stop();
    for (const socket of sockets.clients) socket.terminate();
    origin.closeAllConnections();
    origin.close();
  }
});

test('uploads that came whole while they were held back are answered after the idle timer, too', async () => {
  const origin = createServer((request, response) => {
    request.resume();
    request.on('end', () => setTimeout(() => response.end('taken'), stall));
  });
  await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', () => resolve()));
  const gateway = await startGateway({
    dynamic: routesTo({ s: `http://127.0.0.1:${(origin.address() as AddressInfo).port}` }),
  });
  try {
    // At memory speed: the last bytes of most bodies arrive after the client was told to wait.
    const body = Buffer.alloc(10 * 1024 * 1024, 'portcullis ');
    const upload = (): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const headers = { 'content-length': body.length };
        const port = gateway.port('web');
        const request = httpRequest({ port, path: '/s', method: 'POST', headers, agent: false });
        request.once('error', reject).once('response', (answer) => resolve(answer.resume().statusCode));
        request.end(body);
      });
    const answers = await Promise.all(Array.from({ length: 8 }, upload));
    assert.deepEqual(
      answers,
      Array.from({ length: 8 }, () => 200),
    );
  } finally {
    await gateway.stop();
    origin.closeAllConnections();
    origin.close();
  }
});
