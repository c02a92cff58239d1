// What runs on a client's HTTP/2 session when one of the two has said GOAWAY: it is answered, or ends with the
// connection, whatever the client does next.

import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { eventually, startGateway, type TestGateway } from '../support/gateway.ts';
import {
  flags,
  frame,
  type FrameClient,
  frameTypes,
  getFrame,
  headersFrame,
  openFrames,
  windowFrame,
} from '../support/http2-frames.ts';
import { descriptorsOf } from '../support/siege.ts';
import { routesTo } from '../support/wire.ts';

const { data, headers, settings, goaway, continuation } = frameTypes;
const goodbye = frame(goaway, 0, 0, Buffer.alloc(8));
const clients = 8;

/** Each breaks the protocol, or ends the connection. */
const breaches: Readonly<Record<string, Buffer | null>> = {
  'a frame above the size allowed': frame(data, 0, 1, Buffer.alloc(70_000)),
  'DATA on stream 0': frame(data, 0, 0, Buffer.from('x')),
  'an index nobody has': frame(headers, flags.endHeaders, 3, Buffer.from([0xff, 0xff, 0x7f])),
  'CONTINUATION of nothing': frame(continuation, flags.endHeaders, 1),
  'a head that is left': Buffer.concat([headersFrame(3, [':method', 'GET'], 0), frame(data, 0, 1)]),
  'SETTINGS cut short': frame(settings, 0, 0, Buffer.alloc(5)),
  'a window of nothing': windowFrame(0, 0),
  'a stream of the server': getFrame(2, '/o/never'),
  'no HTTP/2': Buffer.from('GET / HTTP/1.1\r\n\r\n'),
  'GOAWAY with an error': frame(goaway, 0, 0, Buffer.from([0, 0, 0, 1, 0, 0, 0, 2])),
  nothing: null,
};

/** How it comes to a GOAWAY before that; the client has sent a request that is never answered. */
const farewells: Readonly<Record<string, (client: FrameClient) => Promise<void>>> = {
  'without GOAWAY': async (client) => client.send(getFrame(1, '/o/never')),
  'behind GOAWAY': async (client) => {
    client.send(getFrame(1, '/o/never'));
    await pause();
    client.send(goodbye);
  },
  'behind GOAWAY in one piece with the request': async (client) =>
    client.send(goodbye, getFrame(1, '/o/never')),
  'behind our own GOAWAY': async (client) => {
    client.send(...Array.from({ length: 20 }, (_, n) => getFrame(2 * n + 1, '/o/never')));
    await client.until('GOAWAY', ({ type }) => type === goaway);
  },
};

