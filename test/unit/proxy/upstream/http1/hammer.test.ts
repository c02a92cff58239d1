// Thousands of calls over few connections to a server that misbehaves in every way at random: whatever a call
// gets, it is its own.

import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { Http1Pool } from '../../../../../src/proxy/upstream/http1/pool.ts';
import { makeRandom, type Random } from '../../../../support/random.ts';
import { type Asked, ask, answering, PushedBody, rawServer, transport, until } from './support.ts';

const calls = 6_000;
/** Calls under way at a time. */
const atOnce = 300;
const connections = 24;

test('no call ever sees the answer of another', { timeout: 60_000 }, async (t) => {
  const random = makeRandom(Number(process.env['HAMMER_SEED'] ?? Date.now() % 1_000_000));
  const server = await rawServer(answering((socket, head) => misbehave(socket, head, random)));
  const pool = new Http1Pool(server.url, transport({ responseHeaderTimeout: 200 }), {
    connections,
    waiting: atOnce,
  });
  t.after(async () => {
    pool.close();
    await server.stop();
  });
  const tally = new Map<string, number>();
  let next = 0;
  const run = async (): Promise<void> => {
    while (next < calls) {
      const id = next++;
      const kind = await oneCall(pool, id, random);
      tally.set(kind, (tally.get(kind) ?? 0) + 1);
      assert.ok(pool.connections <= connections);
      server.received = '';
    }
  };
  await Promise.all(Array.from({ length: atOnce }, run));
  assert.equal(pool.waitingCalls, 0);
  // The server did all it can, and most calls were answered all the same.
  assert.ok((tally.get('answered') ?? 0) > calls / 2, JSON.stringify([...tally]));
  for (const kind of ['upstream.reset', 'upstream.reset_body', 'upstream.headers_timeout', 'aborted']) {
    assert.ok(tally.has(kind), `${kind}: ${JSON.stringify([...tally])} (seed ${random.seed})`);
  }
  await until('all connections to be idle or closed', () => pool.connections === pool.idleConnections);
});

/** How the call ended. */
async function oneCall(pool: Http1Pool, id: number, random: Random): Promise<string> {
  const own = `<${id}>`.repeat(1 + random.below(400));
  const body = requestBody(random);
  const asked = ask(pool, {
    method: body === null ? 'GET' : 'POST',
    path: `/${id}`,
    headers: ['host', 'x', 'x-own', own.slice(0, 8_000)],
    body,
    fresh: random.below(40) === 0,
    onData: () => random.below(8) !== 0 || hold(asked),
  });
  if (body instanceof PushedBody) void pushBody(body, random);
  const abortsAfter = random.below(30) === 0 ? random.below(10) : -1;
  if (abortsAfter !== -1) {
    await new Promise((resolve) => setTimeout(resolve, abortsAfter));
    asked.call.abort();
    if (!asked.outcome.ended) return 'aborted';
  }
  const { ended, error, body: got, headers, status } = await asked.done;
  // However it ended, nothing in it may be another's.
  assert.equal(got, own.slice(0, got.length), `call ${id} got ${got.slice(0, 60)} (seed ${random.seed})`);
  if (status !== 0) assert.equal(headers[headers.indexOf('x-id') + 1], String(id), `seed ${random.seed}`);
  if (!ended) return error?.code ?? 'nothing';
  assert.equal(got, own.slice(0, 8_000), `call ${id} is not whole (seed ${random.seed})`);
  return 'answered';
}

function hold(asked: Asked): boolean {
  setImmediate(() => asked.call.resume());
  return false;
}

function requestBody(random: Random): Uint8Array | PushedBody | null {
  const kind = random.below(6);
  if (kind === 0) return Buffer.alloc(random.below(40_000), 'b');
  if (kind === 1) return new PushedBody(null);
  if (kind === 2) return new PushedBody(3_000);
  return null;
}

async function pushBody(body: PushedBody, random: Random): Promise<void> {
  for (let i = 0; i < 200 && body.sink === null; i++) await new Promise((resolve) => setTimeout(resolve, 5));
  for (let i = 0; i < 3 && body.sink !== null; i++) {
    body.push('c'.repeat(1_000));
    if (random.below(3) === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  body.end();
}

/** One request's answer. Bodies are not looked at: no line in them looks like a head. */
function misbehave(socket: Socket, head: string, random: Random): void {
  const id = /^\S+ \/(\d+) /.exec(head.slice(head.search(/(?:GET|POST) \//)))?.[1];
  const own = /\r\nx-own: (.*)/.exec(head)?.[1];
  if (id === undefined || own === undefined || socket.destroyed) return;
  const whole = answer(id, own, random);
  const stray = answer('stray', 'stray!'.repeat(20), random);
  switch (random.below(60)) {
    case 0:
      socket.destroy();
      break;
    case 1:
      socket.resetAndDestroy();
      break;
    case 2:
      break;
    case 3:
      socket.write(whole.slice(0, random.below(whole.length)), 'latin1', () => socket.destroy());
      break;
    case 4:
      socket.write(whole.slice(0, random.below(whole.length)), 'latin1', () => socket.resetAndDestroy());
      break;
    case 5:
      socket.write(whole + stray, 'latin1');
      break;
    case 6:
      socket.write(whole, 'latin1');
      socket.write(stray, 'latin1');
      break;
    case 7:
      socket.write(whole, 'latin1');
      // After the answer was read, in the same turn of the event loop.
      setImmediate(() => setImmediate(() => socket.write(stray, 'latin1')));
      break;
    case 8:
      socket.end(whole, 'latin1');
      break;
    case 9:
      socket.write(`${whole}\r\n`, 'latin1');
      break;
    default:
      writeInParts(socket, whole, random);
  }
}

function writeInParts(socket: Socket, text: string, random: Random): void {
  const at = random.below(3) === 0 ? random.below(text.length) : text.length;
  socket.write(text.slice(0, at), 'latin1');
  const rest = text.slice(at);
  if (rest === '') return;
  const go = (): void => {
    if (!socket.destroyed) socket.write(rest, 'latin1');
  };
  if (random.below(2) === 0) setImmediate(go);
  else setTimeout(go, random.below(10));
}

function answer(id: string, own: string, random: Random): string {
  const start = `${'HTTP/1.1 103 Hint\r\nX-Id: hint\r\n\r\n'.repeat(random.below(2))}HTTP/1.1 200 OK\r\nX-Id: ${id}\r\n`;
  if (random.below(2) === 0) return `${start}Content-Length: ${own.length}\r\n\r\n${own}`;
  const middle = random.below(own.length);
  const chunk = (text: string): string => (text === '' ? '' : `${text.length.toString(16)}\r\n${text}\r\n`);
  const chunks = chunk(own.slice(0, middle)) + chunk(own.slice(middle));
  return `${start}Transfer-Encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`;
}
