// Connections over HTTP/2 and who gets a place on them: sharing, bounds, refusals, endings, timeouts.

import assert from 'node:assert/strict';
import type { ServerHttp2Stream } from 'node:http2';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import type { TransportSpec } from '../../../../../src/model/snapshot.ts';
import { type Http2Bounds, Http2Pool } from '../../../../../src/proxy/upstream/http2/pool.ts';
import { ask, failure, listen, PushedBody, stop, transport, until } from '../http1/support.ts';
import { frame, frameTypes } from '../../../../support/http2-frames.ts';
import * as h2 from './support.ts';

interface Options extends Partial<TransportSpec> {
  readonly bounds?: Http2Bounds;
  readonly streams?: number;
}

async function start(t: TestContext, onStream: h2.OnStream, options: Options = {}) {
  const { bounds, streams, ...spec } = options;
  const server = await h2.h2Server(
    onStream,
    streams === undefined ? {} : { settings: { maxConcurrentStreams: streams } },
  );
  const pool = new Http2Pool(server.url, transport(spec), bounds);
  t.after(async () => {
    pool.close();
    await server.stop();
  });
  return { server, pool };
}

const answer = (stream: ServerHttp2Stream, body = 'fine'): void => {
  if (stream.destroyed) return;
  stream.respond({ ':status': 200 });
  stream.end(body);
};

test('calls share a connection, which is kept for the next ones', async (t) => {
  const { server, pool } = await start(t, (stream) => answer(stream));
  for (let round = 0; round < 3; round++) {
    const asked = Array.from({ length: 90 }, () => ask(pool).done);
    for (const { body } of await Promise.all(asked)) assert.equal(body, 'fine');
    await until('all streams to be closed', () => pool.runningCalls === 0);
  }
  assert.equal(server.accepted, 1);
});