describe('GOAWAY in front', { timeout: 110_000 }, () => {
  let origin: Server;
  let gateway: TestGateway;

  before(async () => {
    origin = createServer((request, response) => {
      if (request.url === '/o/late') setTimeout(() => response.end('late'), 300);
      if (request.url === '/o/later') setTimeout(() => response.end('late'), 4_500);
      if (request.url === '/o/large') response.end(Buffer.alloc(4_000_000));
    });
    await new Promise<void>((go) => origin.listen(0, '127.0.0.1', go));
    const { port } = origin.address() as AddressInfo;
    gateway = await startGateway({
      engine: 'node',
      static: {
        entryPoints: {
          web: {
            transport: {
              keepAliveMaxRequests: 20,
              respondingTimeouts: { idleTimeout: '2s' },
              lifeCycle: { graceTimeOut: '9s' },
            },
          },
        },
      },
      dynamic: routesTo({ o: `http://127.0.0.1:${port}` }),
    });
  });
  after(async () => {
    await gateway?.stop();
    origin?.closeAllConnections();
    origin?.close();
  });

  const descriptors = (): number => descriptorsOf(gateway.workerPids()[0] ?? 0);

  for (const [when, farewell] of Object.entries(farewells))
    test(`what breaks the protocol ${when} ends the connection and what runs on it`, async () => {
      const before = descriptors();
      await Promise.all(
        Object.values(breaches).flatMap((breach) =>
          Array.from({ length: clients }, async () => {
            const client = await openFrames(gateway.port('web'));
            await farewell(client);
            await pause();
            if (breach !== null) client.send(breach);
            await pause();
            client.socket.resetAndDestroy();
          }),
        ),
      );
      await eventually('no connection is left', () => descriptors() <= before + 2, 8_000);
    });

  test('who says GOAWAY is answered what it has asked for, and the last answer closes the connection', async () => {
    const client = await openFrames(gateway.port('web'));
    client.send(getFrame(1, '/o/late'), getFrame(3, '/o/late'));
    await pause();
    client.send(goodbye);
    assert.equal(await client.closed(), 0);
    const ended = client.frames.filter(
      ({ type, flags: flag }) => type === data && (flag & flags.endStream) > 0,
    );
    assert.deepEqual(ended.map(({ stream }) => stream).sort(), [1, 3]);
  });

  test('a request in one piece with GOAWAY is answered, before and behind it', async () => {
    const client = await openFrames(gateway.port('web'));
    client.send(getFrame(1, '/o/late'), goodbye, getFrame(3, '/o/late'));
    assert.equal(await client.closed(), 0);
    const bodies = client.frames.filter(({ type, payload }) => type === data && String(payload) === 'late');
    assert.equal(bodies.length, 2);
  });

  test('GOAWAY on a connection where nothing runs closes it', async () => {
    const client = await openFrames(gateway.port('web'));
    client.send(goodbye);
    assert.equal(await client.closed(), 0);
  });

  test('a client that closes as the library does gets its answers', async () => {
    const client = connectHttp2(gateway.url('web'));
    const streams = [1, 2, 3].map(() => client.request({ ':path': '/o/late' }));
    await pause();
    const closed = new Promise<void>((resolve) => client.close(resolve));
    const texts = await Promise.all(streams.map((stream) => stream.setEncoding('latin1').toArray()));
    assert.deepEqual(texts, [['late'], ['late'], ['late']]);
    await closed;
  });

  test('behind our own GOAWAY an answer may take longer than the silence of who has left', async () => {
    const client = connectHttp2(gateway.url('web'));
    let isTold = false;
    client.on('goaway', () => (isTold = true));
    const paths = Array.from({ length: 20 }, (_, n) => (n === 0 ? '/o/later' : '/o/late'));
    const streams = paths.map((path) => client.request({ ':path': path }));
    await eventually('GOAWAY', () => isTold);
    const texts = await Promise.all(streams.map((stream) => stream.setEncoding('latin1').toArray()));
    assert.deepEqual(texts.flat(), Array(20).fill('late'));
  });

  test('who reads nothing is let go once its session is destroyed', async () => {
    const before = descriptors();
    const deaf = await Promise.all(
      Array.from({ length: clients }, () => openFrames(gateway.port('web'), { settings: [4, 2 ** 31 - 1] })),
    );
    for (const client of deaf) {
      client.send(windowFrame(0, 2 ** 31 - 1 - 65_535), getFrame(1, '/o/large'));
      client.socket.pause();
    }
    await pause(500);
    for (const client of deaf) client.send(frame(data, 0, 0, Buffer.from('x')));
    await eventually('no connection is left', () => descriptors() <= before + 2, 12_000);
    for (const client of deaf) client.destroy();
  });

  test('a drain says GOAWAY, and what breaks the protocol behind it is not waited for', async () => {
    const running = await openFrames(gateway.port('web'));
    const broken = await openFrames(gateway.port('web'));
    running.send(getFrame(1, '/o/late'));
    broken.send(getFrame(1, '/o/never'));
    await pause();
    const stopping = gateway.stop();
    await broken.until('GOAWAY', ({ type }) => type === goaway);
    broken.send(frame(data, 0, 0, Buffer.from('x')));
    assert.ok((await broken.closed(8_000)) >= 0);
    await running.until('an answer', ({ type, payload }) => type === data && String(payload) === 'late');
    assert.equal(await running.closed(3_000), 0);
    assert.equal((await stopping).code, 0);
  });
});

function pause(ms = 60): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
