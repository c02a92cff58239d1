// The client of auth calls: every call ends, once and in time, and nothing is left of it.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import net, { type AddressInfo, type Socket } from 'node:net';
import { after, afterEach, beforeEach, test } from 'node:test';
import fc from 'fast-check';
import { GatewayError } from '../../../../src/proxy/errors.ts';
import type { AuthAnswer } from '../../../../src/proxy/upstream/auth-call.ts';
import { AuthCalls } from '../../../../src/proxy/upstream/auth-calls.ts';
import { type AuthClient, createAuthClients } from '../../../../src/proxy/upstream/auth-client.ts';
import { waitFor } from '../../../support/origin.ts';

/** What the server does with each request; silent unless a test says otherwise. */
let serve: (socket: Socket) => void = () => {};
const sockets = new Set<Socket>();
const server = net.createServer((socket) => {
  sockets.add(socket);
  socket.on('data', () => serve(socket));
  socket.on('error', () => {});
  socket.on('close', () => sockets.delete(socket));
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/auth`;

let clients = createAuthClients();
let client: AuthClient = clients.get({ address, tls: null });

beforeEach(() => {
  serve = () => {};
  clients = createAuthClients();
  client = clients.get({ address, tls: null });
});
afterEach(() => clients.close());
after(() => {
  for (const socket of sockets) socket.destroy();
  server.close();
});

function reply(socket: Socket): void {
  socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx-user: u\r\n\r\n');
  // In two reads, more often than not.
  setImmediate(() => socket.write('o'));
  setTimeout(() => socket.write('k'), 5);
}

type Told = AuthAnswer | GatewayError;

function ask(timeout: number, told: (answer: Told) => void): { cancel(): void } {
  const call = { method: 'GET', headers: ['x-a', 'b'], body: null, timeout, maxBody: 100 };
  return client.ask(call, { onAnswer: told });
}

function answerOf(timeout: number): Promise<Told> {
  return new Promise((resolve) => {
    ask(timeout, resolve);
  });
}

function codeOf(told: Told | undefined): string {
  return told instanceof GatewayError ? told.code : `${told?.status}`;
}

test('an answer in several reads arrives whole', async () => {
  serve = reply;
  const told = await answerOf(5_000);
  assert.ok(!(told instanceof GatewayError));
  assert.equal(Buffer.from(told.body).toString(), 'ok');
  assert.deepEqual(told.headers, ['content-length', '2', 'x-user', 'u']);
});

test('a silent server: the call ends at its timeout, not before and soon after, whatever others do', async () => {
  const startedAt = performance.now();
  const late = answerOf(10_000);
  const told = await answerOf(120);
  const took = performance.now() - startedAt;
  assert.equal(codeOf(told), 'auth.timeout');
  assert.ok(took >= 120 && took < 1_000, `${took} ms`);
  clients.close();
  assert.equal(codeOf(await late), 'client.gone');
});

test('a server that drips its answer does not outlast the timeout', async () => {
  serve = (socket) => {
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n');
    const drip = setInterval(() => socket.write('x'), 10);
    socket.once('close', () => clearInterval(drip));
  };
  assert.equal(codeOf(await answerOf(150)), 'auth.timeout');
  await waitFor('the connection to be closed', () => sockets.size === 0);
});

test('a cancelled call tells nobody, and its connection is closed', async () => {
  const told: Told[] = [];
  const pending = ask(100, (answer) => told.push(answer));
  await waitFor('the call to arrive', () => sockets.size === 1);
  pending.cancel();
  pending.cancel();
  await waitFor('the connection to be closed', () => sockets.size === 0);
  assert.equal(codeOf(await answerOf(150)), 'auth.timeout');
  assert.deepEqual(told, []);
});

test('calls beyond the bound are refused, and not from within the question', async () => {
  const told: Told[] = [];
  const pending = Array.from({ length: 4_097 }, () => ask(30_000, (answer) => told.push(answer)));
  assert.equal(told.length, 0);
  await waitFor('a refusal', () => told.length === 1);
  assert.equal(codeOf(told[0]), 'auth.unreachable');
  for (const one of pending) one.cancel();
  serve = reply;
  assert.equal(codeOf(await answerOf(5_000)), '200');
  assert.equal(told.length, 1);
});

test('a closed client refuses, and whoever loses interest in the refusal hears nothing', async () => {
  clients.close();
  const told: Told[] = [];
  ask(1_000, (answer) => told.push(answer)).cancel();
  assert.equal(codeOf(await answerOf(1_000)), 'auth.unreachable');
  assert.deepEqual(told, []);
});

test('property: calls leave in any order, and those that stay keep their places', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(40), { maxLength: 200 }), (steps) => {
      const calls = new AuthCalls<{ deadline: number; place: number; expire(): void }>();
      const inside = new Map<number, { deadline: number; place: number; expire(): void }>();
      for (const step of steps) {
        const known = inside.get(step);
        const call = known ?? { deadline: Number.POSITIVE_INFINITY, place: -1, expire() {} };
        if (known === undefined) calls.add(call);
        else calls.remove(call);
        if (known === undefined) inside.set(step, call);
        else inside.delete(step);
      }
      const seen = new Set<unknown>();
      calls.forEach((call) => seen.add(call));
      assert.deepEqual(seen, new Set(inside.values()));
      assert.equal(calls.size, inside.size);
    }),
  );
});
