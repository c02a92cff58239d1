// Answers that are fine over HTTP/1 and that no HTTP/2 library would send: the client gets them, or one that says what
// went wrong, and the worker lives.

import assert from 'node:assert/strict';
import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { after, before, beforeEach, describe, test } from 'node:test';
import { ask } from '../support/ask.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { flags, frame, frameTypes, headersFrame, openFrames, resetFrame } from '../support/http2-frames.ts';
import { requestText, sendRaw } from '../support/raw.ts';
import { startWireServer, type WireServer } from '../support/wire.ts';

const upgrade = [
  'Host: wire.test',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];

/** Behind the status line; each comes with three kinds of body. */
const heads: Readonly<Record<string, readonly [status: number, got: number, fields: string]>> = {
  'a field that only a connection has': [200, 200, 'http2-settings: x\r\nte: gzip\r\n'],
  'a field twice that stands once': [
    200,
    200,
    'etag: "a"\r\netag: "b"\r\nage: 1\r\nage: 2\r\nlocation: a\r\nlocation: b\r\n',
  ],
  'a type twice': [200, 200, 'content-type: text/plain\r\ncontent-type: text/html\r\n'],
  'a status above 599': [600, 502, ''],
  'the greatest status': [999, 502, ''],
  'a status that resets forms': [205, 205, ''],
};
const bodies: readonly string[] = [
  'content-length: 0\r\n\r\n',
  'content-length: 5\r\n\r\nhello',
  'transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
];

/** Behind an answer of one DATA frame. */
const trailers: Readonly<Record<string, readonly string[]>> = {
  'a field that only a connection has': ['http2-settings', 'x', 'grpc-status', '0'],
  'a field twice that stands once': ['etag', 'a', 'etag', 'b', 'grpc-status', '0'],
  'an age twice': ['age', '1', 'age', '2', 'grpc-status', '0'],
};

const good = [':method', 'GET', ':scheme', 'http', ':path', '/', ':authority', 'wire.test'];
const called: Readonly<Record<string, readonly string[]>> = {
  'a request': good,
  'a request that is refused': [...good, 'host', 'other.test'],
  'a request that no router takes': [...good.slice(0, 6), ':authority', 'none.test'],
  'a request that asks whether to go on': [':method', 'POST', ...good.slice(2), 'expect', '100-continue'],
};

for (const engine of ['uws', 'node'] as const) {
  describe(`odd answers behind the ${engine} engine`, () => {
    let wire: WireServer;
    let frames: FrameServer;
    let gateway: TestGateway;
    let says = '';
    let pids: number[];

    before(async () => {
      wire = await startWireServer((socket, text) => {
        if (text.endsWith('\r\n\r\n')) socket.write(says, 'latin1');
      });
      frames = await startFrameServer();
      gateway = await startGateway({
        engine,
        dynamic: {
          http: {
            routers: {
              wire: { rule: 'Host(`wire.test`)', service: 'wire' },
              frames: { rule: 'Host(`frames.test`)', service: 'frames' },
            },
            services: {
              wire: { loadBalancer: { servers: [{ url: wire.url }] } },
              frames: { loadBalancer: { servers: [{ url: frames.url }] } },
            },
          },
        },
      });
      pids = gateway.workerPids();
    });
    after(async () => {
      await gateway?.stop();
      await wire?.stop();
      frames?.stop();
    });
    beforeEach(() => assert.deepEqual(gateway.workerPids(), pids));

    const lives = async (): Promise<void> => {
      says = 'HTTP/1.1 204 No Content\r\n\r\n';
      assert.equal((await ask(gateway.port('web'), { host: 'wire.test' })).status, 204);
      assert.deepEqual(gateway.workerPids(), pids);
      assert.doesNotMatch(gateway.logs(), /gateway\.bug|uncaught/i);
    };

    for (const [name, [status, got, fields]] of Object.entries(heads)) {
      test(`${name}, to HTTP/1`, async () => {
        for (const body of bodies) {
          says = `HTTP/1.1 ${status} Odd\r\n${fields}${body}`;
          assert.equal((await ask(gateway.port('web'), { host: 'wire.test' })).status, status, body);
        }
        await lives();
      });
      if (engine === 'uws') continue;
      test(`${name}, to HTTP/2`, async () => {
        for (const body of bodies) {
          says = `HTTP/1.1 ${status} Odd\r\n${fields}${body}`;
          const answer = await askHttp2(gateway.port('web'), 'wire.test');
          assert.equal(answer.status, got, body);
          assert.equal(answer.isReset, false, body);
        }
        await lives();
      });
    }

    for (const [name, list] of Object.entries(trailers)) {
      test(`trailers with ${name}`, async () => {
        frames.trailers = list;
        frames.head = [':status', '200'];
        assert.equal((await ask(gateway.port('web'), { host: 'frames.test' })).body, 'hello');
        if (engine === 'node') {
          const answer = await askHttp2(gateway.port('web'), 'frames.test');
          assert.equal(answer.body, 'hello');
          assert.equal(answer.trailers['grpc-status'], '0');
        }
        await lives();
      });
    }

    if (engine === 'node') {
      for (const [name, fields] of Object.entries(called)) {
        test(`${name}, called off in the same breath`, async () => {
          const client = await openFrames(gateway.port('web'));
          says = 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n';
          for (let stream = 1; stream < 40; stream += 2) {
            const end = fields.includes('expect') ? flags.endHeaders : flags.endHeaders | flags.endStream;
            client.send(headersFrame(stream, fields, end), resetFrame(stream));
          }
          client.send(headersFrame(41, [...good, 'x-last', '1']));
          await client.until('the last answer', ({ stream }) => stream === 41);
          // The whole connection may go as well, with whatever breaks the protocol.
          for (const last of [
            frame(frameTypes.data, 0, 0),
            frame(frameTypes.settings, 0, 0, Buffer.alloc(5)),
          ]) {
            const broken = await openFrames(gateway.port('web'));
            broken.send(headersFrame(1, fields), headersFrame(3, fields), last);
            await broken.closed();
          }
          client.destroy();
          await lives();
        });
      }
    }

    for (const status of ['099', '000']) {
      test(`a status ${status} over HTTP/2 is no answer`, async () => {
        frames.trailers = null;
        frames.head = [':status', status];
        assert.ok((await ask(gateway.port('web'), { host: 'frames.test' })).status >= 500);
        if (engine === 'node') assert.ok((await askHttp2(gateway.port('web'), 'frames.test')).status >= 500);
        await lives();
      });
      test(`a status ${status} to a handshake is no answer`, async () => {
        says = `HTTP/1.1 ${status} Odd\r\ncontent-length: 0\r\n\r\n`;
        const { text } = await sendRaw(gateway.port('web'), requestText('GET /', upgrade));
        assert.match(text, /^HTTP\/1\.1 50[02] /);
        await lives();
      });
    }
  });
}

