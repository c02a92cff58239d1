// What becomes of a server's answer over HTTP/2: heads, bodies, trailers, and everything that is none.

import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { Http2Pool } from '../../../../../src/proxy/upstream/http2/pool.ts';
import { answering, ask, failure, rawServer, transport, until } from '../http1/support.ts';
import { frame, frameTypes } from '../../../../support/http2-frames.ts';
import * as h2 from './support.ts';

async function start(t: TestContext, onStream: h2.OnStream) {
  const server = await h2.h2Server(onStream);
  const pool = new Http2Pool(server.url, transport());
  t.after(async () => {
    pool.close();
    await server.stop();
  });
  return { server, pool };
}

async function byHand(t: TestContext, onRequest: (socket: Socket, stream: number) => void) {
  const server = await h2.frameServer(onRequest);
  const pool = new Http2Pool(server.h2, transport());
  t.after(async () => {
    pool.close();
    await server.stop();
  });
  return { server, pool };
}

const ok = h2.hpack([[':status', '200']]);
const head = (stream: number, flags = h2.endHeaders, fields = ok): Buffer =>
  frame(frameTypes.headers, flags, stream, fields);

test('an answer arrives with status, headers in latin1, body and trailers', async (t) => {
  const { pool } = await byHand(t, (socket, stream) => {
    socket.write(
      Buffer.concat([
        frame(
          frameTypes.headers,
          h2.endHeaders,
          stream,
          h2.hpack([
            [':status', '103'],
            ['link', '</a>'],
          ]),
        ),
        head(
          stream,
          h2.endHeaders,
          h2.hpack([
            [':status', '201'],
            ['content-type', 'text/plain'],
            ['x-bytes', 'caf\u00e9\u00ff'],
            ['set-cookie', 'a=1'],
            ['set-cookie', 'b=2'],
            ['trailer', 'grpc-status'],
          ]),
        ),
        frame(frameTypes.data, 0, stream, Buffer.from('body')),
        head(
          stream,
          h2.endHeaders | h2.endStream,
          h2.hpack([
            ['grpc-status', '0'],
            ['content-length', '4'],
            ['set-cookie', 'c=3'],
          ]),
        ),
      ]),
    );
  });
  const outcome = await ask(pool).done;
  assert.equal(outcome.error, null);
  assert.deepEqual([outcome.status, outcome.length, outcome.body], [201, -1, 'body']);
  const kept = [
    ['content-type', 'text/plain'],
    ['x-bytes', 'caf\u00e9\u00ff'],
    ['set-cookie', 'a=1'],
    ['set-cookie', 'b=2'],
  ];
  assert.deepEqual(outcome.headers, kept.flat());
  assert.deepEqual(outcome.trailers, ['grpc-status', '0']);
});

test('HEAD, 204, 304 and an answer without a body end with their head', async (t) => {
  const { pool } = await start(t, (stream, headers) => {
    const status = Number(headers[':path']?.slice(1));
    const said = headers[':method'] === 'HEAD' ? { 'content-length': '9' } : {};
    stream.respond({ ':status': status, ...said }, { endStream: true });
  });
  for (const status of [200, 204, 304]) {
    const { length, body, ended } = await ask(pool, { path: `/${status}` }).done;
    assert.deepEqual([length, body, ended], [0, '', true], String(status));
  }
  const asked = await ask(pool, { method: 'HEAD', path: '/200' }).done;
  assert.deepEqual([asked.length, asked.ended], [0, true]);
  assert.equal(asked.headers[asked.headers.indexOf('content-length') + 1], '9');
  const trailersOnly = await byHand(t, (socket, stream) => {
    const fields = h2.hpack([
      [':status', '200'],
      ['grpc-status', '5'],
    ]);
    socket.write(head(stream, h2.endHeaders | h2.endStream, fields));
  });
  const outcome = await ask(trailersOnly.pool).done;
  assert.deepEqual(outcome.headers, ['grpc-status', '5', 'content-length', '0']);
});

