// Thousands of calls over few connections to a server that resets streams, refuses them, says GOAWAY, stalls and
// dies at random: whatever a call gets, it is its own.

import assert from 'node:assert/strict';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { test } from 'node:test';
import { Http2Pool } from '../../../../../src/proxy/upstream/http2/pool.ts';
import { makeRandom, type Random } from '../../../../support/random.ts';
import { type Asked, ask, PushedBody, transport, until } from '../http1/support.ts';
import { h2Server } from './support.ts';

const calls = 6_000;
/** Calls under way at a time. */
const atOnce = 200;
const connections = 4;

test('no call ever sees the answer of another', { timeout: 60_000 }, async (t) => {
  const random = makeRandom(Number(process.env['HAMMER_SEED'] ?? Date.now() % 1_000_000));
  const server = await h2Server((stream, headers) => misbehave(stream, headers, random), {
    settings: { maxConcurrentStreams: 40 },
  });
  const pool = new Http2Pool(server.url, transport({ responseHeaderTimeout: 1_000 }), {
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
      assert.ok(pool.connections <= 2 * connections);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, run));
  t.diagnostic(JSON.stringify([...tally]));
  assert.equal(pool.waitingCalls, 0);
  assert.ok((tally.get('answered') ?? 0) > calls / 2, JSON.stringify([...tally]));
  for (const kind of ['upstream.reset', 'upstream.reset_reused', 'upstream.reset_body', 'aborted'])
    assert.ok(tally.has(kind), `${kind}: ${JSON.stringify([...tally])} (seed ${random.seed})`);
  await until('all streams to be closed', () => pool.runningCalls === 0);
});

/** How the call ended. */
async function oneCall(pool: Http2Pool, id: number, random: Random): Promise<string> {
  const own = `<${id}>`.repeat(1 + random.below(600));
  const body = requestBody(own, random);
  const asked = ask(pool, {
    method: body === null ? 'GET' : 'POST',
    path: `/${id}`,
    headers: ['host', 'x', 'x-own', own.slice(0, 3_000)],
    body,
    fresh: random.below(40) === 0,
    onData: () => random.below(8) !== 0 || hold(asked),
  });
  if (body instanceof PushedBody) void pushBody(body, own, random);
  const abortsAfter = random.below(30) === 0 ? random.below(10) : -1;
  if (abortsAfter !== -1) {
    await new Promise((resolve) => setTimeout(resolve, abortsAfter));
    asked.call.abort();
    if (!asked.outcome.ended) return 'aborted';
  }
  const { ended, error, body: got, headers, status, trailers } = await asked.done;
  const want = body === null ? own.slice(0, 3_000) : own;
  // However it ended, nothing in it may be another's.
  assert.equal(got, want.slice(0, got.length), `call ${id} got ${got.slice(0, 60)} (seed ${random.seed})`);
  if (status !== 0) assert.equal(headers[headers.indexOf('x-id') + 1], String(id), `seed ${random.seed}`);
  if (!ended) return error?.code ?? 'nothing';
  assert.equal(got, want, `call ${id} is not whole (seed ${random.seed})`);
  assert.deepEqual(trailers, ['x-end', String(id)], `seed ${random.seed}`);
  return 'answered';
}

function hold(asked: Asked): boolean {
  setImmediate(() => asked.call.resume());
  return false;
}

function requestBody(own: string, random: Random): Uint8Array | PushedBody | null {
  const kind = random.below(6);
  if (kind === 0) return Buffer.from(own);
  if (kind === 1) return new PushedBody(null);
  if (kind === 2) return new PushedBody(own.length);
  return null;
}

async function pushBody(body: PushedBody, own: string, random: Random): Promise<void> {
  for (let i = 0; i < 200 && body.sink === null; i++) await new Promise((resolve) => setTimeout(resolve, 5));
  const middle = random.below(own.length);
  for (const part of [own.slice(0, middle), own.slice(middle)]) {
    if (body.sink !== null && part !== '') body.push(part);
    if (random.below(3) === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  body.end();
}

/** Answers with the request's body, or its header `x-own`: in one go or in parts, or not at all. */
function misbehave(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, random: Random): void {
  const id = String(headers[':path']).slice(1);
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  const kind = random.below(120);
  if (kind === 0) return stream.close(7);
  if (kind === 1) return stream.close(2);
  if (kind === 2) return stream.close(8);
  if (kind === 3 && random.below(4) === 0) return stream.session?.close();
  if (kind === 4 && random.below(8) === 0) return stream.session?.goaway(11);
  if (kind === 5 && random.below(8) === 0) return void stream.session?.socket.destroy();
  if (kind === 6 && random.below(2) === 0) return;
  stream.on('end', () => {
    if (stream.destroyed || stream.closed) return;
    const own = headers[':method'] === 'GET' ? Buffer.from(String(headers['x-own'])) : Buffer.concat(chunks);
    stream.respond({ ':status': 200, 'x-id': id }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-end': id }));
    writeInParts(stream, own, random);
  });
}

function writeInParts(stream: ServerHttp2Stream, own: Buffer, random: Random): void {
  const at = random.below(3) === 0 ? random.below(own.length) : own.length;
  if (at > 0) stream.write(own.subarray(0, at));
  const go = (): void => {
    if (stream.destroyed || stream.closed) return;
    if (random.below(60) === 0) stream.close(random.below(3));
    else stream.end(own.subarray(at));
  };
  if (random.below(2) === 0) setImmediate(go);
  else setTimeout(go, random.below(10));
}