interface FrameServer {
  readonly url: string;
  head: readonly string[];
  trailers: readonly string[] | null;
  stop(): void;
}

/** Answers every stream with `head`, `hello` and `trailers`; without trailers with the head alone. */
async function startFrameServer(): Promise<FrameServer> {
  const { data, headers, settings } = frameTypes;
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.write(frame(settings, 0, 0));
    let rest: Buffer = Buffer.alloc(0);
    let isBegun = false;
    socket.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      if (!isBegun && rest.length >= 24) {
        isBegun = true;
        rest = rest.subarray(24);
      }
      while (isBegun && rest.length >= 9 && rest.length >= 9 + rest.readUIntBE(0, 3)) {
        const [type, flag, stream] = [rest[3], rest[4] as number, rest.readUInt32BE(5)];
        rest = rest.subarray(9 + rest.readUIntBE(0, 3));
        if (type === settings && (flag & flags.ack) === 0) socket.write(frame(settings, flags.ack, 0));
        if (type !== headers) continue;
        const { head, trailers: behind } = origin;
        const end = flags.endHeaders | flags.endStream;
        socket.write(headersFrame(stream, head, behind === null ? end : flags.endHeaders));
        if (behind === null) continue;
        socket.write(frame(data, 0, stream, Buffer.from('hello')));
        socket.write(headersFrame(stream, behind, end));
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const origin: FrameServer = {
    url: `h2c://127.0.0.1:${(server.address() as AddressInfo).port}`,
    head: [':status', '200'],
    trailers: null,
    stop() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
  return origin;
}

interface Http2Answer {
  readonly status: number;
  readonly body: string;
  readonly trailers: Readonly<Record<string, unknown>>;
  readonly isReset: boolean;
}

/** Status 0: there was no head. */
async function askHttp2(port: number, host: string): Promise<Http2Answer> {
  const session: ClientHttp2Session = connectHttp2(`http://127.0.0.1:${port}`);
  session.on('error', () => {});
  const stream = session.request({ ':path': '/', ':authority': host });
  let status = 0;
  let body = '';
  let trailing: Readonly<Record<string, unknown>> = {};
  stream.on('response', (head) => (status = Number(head[':status'])));
  stream.on('data', (chunk: Buffer) => (body += chunk.toString()));
  stream.on('trailers', (fields) => (trailing = fields));
  stream.on('error', () => {});
  stream.end();
  await new Promise<void>((resolve) => stream.on('close', resolve));
  session.destroy();
  return { status, body, trailers: trailing, isReset: stream.rstCode !== 0 };
}
