// The pool: how many connections, which one is taken, and how long anything may take.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { TransportSpec } from '../../../../../src/model/snapshot.ts';
import { Http1Pool, type PoolBounds } from '../../../../../src/proxy/upstream/http1/pool.ts';
import {
  type Asked,
  ask,
  answering,
  failure,
  listen,
  ok,
  rawServer,
  stop,
  transport,
  until,
} from './support.ts';

async function bench(
  t: TestContext,
  serve: (socket: Socket) => void,
  spec: Partial<TransportSpec> & { bounds?: PoolBounds } = {},
) {
  const server = await rawServer(serve);
  const pool = new Http1Pool(server.url, transport(spec), spec.bounds);
  t.after(async () => {
    pool.close();
    await server.stop();
  });
  return { pool, server };
}

/** Answers when told to; `name` in the answer is the connection's number. */
function held() {
  const open: (() => void)[] = [];
  let count = 0;
  const serve = (socket: Socket): void => {
    const name = String(count++);
    answering((_, head) => open.push(() => socket.write(ok(`${name}${head.split(' ')[1]}`))))(socket);
  };
  return { serve, release: () => open.splice(0).forEach((go) => go()), open };
}

async function all(asked: readonly Asked[]): Promise<string[]> {
  return Promise.all(asked.map(async ({ done }) => (await done).body));
}

test('the connection used last is taken first, and the one used least is closed first', async (t) => {
  const { serve, release, open } = held();
  const { pool, server } = await bench(t, serve, { maxIdleConnsPerHost: 2 });
  const asked = [ask(pool), ask(pool), ask(pool)];
  await until('three requests', () => open.length === 3);
  release();
  await all(asked);
  await until('one connection to be closed', () => server.sockets.length === 2);
  assert.equal(pool.idleConnections, 2);
  const names: string[] = [];
  for (let i = 0; i < 4; i++) {
    const next = ask(pool);
    await until('the request', () => open.length === 1);
    release();
    names.push((await next.done).body);
    await until('the connection to be back', () => pool.idleConnections === 2);
  }
  assert.equal(new Set(names).size, 1);
  assert.equal(server.accepted, 3);
});

test('a negative number of idle connections keeps none and says so to the server, 0 keeps two', async (t) => {
  const none = await bench(
    t,
    answering((socket) => void socket.write(ok('x'))),
    { maxIdleConnsPerHost: -1 },
  );
  for (let i = 0; i < 3; i++) await ask(none.pool).done;
  assert.equal(none.server.accepted, 3);
  assert.equal(none.pool.connections, 0);
  assert.equal(none.server.received, 'GET / HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n'.repeat(3));
  const { serve, release, open } = held();
  const two = await bench(t, serve, { maxIdleConnsPerHost: 0 });
  const asked = [ask(two.pool), ask(two.pool), ask(two.pool)];
  await until('three requests', () => open.length === 3);
  release();
  await all(asked);
  await until('two idle connections', () => two.pool.idleConnections === 2 && two.pool.connections === 2);
});

test('idle connections are closed after idleConnTimeout, or when the server said it would', async (t) => {
  const { pool } = await bench(
    t,
    answering((socket) => void socket.write(ok('x'))),
    { idleConnTimeout: 80 },
  );
  await ask(pool).done;
  await until('an idle connection', () => pool.idleConnections === 1);
  const since = performance.now();
  await until('it to be closed', () => pool.connections === 0);
  assert.ok(performance.now() - since > 60);

  const hint = 'HTTP/1.1 200 OK\r\nKeep-Alive: max=5, timeout=2\r\nContent-Length: 0\r\n\r\n';
  const hinted = await bench(
    t,
    answering((socket) => void socket.write(hint)),
    { dialTimeout: 80 },
  );
  await ask(hinted.pool).done;
  await until('an idle connection', () => hinted.pool.idleConnections === 1);
  await until('it to be closed', () => hinted.pool.connections === 0);
});

test('connections are bounded; calls beyond wait their turn, and those beyond the queue are refused', async (t) => {
  const { serve, release, open } = held();
  const { pool, server } = await bench(t, serve, { bounds: { connections: 2, waiting: 3 } });
  const asked = Array.from({ length: 5 }, (_, i) => ask(pool, { path: `/${i}` }));
  const refused = ask(pool);
  assert.ok(refused.outcome.error === null, 'the handler is not called within send');
  const refusal = (await refused.done).error;
  assert.deepEqual([refusal?.code, refusal?.unsent], ['upstream.connect_refused', true]);
  asked[3]?.call.abort();
  const late = ask(pool, { path: '/late' });
  const order: string[] = [];
  for (const one of [...asked, late]) void one.done.then(({ body }) => order.push(body.slice(1)));
  const served = (): number => order.length;
  while (served() < 5) {
    await until('requests or the end', () => open.length > 0 || served() === 5);
    release();
  }
  assert.deepEqual(order.slice(2), ['/2', '/4', '/late']);
  assert.equal(server.accepted, 2);
  assert.equal(pool.waitingCalls, 0);
  assert.equal(asked[3]?.outcome.status, 0);
});

test('a waiting call gets the place of a connection that is lost', async (t) => {
  let count = 0;
  const serve = answering((socket) => (count++ === 0 ? socket.destroy() : void socket.write(ok('second'))));
  const { pool } = await bench(t, serve, { bounds: { connections: 1, waiting: 5 } });
  const first = ask(pool);
  const second = ask(pool);
  assert.equal(await failure(first), 'upstream.reset');
  assert.equal(await failure(second), '200 second');
});

