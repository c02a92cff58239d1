// Requests through the client: what a server gets of them, and when.

import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { Http1Pool } from '../../../../../src/proxy/upstream/http1/pool.ts';
import { ask, answering, failure, ok, PushedBody, rawServer, transport, until } from './support.ts';

async function bench(t: TestContext, serve: (socket: Socket) => void = () => {}) {
  const server = await rawServer(serve);
  const pool = new Http1Pool(server.url, transport({ responseHeaderTimeout: 0 }));
  t.after(async () => {
    pool.close();
    await server.stop();
  });
  return { pool, server };
}

const answerAll = answering((socket) => void socket.write(ok('done')));

test('a request is its line, its fields and an empty line', async (t) => {
  const { pool, server } = await bench(t, answerAll);
  const headers = ['host', 'a.example', 'x-latin', 'caf\xe9', 'cookie', 'a=1'];
  await ask(pool, { path: '/p?q=1', headers }).done;
  assert.equal(
    server.received,
    'GET /p?q=1 HTTP/1.1\r\nhost: a.example\r\nx-latin: caf\xe9\r\ncookie: a=1\r\n\r\n',
  );
});

test('framing and hop-by-hop fields among the headers are not what the server gets', async (t) => {
  const { pool, server } = await bench(t, answerAll);
  const names = [
    'content-length',
    'transfer-encoding',
    'connection',
    'keep-alive',
    'upgrade',
    'proxy-connection',
  ];
  await ask(pool, { method: 'POST', headers: ['host', 'x', ...names.flatMap((name) => [name, '7'])] }).done;
  assert.equal(server.received, 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n');
});

test('a request that cannot be written down is refused before anything is sent', async (t) => {
  const { pool, server } = await bench(t, answerAll);
  for (const request of [
    { method: 'GE T' },
    { method: '' },
    { method: 'CONNECT' },
    { path: '' },
    { path: '/a b' },
    { path: '/a\r\nX: y' },
    { path: '/\u010a' },
    { headers: ['host', 'a\r\nx: y'] },
    { headers: ['host', 'a\0'] },
    { headers: ['x', '\u010d\u010a'] },
    { headers: ['x', '\u{1f600}'] },
    { headers: ['a b', 'c'] },
    { headers: ['a:', 'c'] },
    { headers: ['', 'c'] },
    { headers: ['\u0141', 'c'] },
  ]) {
    const asked = ask(pool, request);
    assert.equal(asked.outcome.error, null, 'the handler is not called within send');
    assert.equal(await failure(asked), 'intake.bad_request', JSON.stringify(request));
  }
  assert.equal(server.accepted, 0);
});

test('a whole body leaves with its head, a small one in the same write', async (t) => {
  const reads: string[] = [];
  const { pool } = await bench(t, (socket) => {
    socket.on('data', (chunk: Buffer) => {
      reads.push(chunk.toString('latin1'));
      if (chunk.toString('latin1').endsWith('hello')) socket.write(ok('done'));
    });
  });
  const request = { method: 'POST', headers: ['host', 'x'], body: Buffer.from('hello') };
  assert.equal((await ask(pool, request).done).body, 'done');
  assert.deepEqual(reads, ['POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nhello']);
});

test('a large whole body arrives whole', async (t) => {
  const head = 'PUT / HTTP/1.1\r\nhost: test\r\ncontent-length: 3000000\r\n\r\n';
  const { pool, server } = await bench(t, (socket) => {
    let bytes = 0;
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes === head.length + 3_000_000) socket.write(ok('done'));
    });
  });
  const body = Buffer.alloc(3_000_000, 'y');
  assert.equal((await ask(pool, { method: 'PUT', body }).done).body, 'done');
  assert.ok(server.received.startsWith(`${head}yyy`));
});

test('a streamed body with a length is sent as it comes, and the answer read after it', async (t) => {
  const { pool, server } = await bench(t, (socket) => {
    socket.on('data', () => {
      if (server.received.endsWith('hello world')) socket.write(ok('done'));
    });
  });
  const body = new PushedBody(11);
  const asked = ask(pool, { method: 'POST', body });
  await until('the body to be asked for', () => body.sink !== null);
  assert.equal(body.push('hello '), true);
  await until('the first part', () => server.received.endsWith('hello '));
  body.push('');
  body.push('world');
  body.end();
  assert.equal((await asked.done).body, 'done');
  assert.ok(server.received.includes('\r\ncontent-length: 11\r\n\r\nhello world'));
  await until('the connection to be kept', () => pool.idleConnections === 1);
});

