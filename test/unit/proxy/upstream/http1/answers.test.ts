// Answers through the client: what is passed on, what is refused, and what becomes of the connection.

import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { readBufferBytes } from '../../../../../src/proxy/upstream/http1/limits.ts';
import { Http1Pool } from '../../../../../src/proxy/upstream/http1/pool.ts';
import { type AskOptions, ask, answering, failure, ok, rawServer, transport, until } from './support.ts';

interface Bench {
  readonly pool: Http1Pool;
  readonly server: Awaited<ReturnType<typeof rawServer>>;
}

/** A pool before a server that answers every request by `answer`. */
async function bench(
  t: TestContext,
  answer: string | ((socket: Socket, head: string) => void),
): Promise<Bench> {
  const serve = typeof answer === 'string' ? (socket: Socket) => void socket.write(answer, 'latin1') : answer;
  const server = await rawServer(answering(serve));
  const pool = new Http1Pool(server.url, transport());
  t.after(async () => {
    pool.close();
    await server.stop();
  });
  return { pool, server };
}

/** Asks once, and says whether the connection was kept. */
async function once(t: TestContext, answer: string, options: AskOptions = {}) {
  const { pool, server } = await bench(t, answer);
  const outcome = await ask(pool, options).done;
  await until('the connection to be kept or closed', () => pool.idleConnections + pool.connections !== 1);
  return { ...outcome, kept: pool.idleConnections === 1 && server.sockets.length === 1 };
}

test('an answer with Content-Length is passed on and its connection serves again', async (t) => {
  const { pool, server } = await bench(t, ok('hello'));
  for (let i = 0; i < 3; i++) {
    const { status, body, length, headers } = await ask(pool).done;
    assert.deepEqual({ status, body, length }, { status: 200, body: 'hello', length: 5 });
    assert.deepEqual(headers, ['content-length', '5']);
    await until('an idle connection', () => pool.idleConnections === 1);
  }
  assert.equal(server.accepted, 1);
});

test('header names are lower case, values latin1, hop-by-hop and nominated ones gone', async (t) => {
  const { headers } = await once(
    t,
    'HTTP/1.1 200 OK\r\nCONTENT-type:  text/plain \t\r\nDate: now\r\nX-Unknown: 1\r\nX-Latin: caf\xe9\r\n' +
      'X-Mine: a\r\nKeep-Alive: timeout=5\r\nConnection: keep-alive, X-Mine, Content-Length\r\nTE: a\r\n' +
      'Trailer: b\r\nUpgrade: h2c\r\nProxy-Authenticate: c\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n' +
      'Empty:\r\nContent-Length: 0\r\n\r\n',
  );
  assert.deepEqual(headers, [
    'content-type',
    'text/plain',
    'date',
    'now',
    'x-unknown',
    '1',
    'x-latin',
    'caf\xe9',
    'set-cookie',
    'a=1',
    'set-cookie',
    'b=2',
    'empty',
    '',
    'content-length',
    '0',
  ]);
});

test('a chunked answer is joined, its extensions and trailers are dropped', async (t) => {
  const chunks = '5;a=b\r\nhello\r\n00C\r\n world again\r\n0\r\nX-T: 1\r\n\r\n';
  const seen = await once(t, `HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n${chunks}`);
  assert.equal(seen.body, 'hello world again');
  assert.equal(seen.length, -1);
  assert.deepEqual(seen.headers, []);
  assert.ok(seen.kept);
});

test('without length and chunks the answer ends with its connection', async (t) => {
  const { pool } = await bench(t, (socket) => void socket.end('HTTP/1.1 200 OK\r\n\r\nall there is'));
  const { body, length, ended } = await ask(pool).done;
  assert.deepEqual({ body, length, ended }, { body: 'all there is', length: -1, ended: true });
  assert.equal(pool.connections, 0);
});

test('HEAD, 204 and 304 have no body whatever their head says', async (t) => {
  const big = 'Content-Length: 500\r\n\r\n';
  for (const [answer, method] of [
    [`HTTP/1.1 200 OK\r\n${big}`, 'HEAD'],
    [`HTTP/1.1 304 Not Modified\r\n${big}`, 'GET'],
    [`HTTP/1.1 204 No Content\r\n${big}`, 'GET'],
    ['HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n', 'GET'],
    ['HTTP/1.1 200 OK\r\n\r\n', 'HEAD'],
  ] as const) {
    const seen = await once(t, answer, { method });
    assert.deepEqual([seen.body, seen.length, seen.ended, seen.kept], ['', 0, true, true], answer);
  }
});