test('a call that waits longer than dialTimeout is told so', async (t) => {
  const { pool } = await bench(t, () => {}, { dialTimeout: 60, bounds: { connections: 1, waiting: 5 } });
  const first = ask(pool);
  await until('a connection', () => pool.connections === 1);
  const { error } = await ask(pool).done;
  assert.deepEqual([error?.code, error?.unsent], ['upstream.connect_timeout', true]);
  first.call.abort();
});

test('a fresh call has a connection of its own, also when all places are taken', async (t) => {
  const { pool, server } = await bench(
    t,
    answering((socket) => void socket.write(ok('x'))),
    {
      bounds: { connections: 1, waiting: 5 },
    },
  );
  await ask(pool).done;
  await until('an idle connection', () => pool.idleConnections === 1);
  const fresh = ask(pool, { fresh: true });
  const behind = ask(pool, { fresh: true });
  assert.equal((await fresh.done).body, 'x');
  assert.equal((await behind.done).body, 'x');
  await until('nothing to be kept', () => pool.connections === 0);
  assert.equal(server.accepted, 3);
  const running = ask(pool);
  const waiting = ask(pool, { fresh: true });
  await running.done;
  assert.equal((await waiting.done).body, 'x');
  assert.equal(pool.connections, 0);
  assert.ok(server.received.includes('connection: close'));
});

test('a server that does not accept is told as a dial timeout, one that refuses as refused', async (t) => {
  const port = await deafPort(t);
  const pool = new Http1Pool(`http://127.0.0.1:${port}`, transport({ dialTimeout: 100 }));
  const { error } = await ask(pool).done;
  assert.deepEqual([error?.code, error?.unsent], ['upstream.connect_timeout', true]);
  assert.equal(pool.connections, 0);

  const { server } = await bench(t, () => {});
  await server.stop();
  const refusing = new Http1Pool(server.url, transport());
  const refusal = await ask(refusing).done;
  assert.deepEqual([refusal.error?.code, refusal.error?.unsent], ['upstream.connect_refused', true]);
});

test('a TLS handshake that stands still is a dial timeout', async (t) => {
  const { server } = await bench(t, () => {});
  const pool = new Http1Pool(server.url.replace('http:', 'https:'), transport({ dialTimeout: 80 }));
  assert.equal(await failure(ask(pool)), 'upstream.connect_timeout');
  await until('the connection to be closed', () => server.sockets.length === 0);
});

test('an answer whose head does not come within responseHeaderTimeout is given up, its body is not', async (t) => {
  const { pool, server } = await bench(t, () => {}, { responseHeaderTimeout: 80 });
  const since = performance.now();
  assert.equal(await failure(ask(pool)), 'upstream.headers_timeout');
  assert.ok(performance.now() - since > 75);
  await until('the connection to be closed', () => server.sockets.length === 0);

  const slow = await bench(
    t,
    answering((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n');
      setTimeout(() => socket.write('slow'), 250);
    }),
    { responseHeaderTimeout: 80 },
  );
  assert.equal(await failure(ask(slow.pool)), '200 slow');
  const hints = await bench(
    t,
    answering((socket) => {
      const timer = setInterval(() => socket.write('HTTP/1.1 103 Hint\r\n\r\n'), 30);
      socket.on('close', () => clearInterval(timer));
    }),
    { responseHeaderTimeout: 80 },
  );
  assert.equal(await failure(ask(hints.pool)), 'upstream.headers_timeout');
});

test('a closed pool finishes what runs and waits, keeps nothing, and still sends', async (t) => {
  const { serve, release, open } = held();
  const { pool, server } = await bench(t, serve, { bounds: { connections: 2, waiting: 5 } });
  const asked = [ask(pool), ask(pool), ask(pool)];
  await until('two requests', () => open.length === 2);
  pool.close();
  const late = ask(pool);
  for (const one of [...asked, late]) {
    while (!one.outcome.ended) {
      release();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  await until('nothing to be kept', () => pool.connections === 0 && server.sockets.length === 0);
});

test('closing closes idle and resting connections', async (t) => {
  const { pool, server } = await bench(
    t,
    answering((socket) => void socket.write(ok('x'))),
  );
  await ask(pool).done;
  pool.close();
  assert.equal(pool.connections, 0);
  await until('the server to notice', () => server.sockets.length === 0);
});

test('a server may listen on a unix socket', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-'));
  const path = join(folder, 'socket');
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    answering(() => void socket.write(ok('unix')))(socket);
  });
  await listen(server, path);
  t.after(async () => {
    await stop(server, sockets);
    rmSync(folder, { recursive: true });
  });
  for (const url of [`unix:${path}`, `unix://${path}`]) {
    const pool = new Http1Pool(url, transport());
    assert.equal((await ask(pool).done).body, 'unix');
    pool.close();
  }
  const missing = new Http1Pool(`unix:${path}-not`, transport());
  assert.equal(await failure(ask(missing)), 'upstream.connect_refused');
});

test('other URLs are no servers', () => {
  assert.throws(() => new Http1Pool('ftp://127.0.0.1', transport()), TypeError);
  assert.throws(() => new Http1Pool('nonsense', transport()), TypeError);
});

/** A port whose process stands still with a full queue: the kernel drops what else would connect. */
async function deafPort(t: TestContext): Promise<number> {
  const script =
    'require("net").createServer().listen({ port: 0, host: "127.0.0.1", backlog: 1 }, function () { console.log(this.address().port) })';
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const sockets: Socket[] = [];
  t.after(() => {
    child.kill('SIGKILL');
    for (const socket of sockets) socket.destroy();
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const port = Number(line.toString());
  child.kill('SIGSTOP');
  for (let i = 0; i < 4; i++) sockets.push(connect(port, '127.0.0.1').on('error', () => {}));
  await until('the queue to be full', () => sockets.filter((socket) => !socket.connecting).length >= 2);
  return port;
}