test('a streamed body without a length is sent in chunks', async (t) => {
  const { pool, server } = await bench(t, (socket) => {
    socket.on('data', () => {
      if (server.received.endsWith('0\r\n\r\n')) socket.write(ok('done'));
    });
  });
  const body = new PushedBody(null);
  const asked = ask(pool, { method: 'POST', body });
  await until('the body to be asked for', () => body.sink !== null);
  body.push('hello world, again');
  body.push('');
  body.push('!');
  body.end();
  assert.equal((await asked.done).body, 'done');
  assert.ok(
    server.received.endsWith(
      '\r\ntransfer-encoding: chunked\r\n\r\n12\r\nhello world, again\r\n1\r\n!\r\n0\r\n\r\n',
    ),
  );
  await until('the connection to be kept', () => pool.idleConnections === 1);
});

test('a server that reads slowly holds the client back', async (t) => {
  let total = 0;
  const { pool, server } = await bench(t, (socket) => {
    socket.pause();
    socket.on('data', (chunk: Buffer) => {
      total += chunk.length;
      if (server.received.endsWith('0\r\n\r\n')) socket.write(ok('done'));
    });
    socket.pause();
  });
  const body = new PushedBody(null);
  const asked = ask(pool, { method: 'POST', body });
  await until('the body to be asked for', () => body.sink !== null);
  const piece = 'z'.repeat(65_536);
  let pushed = 0;
  while (body.push(piece)) {
    pushed++;
    assert.ok(pushed < 1_000, 'never held back');
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(body.resumed, 0);
  server.sockets[0]?.resume();
  await until('the body to be resumed', () => body.resumed === 1);
  body.end();
  assert.equal((await asked.done).body, 'done');
  assert.ok(total > pushed * 65_536);
});

test('a client that goes away, sends too much or too little ends the call and the connection', async (t) => {
  const { pool, server } = await bench(t);
  const breaks: ((body: PushedBody) => void)[] = [
    (body) => body.sink?.abort(),
    (body) => body.push('too much of it'),
    (body) => body.end(),
  ];
  for (const break_ of breaks) {
    const body = new PushedBody(5);
    const asked = ask(pool, { method: 'POST', body });
    await until('the body to be asked for', () => body.sink !== null);
    body.push('abc');
    break_(body);
    assert.equal(await failure(asked), 'client.gone');
    assert.equal(body.push('more'), true);
    await until('the connection to be closed', () => server.sockets.length === 0);
  }
  assert.ok(!server.received.includes('too much'));
});

test('a client that is gone already is told of after send has returned', async (t) => {
  const { pool } = await bench(t, answerAll);
  await ask(pool).done;
  await until('an idle connection', () => pool.idleConnections === 1);
  const body = new PushedBody(5);
  body.pipe = (sink) => sink.abort();
  const asked = ask(pool, { method: 'POST', body });
  assert.equal(asked.outcome.error, null);
  assert.equal(await failure(asked), 'client.gone');
  assert.equal(pool.connections, 0);
});

test('an answer before the end of the body is passed on, and the connection is not used again', async (t) => {
  const { pool, server } = await bench(
    t,
    answering((socket) => void socket.write(ok('too large'))),
  );
  const body = new PushedBody(1_000);
  const asked = ask(pool, { method: 'POST', body });
  const { body: answer } = await asked.done;
  assert.equal(answer, 'too large');
  assert.equal(pool.connections, 0);
  assert.equal(body.push('rest'), true);
  body.end();
  await until('the server to notice', () => server.sockets.length === 0);
});

test('a large whole body that the server does not read costs the connection, not the answer', async (t) => {
  const { pool } = await bench(t, (socket) => {
    socket.once('data', () => {
      socket.pause();
      socket.write(ok('too large'));
    });
  });
  const asked = ask(pool, { method: 'POST', body: Buffer.alloc(30_000_000) });
  assert.equal((await asked.done).body, 'too large');
  assert.equal(pool.connections, 0);
});

test('an answer that begins early and ends after the body leaves the connection in use', async (t) => {
  const { pool, server } = await bench(t, (socket) => {
    socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha'));
    socket.on('data', () => {
      if (server.received.endsWith('0\r\n\r\n')) socket.write('lf');
    });
  });
  const body = new PushedBody(null);
  const asked = ask(pool, { method: 'POST', body });
  await until('the first half', () => asked.outcome.body === 'ha');
  body.push('rest');
  body.end();
  assert.equal((await asked.done).body, 'half');
  await until('the connection to be kept', () => pool.idleConnections === 1);
});