test('a body where there is none closes the connection and reaches nobody', async (t) => {
  for (const [answer, method] of [
    [ok('body of a HEAD'), 'HEAD'],
    ['HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\nabc', 'GET'],
    ['HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 'GET'],
    [`${ok('first')}${ok('second')}`, 'GET'],
    [`${ok('first')}\r\n`, 'GET'],
  ] as const) {
    const seen = await once(t, answer, { method });
    assert.equal(seen.ended, true, answer);
    assert.ok(['', 'first'].includes(seen.body));
    assert.equal(seen.kept, false, answer);
  }
});

test('bytes that follow an answer a moment later meet a connection that nobody uses', async (t) => {
  const { pool, server } = await bench(t, (socket) => {
    socket.write(ok('mine'));
    // After the answer was read, in the same turn of the event loop.
    setImmediate(() => setImmediate(() => socket.write(ok('stray'))));
  });
  const bodies: string[] = [];
  for (let i = 0; i < 20; i++) bodies.push((await ask(pool).done).body);
  assert.deepEqual([...new Set(bodies)], ['mine']);
  assert.ok(server.accepted > 1);
});

test('bytes on an idle connection close it', async (t) => {
  const { pool, server } = await bench(t, ok('one'));
  await ask(pool).done;
  await until('an idle connection', () => pool.idleConnections === 1);
  server.sockets[0]?.write(ok('unasked'));
  await until('the connection to be closed', () => pool.connections === 0);
  assert.equal((await ask(pool).done).body, 'one');
  assert.equal(server.accepted, 2);
});

test('an idle connection the server closes is forgotten at once', async (t) => {
  const { pool, server } = await bench(t, ok('one'));
  await ask(pool).done;
  await until('an idle connection', () => pool.idleConnections === 1);
  server.sockets[0]?.end();
  await until('the connection to be forgotten', () => pool.connections === 0);
});

test('answers 1xx are swallowed, however they are cut', async (t) => {
  const hints = 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n';
  const seen = await once(t, hints + ok('final'));
  assert.deepEqual([seen.status, seen.body, seen.kept], [200, 'final', true]);
  assert.deepEqual(seen.headers, ['content-length', '5']);
});

test('a flood of answers 1xx is refused, and so is 101', async (t) => {
  const flood = await bench(t, 'HTTP/1.1 103 Hint\r\n\r\n'.repeat(17) + ok('late'));
  assert.equal(await failure(ask(flood.pool)), 'upstream.malformed');
  const fine = await bench(t, 'HTTP/1.1 103 Hint\r\n\r\n'.repeat(16) + ok('late'));
  assert.equal(await failure(ask(fine.pool)), '200 late');
  const switching = await bench(t, 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n');
  assert.equal(await failure(ask(switching.pool)), 'upstream.bad_upgrade');
  assert.equal(switching.pool.connections, 0);
});

test('contradictory, repeated and unknown framing is refused with 502 and the connection closed', async (t) => {
  for (const fields of [
    'Content-Length: 2\r\nContent-Length: 2',
    'Content-Length: 2\r\nContent-Length: 3',
    'Content-Length: 2, 2',
    'Content-Length: +2',
    'Content-Length: 0x2',
    'Content-Length: -2',
    'Content-Length:',
    'Content-Length: 2 2',
    'Content-Length: 99999999999999999',
    'Content-Length: 9007199254740992',
    'Content-Length: 2\r\nTransfer-Encoding: chunked',
    'Transfer-Encoding: chunked\r\nContent-Length: 2',
    'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked',
    'Transfer-Encoding: gzip, chunked',
    'Transfer-Encoding: chunked, identity',
    'Transfer-Encoding: identity',
    'Transfer-Encoding: xchunked',
    'Transfer-Encoding:',
  ]) {
    const { pool } = await bench(t, `HTTP/1.1 200 OK\r\n${fields}\r\n\r\n`);
    const { error } = await ask(pool).done;
    assert.equal(error?.code, 'upstream.bad_framing', fields);
    assert.equal(error?.status, 502);
    assert.equal(pool.connections, 0);
  }
  const old = await bench(t, 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n');
  assert.equal(await failure(ask(old.pool)), 'upstream.bad_framing');
});

test('heads that break the grammar are refused', async (t) => {
  for (const answer of [
    'SSH-2.0-OpenSSH_9\r\n',
    'http/1.1 200 OK\r\n\r\n',
    'HTTP/1.2 200 OK\r\n\r\n',
    'HTTP/2.0 200 OK\r\n\r\n',
    'HTTP/1.1  200 OK\r\n\r\n',
    'HTTP/1.1 20 OK\r\n\r\n',
    'HTTP/1.1 2000 OK\r\n\r\n',
    'HTTP/1.1 099 OK\r\n\r\n',
    'HTTP/1.1 2x0 OK\r\n\r\n',
    'HTTP/1.1 200 O\0K\r\n\r\n',
    '\r\nHTTP/1.1 200 OK\r\n\r\n',
    'HTTP/1.1 200 OK\nA: b\n\n',
    'HTTP/1.1 200 OK\r\nA: b\n\r\n',
    'HTTP/1.1 200 OK\r\nA: b\r\r\n\r\n',
    'HTTP/1.1 200 OK\r\nA : b\r\n\r\n',
    'HTTP/1.1 200 OK\r\n: b\r\n\r\n',
    'HTTP/1.1 200 OK\r\nno colon\r\n\r\n',
    'HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n',
    'HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n',
    'HTTP/1.1 200 OK\r\nA: b\x7f\r\n\r\n',
    'HTTP/1.1 200 OK\r\nA(: b\r\n\r\n',
    'HTTP/1.1 200 OK\r\nA\xe9: b\r\n\r\n',
  ]) {
    const { pool } = await bench(t, answer);
    assert.equal(await failure(ask(pool)), 'upstream.malformed', JSON.stringify(answer));
    assert.equal(pool.connections, 0);
  }
});

test('chunks that break the grammar cut the answer and close the connection', async (t) => {
  for (const chunks of [
    'x\r\n',
    '\r\n',
    '-1\r\n',
    '0x5\r\nhello\r\n',
    '5\nhello\r\n0\r\n\r\n',
    '5 \r\nhello\r\n0\r\n\r\n',
    '5\r\nhello0\r\n\r\n',
    '5\r\nhello\n0\r\n\r\n',
    '5;a\0b\r\nhello\r\n0\r\n\r\n',
    '00000000000000005\r\nhello\r\n',
    'FFFFFFFFFFFFFFFF\r\nhello\r\n',
    '20000000000000\r\nhello\r\n',
    `5;${'x'.repeat(1024)}\r\nhello\r\n0\r\n\r\n`,
    `0\r\n${'A: b\r\n'.repeat(5000)}\r\n`,
    '0\r\nA: b\0\r\n\r\n',
    '0\r\n\rX',
    '0\r\nA: b\n\r\n',
  ]) {
    const { pool } = await bench(t, `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}`);
    const { error, status } = await ask(pool).done;
    assert.equal(error?.code, 'upstream.bad_framing', JSON.stringify(chunks.slice(0, 40)));
    assert.equal(status, 200);
    assert.equal(pool.connections, 0);
  }
});

test('a head may be 256 KiB long and no longer', async (t) => {
  const head = (bytes: number): string => {
    const lines = `A: ${'x'.repeat(997)}\r\n`;
    const start = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n';
    const count = Math.floor((bytes - start.length - 2 - 4) / 1002);
    const rest = bytes - start.length - 2 - count * 1002;
    return `${start}${lines.repeat(count)}B:${'y'.repeat(rest - 4)}\r\n\r\n`;
  };
  assert.equal(head(262_144).length, 262_144);
  const fits = await bench(t, `${head(262_144)}ok`);
  assert.equal(await failure(ask(fits.pool)), '200 ok');
  const tooLong = await bench(t, `${head(262_145)}ok`);
  assert.equal(await failure(ask(tooLong.pool)), 'upstream.malformed');
  const endless = await bench(t, (socket) => {
    socket.write('HTTP/1.1 200 OK\r\n');
    const more = (): void => {
      if (!socket.destroyed) socket.write('A: b\r\n'.repeat(1000), () => setImmediate(more));
    };
    more();
  });
  assert.equal(await failure(ask(endless.pool)), 'upstream.malformed');
});

test('HTTP/1.0, Connection: close and NTLM answers are not followed by another on their connection', async (t) => {
  for (const start of [
    'HTTP/1.0 200 OK\r\n',
    'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n',
    'HTTP/1.1 200 OK\r\nConnection: close\r\n',
    'HTTP/1.1 200 OK\r\nConnection: Keep-Alive, CLOSE\r\n',
    'HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\n',
    'HTTP/1.1 401 No\r\nWWW-Authenticate: NTLM abc\r\n',
    'HTTP/1.1 401 No\r\nWWW-Authenticate: negotiate\r\n',
  ]) {
    const seen = await once(t, `${start}Content-Length: 2\r\n\r\nok`);
    assert.deepEqual([seen.body, seen.ended, seen.kept], ['ok', true, false], start);
  }
});

test('a request that vouches for its connection is the last on it, whatever the answer says', async (t) => {
  for (const answer of [ok('ok'), 'HTTP/1.1 204 No\r\nPersistent-Auth: true\r\n\r\n']) {
    for (const value of ['Negotiate YII=', 'negotiate YII=', 'NTLM TlR=', 'Nego2 YII=']) {
      const seen = await once(t, answer, { headers: ['host', 'a.test', 'authorization', value] });
      assert.deepEqual([seen.ended, seen.kept], [true, false], value);
    }
    for (const value of ['Bearer ntlm', 'Basic Og==', 'Negotiated x']) {
      const seen = await once(t, answer, { headers: ['host', 'a.test', 'authorization', value] });
      assert.deepEqual([seen.ended, seen.kept], [true, true], value);
    }
  }
});

test('an answer cut within its body is told as such', async (t) => {
  for (const answer of [
    'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n',
  ]) {
    for (const end of ['end', 'resetAndDestroy'] as const) {
      const { pool } = await bench(
        t,
        (socket) => void socket.write(answer, () => setImmediate(() => socket[end]())),
      );
      assert.equal(await failure(ask(pool)), 'upstream.reset_body', `${end} ${answer}`);
      assert.equal(pool.connections, 0);
    }
  }
  const open = await bench(
    t,
    (socket) =>
      void socket.write('HTTP/1.1 200 OK\r\n\r\npart', () => setTimeout(() => socket.resetAndDestroy(), 20)),
  );
  assert.equal(await failure(ask(open.pool)), 'upstream.reset_body');
});

test('a connection lost before the answer is a reset, on a kept one a reset that may be repeated', async (t) => {
  for (const end of ['end', 'resetAndDestroy'] as const) {
    let served = 0;
    const { pool } = await bench(t, (socket) => {
      served++;
      if (served === 2) socket.write(ok('kept'));
      else socket[end]();
    });
    const first = await ask(pool).done;
    assert.equal(first.error?.code, 'upstream.reset');
    assert.equal(first.error?.unsent, false);
    assert.equal((await ask(pool).done).body, 'kept');
    await until('an idle connection', () => pool.idleConnections === 1);
    const third = await ask(pool).done;
    assert.equal(third.error?.code, 'upstream.reset_reused');
    assert.equal(third.error?.unsent, false);
    assert.equal(third.error?.retry, 'fresh-connection');
  }
});

test('a request the kernel refused to take is known not to have been sent, whatever its method', async (t) => {
  const { pool, server } = await bench(t, ok('kept'));
  await ask(pool).done;
  await until('an idle connection', () => pool.idleConnections === 1);
  server.sockets[0]?.resetAndDestroy();
  // In the same turn: the reset lies in the kernel, and nobody has read of it yet.
  const { error } = await ask(pool, { method: 'POST', body: Buffer.from('once') }).done;
  assert.deepEqual([error?.code, error?.unsent], ['upstream.reset_reused', true]);
});

test('a connection lost after a 1xx is a reset, and not one to repeat on', async (t) => {
  let served = 0;
  const { pool } = await bench(t, (socket) => {
    served++;
    if (served === 1) socket.write(ok('kept'));
    else socket.write('HTTP/1.1 100 Continue\r\n\r\n', () => setImmediate(() => socket.end()));
  });
  await ask(pool).done;
  await until('an idle connection', () => pool.idleConnections === 1);
  assert.equal(await failure(ask(pool)), 'upstream.reset');
});

test('a connection lost within the head is not one to repeat on', async (t) => {
  let served = 0;
  const { pool } = await bench(t, (socket) => {
    served++;
    if (served === 1) socket.write(ok('kept'));
    else socket.write('HTTP/1.1 20', () => setImmediate(() => socket.end()));
  });
  await ask(pool).done;
  await until('an idle connection', () => pool.idleConnections === 1);
  assert.equal(await failure(ask(pool)), 'upstream.malformed');
});

test('a body of many reads arrives byte for byte, with a length and in chunks', async (t) => {
  // A prime period, so that no read or chunk begins where another did.
  const body = Buffer.from(Array.from({ length: readBufferBytes * 5 + 7 }, (_, i) => (i % 8_191) & 255));
  const chunk = body.subarray(0, readBufferBytes + 1);
  const rest = body.subarray(chunk.length);
  for (const parts of [
    [`Content-Length: ${body.length}\r\n\r\n`, body],
    ['Transfer-Encoding: chunked\r\n\r\n', chunked(chunk), chunked(rest), '0\r\n\r\n'],
  ]) {
    const { pool } = await bench(t, (socket) => {
      socket.write('HTTP/1.1 200 OK\r\n');
      for (const part of parts) socket.write(part);
    });
    let largest = 0;
    const onData = (data: Uint8Array): boolean => {
      largest = Math.max(largest, data.length);
      return true;
    };
    const seen = await ask(pool, { onData }).done;
    assert.ok(largest <= readBufferBytes);
    assert.ok(Buffer.from(seen.body, 'latin1').equals(body));
    await until('the connection to be kept', () => pool.idleConnections === 1);
  }
});

function chunked(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
}

test('a handler that holds back stops the reading, and goes on where it was', async (t) => {
  const size = 8 * 1024 * 1024;
  let left = size;
  const { pool } = await bench(t, (socket) => {
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
    const more = (): void => {
      while (left > 0 && socket.write(Buffer.alloc(65_536, 'x'))) left -= 65_536;
      left -= left > 0 ? 65_536 : 0;
      if (left > 0) socket.once('drain', more);
    };
    more();
  });
  let bytes = 0;
  let isHeld = false;
  let calls = 0;
  const asked = ask(pool, {
    onData(chunk) {
      bytes += chunk.length;
      calls++;
      isHeld = true;
      return false;
    },
  });
  await until('the first bytes', () => isHeld);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(calls, 1);
  assert.ok(bytes <= readBufferBytes);
  while (!asked.outcome.ended) {
    if (isHeld) {
      isHeld = false;
      asked.call.resume();
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(bytes, size);
  await until('the connection to be kept', () => pool.idleConnections === 1);
});

test('an aborted call hears nothing more and takes its connection with it', async (t) => {
  const { pool, server } = await bench(
    t,
    (socket) => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel'),
  );
  const waiting = ask(pool);
  await until('a part of the body', () => waiting.outcome.body === 'hel');
  waiting.call.abort();
  assert.equal(pool.connections, 0);
  await until('the server to notice', () => server.sockets.length === 0);
  const early = ask(pool);
  early.call.abort();
  const inHead = ask(pool, { onHead: () => inHead.call.abort() });
  await until('the head', () => inHead.outcome.status === 200);
  await until('the server to notice', () => pool.connections === 0 && server.sockets.length === 0);
  assert.deepEqual([early.outcome.status, inHead.outcome.body], [0, '']);
  const complete = await ask(pool, { method: 'HEAD' }).done;
  assert.equal(complete.ended, true);
});

test('an abort after the end does nothing to the connection, even when it serves another call', async (t) => {
  const { pool, server } = await bench(t, (socket, head) => {
    if (head.startsWith('GET /slow')) setTimeout(() => socket.write(ok('slow')), 30);
    else socket.write(ok('fast'));
  });
  const first = ask(pool);
  await first.done;
  await until('an idle connection', () => pool.idleConnections === 1);
  const second = ask(pool, { path: '/slow' });
  first.call.abort();
  first.call.resume();
  assert.equal((await second.done).body, 'slow');
  assert.equal(server.accepted, 1);
});

test('a mistake in a handler ends its own call only', async (t) => {
  const { pool } = await bench(t, ok('hello'));
  const asked = ask(pool, {
    onData() {
      throw new Error('mistake');
    },
  });
  assert.equal(await failure(asked), 'gateway.bug');
  assert.equal(pool.connections, 0);
  assert.equal((await ask(pool).done).body, 'hello');
});