test('a server gets no more streams than it takes; then connections, then calls wait', async (t) => {
  let open = 0;
  let most = 0;
  const streams: ServerHttp2Stream[] = [];
  const bounds = { connections: 2, waiting: 3 };
  const { pool, server } = await start(
    t,
    (stream) => {
      streams.push(stream);
      most = Math.max(most, ++open);
      stream.on('close', () => open--);
    },
    { streams: 2, bounds },
  );
  // The first finds out what the server takes.
  const first = ask(pool);
  await until('the first', () => streams.length === 1);
  await new Promise((resolve) => setTimeout(resolve, 20));
  const asked = [first, ...Array.from({ length: 3 }, () => ask(pool))];
  await until('two connections', () => server.accepted === 2 && streams.length === 4);
  const waiting = [ask(pool), ask(pool), ask(pool)];
  assert.equal(pool.waitingCalls, 3);
  const last = await ask(pool).done;
  assert.deepEqual([last.error?.code, last.error?.unsent], ['upstream.connect_refused', true]);
  waiting[0]?.call.abort();
  assert.equal(pool.waitingCalls, 2);
  while (pool.runningCalls > 0 || pool.waitingCalls > 0) {
    for (const stream of streams.splice(0)) answer(stream);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  for (const { done } of [...asked, waiting[1], waiting[2]] as typeof asked)
    assert.equal((await done).body, 'fine');
  assert.equal(most, 4);
});

test('a call that waits too long for a place is told so, unsent', async (t) => {
  const bounds = { connections: 1, waiting: 10 };
  const { pool } = await start(t, () => {}, { streams: 1, bounds, dialTimeout: 60 });
  const first = ask(pool);
  await new Promise((resolve) => setTimeout(resolve, 30));
  const { error } = await ask(pool).done;
  assert.deepEqual([error?.code, error?.unsent], ['upstream.connect_timeout', true]);
  first.call.abort();
});

test('a refused stream was not looked at: it is unsent, and its retry takes another connection', async (t) => {
  const { server, pool } = await start(t, (stream) => {
    if (server.accepted === 1) stream.close(7);
    else answer(stream);
  });
  const { error } = await ask(pool, { method: 'POST', body: Buffer.from('x') }).done;
  assert.deepEqual(
    [error?.code, error?.unsent, error?.retry],
    ['upstream.reset_reused', true, 'fresh-connection'],
  );
  assert.equal((await ask(pool, { fresh: true }).done).body, 'fine');
  assert.equal(server.accepted, 2);
});

test('after GOAWAY what was taken is answered, what was not is unsent, and new calls go elsewhere', async (t) => {
  for (const code of [0, 11]) {
    let streams = 0;
    const server = await h2.frameServer((socket, stream) => {
      streams++;
      if (stream !== 5) return;
      // Of three the first was taken.
      socket.write(frame(frameTypes.goaway, 0, 0, h2.int32(1, code)));
      setTimeout(() => {
        socket.write(
          frame(frameTypes.headers, h2.endHeaders | h2.endStream, 1, h2.hpack([[':status', '200']])),
        );
      }, 20);
    });
    const pool = new Http2Pool(server.h2, transport());
    t.after(async () => {
      pool.close();
      await server.stop();
    });
    const asked = [ask(pool), ask(pool, { method: 'POST' }), ask(pool)];
    await until('three streams', () => streams === 3);
    const [first, second, third] = await Promise.all(asked.map(({ done }) => done));
    for (const refused of [second, third])
      assert.deepEqual([refused?.error?.code, refused?.error?.unsent], ['upstream.reset_reused', true]);
    if (code === 0) assert.equal(first?.status, 200);
    else assert.deepEqual([first?.error?.code, first?.error?.unsent], ['upstream.reset', false]);
    const next = ask(pool);
    await until('a new connection', () => server.accepted === 2);
    next.call.abort();
  }
});

test('a graceful GOAWAY in the middle of traffic costs nobody anything', async (t) => {
  const { server, pool } = await start(t, (stream) => setTimeout(() => answer(stream), 2));
  let retried = 0;
  const one = async (): Promise<void> => {
    let outcome = await ask(pool, { method: 'POST', body: Buffer.from('x') }).done;
    while (outcome.error?.unsent === true) {
      retried++;
      outcome = await ask(pool, { method: 'POST', body: Buffer.from('x'), fresh: true }).done;
    }
    assert.equal(outcome.body, 'fine', String(outcome.error));
  };
  const run = async (): Promise<void> => {
    for (let i = 0; i < 40; i++) await one();
  };
  const runs = Array.from({ length: 20 }, run);
  for (let i = 0; i < 5; i++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    for (const session of server.sessions) session.close();
  }
  await Promise.all(runs);
  assert.ok(server.accepted > 1);
  t.diagnostic(`${server.accepted} connections, ${retried} unsent calls sent again`);
});

test('a server that is not there, or says nothing, is told as such', async (t) => {
  const free = createServer();
  await listen(free);
  const port = (free.address() as AddressInfo).port;
  await stop(free, []);
  const none = await ask(new Http2Pool(`h2c://127.0.0.1:${port}`, transport())).done;
  assert.deepEqual([none.error?.code, none.error?.unsent], ['upstream.connect_refused', true]);

  const { pool } = await start(
    t,
    (stream, headers) => {
      if (headers[':path'] === '/') answer(stream);
    },
    { responseHeaderTimeout: 60 },
  );
  const silent = ask(pool, { path: '/silent' });
  assert.equal((await ask(pool).done).body, 'fine');
  assert.equal(await failure(silent), 'upstream.headers_timeout');
  const body = new PushedBody(null);
  const slow = ask(pool, { method: 'POST', path: '/silent', body });
  await until('the body to be asked for', () => body.sink !== null);
  await new Promise((resolve) => setTimeout(resolve, 150));
  assert.equal(slow.outcome.error, null, 'the time begins with the end of the request');
  body.end();
  assert.equal(await failure(slow), 'upstream.headers_timeout');
  assert.equal((await ask(pool).done).body, 'fine');
});

test('a connection lost in between is told by whether it had served', async (t) => {
  const { server, pool } = await start(t, (stream, headers) => {
    if (headers[':path'] === '/lost') stream.session?.socket.destroy();
    else answer(stream);
  });
  assert.equal(await failure(ask(pool, { path: '/lost' })), 'upstream.reset');
  assert.equal((await ask(pool).done).body, 'fine');
  assert.equal(await failure(ask(pool, { path: '/lost' })), 'upstream.reset_reused');
  assert.equal((await ask(pool).done).body, 'fine');
  assert.equal(server.accepted, 3);
  await until('the stream to be closed', () => pool.runningCalls === 0);
  server.sessions[0]?.destroy();
  await until('the idle connection to be gone', () => pool.connections === 0);
});

test('an abort resets its stream alone, and the handler hears nothing more', async (t) => {
  let resets = 0;
  const { server, pool } = await start(t, (stream, headers) => {
    stream.on('close', () => (resets += stream.rstCode === 8 ? 1 : 0));
    if (headers[':path'] !== '/long') return answer(stream);
    stream.respond({ ':status': 200 });
    stream.write('x'.repeat(100_000));
    return undefined;
  });
  const long = ask(pool, { path: '/long', onData: () => false });
  await until('some of the answer', () => long.outcome.body !== '');
  const got = long.outcome.body.length;
  long.call.abort();
  long.call.abort();
  const early = ask(pool, { path: '/long' });
  early.call.abort();
  await until('a reset', () => resets >= 1);
  await until('the streams to be closed', () => pool.runningCalls === 0);
  assert.deepEqual([long.outcome.body.length, early.outcome.status], [got, 0]);
  assert.equal((await ask(pool).done).body, 'fine');
  assert.equal(server.accepted, 1);
});

test('idle connections close after their time; a closed pool keeps none and still sends', async (t) => {
  const { server, pool } = await start(t, (stream) => setTimeout(() => answer(stream), 20), {
    idleConnTimeout: 80,
  });
  await ask(pool).done;
  await until('the streams to be closed', () => pool.runningCalls === 0);
  assert.equal(pool.connections, 1);
  await until(
    'the idle connection to be closed',
    () => pool.connections === 0 && server.sessions.length === 0,
  );
  const running = ask(pool);
  await until('it to run', () => server.sessions.length === 1);
  pool.close();
  assert.equal((await running.done).body, 'fine');
  await until('nothing to be kept', () => pool.connections === 0);
  assert.equal((await ask(pool).done).body, 'fine');
  await until('nothing to be kept', () => pool.connections === 0);
});

test('a handler that throws ends its call, not the worker', async (t) => {
  const { pool } = await start(t, (stream) => answer(stream));
  const asked = ask(pool, {
    onData() {
      throw new Error('mistake');
    },
  });
  assert.equal(await failure(asked), 'gateway.bug');
  assert.equal((await ask(pool).done).body, 'fine');
});

test('a server that accepts and never speaks takes calls as long as heads may take', async (t) => {
  const sockets: Socket[] = [];
  const mute = createServer((socket) => sockets.push(socket.on('error', () => {})));
  await listen(mute);
  t.after(() => stop(mute, sockets));
  const url = `h2c://127.0.0.1:${(mute.address() as AddressInfo).port}`;
  const pool = new Http2Pool(url, transport({ responseHeaderTimeout: 50 }));
  assert.equal(await failure(ask(pool)), 'upstream.headers_timeout');
  pool.close();
});

test('only h2c and https are URLs of HTTP/2', () => {
  assert.throws(() => new Http2Pool('http://127.0.0.1', transport()), TypeError);
});
