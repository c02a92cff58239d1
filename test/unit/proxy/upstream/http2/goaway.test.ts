// What is under way when a server says that it will take no more: it is answered or fails, whatever comes next.

import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { Http2Pool } from '../../../../../src/proxy/upstream/http2/pool.ts';
import { block, frame, frameTypes, headersFrame } from '../../../../support/http2-frames.ts';
import { ask, type Asked, transport, until } from '../http1/support.ts';
import { endHeaders, endStream, frameServer, int32 } from './support.ts';

const { headers, data, push, settings, goaway, windowUpdate, continuation } = frameTypes;
const ok = [':status', '200'] as const;

/** Each breaks the protocol; null ends the connection. */
const breaches: Readonly<Record<string, Buffer | null>> = {
  'a frame above the size allowed': frame(data, 0, 1, Buffer.alloc(70_000)),
  'DATA on stream 0': frame(data, 0, 0, Buffer.from('x')),
  'an index nobody has': frame(headers, endHeaders, 1, Buffer.from([0xff, 0xff, 0x7f])),
  'HTTP/1.1': Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'),
  'CONTINUATION of nothing': frame(continuation, endHeaders, 1),
  'a header section that is left': Buffer.concat([headersFrame(1, ok, 0), frame(data, endStream, 1)]),
  'SETTINGS cut short': frame(settings, 0, 0, Buffer.alloc(5)),
  'a window of nothing': frame(windowUpdate, 0, 1, int32(0)),
  'a stream nobody opened': headersFrame(99_999, ok, endHeaders),
  'a push': frame(push, endHeaders, 1, Buffer.concat([int32(2), block([':method', 'GET'])])),
  'GOAWAY with an error': frame(goaway, 0, 0, int32(1, 2)),
  'the end': null,
};

for (const [name, breach] of Object.entries(breaches))
  for (const hasGoaway of [true, false])
    test(`${name}${hasGoaway ? ' behind GOAWAY' : ''} fails every call on the connection`, async (t) => {
      const { calls, pool } = await threeCalls(t, (socket) => {
        if (hasGoaway) socket.write(frame(goaway, 0, 0, int32(5, 0)));
        setTimeout(() => (breach === null ? socket.destroy() : socket.write(breach)), 20);
      });
      for (const { done } of calls) {
        const { error, ended } = await done;
        assert.equal(ended, false);
        assert.match(error?.code ?? '', /^upstream\.(?:reset|malformed|reset_reused)$/);
      }
      assert.equal(pool.runningCalls, 0);
      await until('the connection to be gone', () => pool.connections === 0);
    });

test('calls that GOAWAY leaves in are answered, and the last of them closes the connection', async (t) => {
  const { calls, pool, sockets } = await threeCalls(t, (socket) => {
    socket.write(frame(goaway, 0, 0, int32(2 ** 31 - 1, 0)));
    socket.write(frame(goaway, 0, 0, int32(3, 0)));
    for (const stream of [3, 1]) {
      const answer = [
        headersFrame(stream, ok, endHeaders),
        frame(data, endStream, stream, Buffer.from('whole')),
      ];
      setTimeout(() => socket.write(Buffer.concat(answer)), 20 * stream);
    }
  });
  const [first, second, third] = await Promise.all(calls.map(({ done }) => done));
  assert.deepEqual([first?.body, second?.body], ['whole', 'whole']);
  assert.equal(third?.error?.unsent, true);
  await until('the connection to be closed', () => pool.connections === 0 && sockets.length === 0);
});

async function threeCalls(
  t: TestContext,
  onThird: (socket: Socket) => void,
): Promise<{ calls: readonly Asked[]; pool: Http2Pool; sockets: readonly Socket[] }> {
  const server = await frameServer((socket, stream) => {
    if (stream === 5) onThird(socket);
  });
  const pool = new Http2Pool(server.h2, transport({ responseHeaderTimeout: 0 }));
  t.after(async () => {
    pool.close();
    await server.stop();
  });
  const calls = [1, 2, 3].map((n) =>
    ask(pool, { method: 'GET', path: `/${n}`, headers: ['host', 'x'], body: null }),
  );
  return { calls, pool, sockets: server.sockets };
}