test('chunks are passed on at once, in order, and held back when they are not taken', async (t) => {
  let sent = 0;
  const { pool } = await start(t, (stream, headers) => {
    stream.respond({ ':status': 200 });
    if (headers[':path'] === '/other') {
      stream.end('other');
      return;
    }
    const push = (): void => {
      while (sent < 4_000_000) {
        sent += 10_000;
        if (!stream.write(Buffer.alloc(10_000, sent / 10_000))) return void stream.once('drain', push);
      }
      stream.end();
    };
    push();
  });
  let taken = 0;
  const asked = ask(pool, {
    onData(chunk) {
      taken += chunk.length;
      return taken > 50_000 && taken < 100_000 ? false : true;
    },
  });
  await until('the first chunks', () => taken > 50_000);
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.ok(sent < 1_000_000, `${sent} bytes were sent to a client that does not read`);
  // On the same connection, and not held back with it.
  assert.equal((await ask(pool, { path: '/other' }).done).body, 'other');
  while (!asked.outcome.ended) {
    asked.call.resume();
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(taken, 4_000_000);
});

test('half an answer is told as such, whichever way it ends', async (t) => {
  const endings: Record<string, (socket: Socket, stream: number) => void> = {
    'reset NO_ERROR': (socket, stream) => socket.write(frame(frameTypes.reset, 0, stream, h2.int32(0))),
    'reset CANCEL': (socket, stream) => socket.write(frame(frameTypes.reset, 0, stream, h2.int32(8))),
    'reset INTERNAL': (socket, stream) => socket.write(frame(frameTypes.reset, 0, stream, h2.int32(2))),
    end: (socket) => void socket.end(),
    destroy: (socket) => void socket.destroy(),
    goaway: (socket) => socket.write(frame(frameTypes.goaway, 0, 0, h2.int32(0, 2))),
  };
  for (const [name, end] of Object.entries(endings)) {
    const { pool } = await byHand(t, (socket, stream) => {
      socket.write(Buffer.concat([head(stream), frame(frameTypes.data, 0, stream, Buffer.from('half'))]));
      setTimeout(() => end(socket, stream), 10);
    });
    const outcome = await ask(pool).done;
    assert.deepEqual(
      [outcome.error?.code, outcome.ended, outcome.body],
      ['upstream.reset_body', false, 'half'],
      name,
    );
  }
});

test('a whole answer counts although its stream is reset without error behind it', async (t) => {
  const { pool } = await byHand(t, (socket, stream) => {
    socket.write(
      Buffer.concat([
        head(stream),
        frame(frameTypes.data, h2.endStream, stream, Buffer.from('whole')),
        frame(frameTypes.reset, 0, stream, h2.int32(0)),
      ]),
    );
  });
  assert.equal((await ask(pool).done).body, 'whole');
  assert.equal((await ask(pool, { method: 'POST', body: Buffer.alloc(500_000) }).done).body, 'whole');
});

test('a length that is not the one it said is an error', async (t) => {
  const lengths: readonly [string, string][] = [
    ['3', 'four'],
    ['5', 'four'],
    ['x', 'four'],
    ['-4', 'four'],
  ];
  for (const [length, body] of lengths) {
    const { pool } = await byHand(t, (socket, stream) => {
      socket.write(
        head(
          stream,
          h2.endHeaders,
          h2.hpack([
            [':status', '200'],
            ['content-length', length],
          ]),
        ),
      );
      socket.write(frame(frameTypes.data, h2.endStream, stream, Buffer.from(body)));
    });
    const { error, ended } = await ask(pool).done;
    assert.ok(error !== null && !ended, length);
    assert.equal(error.retry, 'never');
  }
});

test('heads that HTTP/2 forbids reach nobody', async (t) => {
  const heads: Record<string, readonly (readonly [string, string])[]> = {
    'upper case': [
      [':status', '200'],
      ['X-Upper', 'a'],
    ],
    connection: [
      [':status', '200'],
      ['connection', 'x-a'],
      ['x-a', 'b'],
    ],
    'transfer-encoding': [
      [':status', '200'],
      ['transfer-encoding', 'chunked'],
    ],
    'two lengths': [
      [':status', '200'],
      ['content-length', '1'],
      ['content-length', '1'],
    ],
    'a line end': [
      [':status', '200'],
      ['x-a', 'a\r\nset-cookie: b=c'],
    ],
    'a name with a line end': [
      [':status', '200'],
      ['x\r\ny', 'a'],
    ],
    'another pseudo-header': [
      [':status', '200'],
      [':path', '/'],
    ],
    'a late status': [
      ['x-a', 'b'],
      [':status', '200'],
    ],
    'no status': [['x-a', 'b']],
    'status 101': [[':status', '101']],
    'status of words': [[':status', 'fine']],
  };
  for (const [name, fields] of Object.entries(heads)) {
    const { pool } = await byHand(t, (socket, stream) => {
      socket.write(head(stream, h2.endHeaders | h2.endStream, h2.hpack(fields)));
    });
    const { error, headers } = await ask(pool).done;
    // The library drops a field whose bytes it forbids, and resets the stream for the rest.
    if (error === null) assert.deepEqual(headers, ['content-length', '0'], name);
    else assert.equal(error.retry, 'never', name);
  }
});

test('a header section has bounds: bytes, and answers 1xx', async (t) => {
  const { pool } = await byHand(t, (socket, stream) => {
    const fields: [string, string][] = Array.from({ length: stream === 1 ? 8 : 10 }, (_, i) => [
      `x-${i}`,
      'v'.repeat(30_000),
    ]);
    const block = h2.hpack([[':status', '200'], ...fields]);
    const parts = Array.from({ length: Math.ceil(block.length / 40_000) }, (_, i) =>
      frame(
        i === 0 ? frameTypes.headers : frameTypes.continuation,
        (i === 0 ? h2.endStream : 0) | ((i + 1) * 40_000 >= block.length ? h2.endHeaders : 0),
        stream,
        block.subarray(i * 40_000, (i + 1) * 40_000),
      ),
    );
    socket.write(Buffer.concat(parts));
  });
  assert.equal((await ask(pool).done).headers.length, 18);
  assert.equal(await failure(ask(pool)), 'upstream.malformed');
  const hinting = await byHand(t, (socket, stream) => {
    const hint = head(stream, h2.endHeaders, h2.hpack([[':status', '103']]));
    socket.write(Buffer.concat([...Array.from({ length: 17 }, () => hint), head(stream, 5)]));
  });
  assert.equal(await failure(ask(hinting.pool)), 'upstream.malformed');
});

test('a server that speaks HTTP/1.1, or nonsense, is told as such', async () => {
  const texts = ['HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n', 'SSH-2.0-x\r\n', '\0'.repeat(100)];
  for (const text of texts) {
    const server = await rawServer(answering((socket) => void socket.write(text)));
    const pool = new Http2Pool(server.url.replace('http:', 'h2c:'), transport());
    const { error } = await ask(pool).done;
    assert.equal(error?.code, 'upstream.malformed', JSON.stringify(text));
    pool.close();
    await server.stop();
  }
});
