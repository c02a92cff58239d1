// What a server sees of a request over HTTP/2, and what is never sent.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { isGrpc, requestFields } from '../../../../../src/proxy/upstream/http2/request-fields.ts';
import { Http2Pool } from '../../../../../src/proxy/upstream/http2/pool.ts';
import { ask, failure, PushedBody, transport, until } from '../http1/support.ts';
import * as h2 from './support.ts';

interface Seen {
  readonly raw: string[];
  readonly body: Buffer;
}

async function echo(t: TestContext) {
  const seen: Seen[] = [];
  const server = await h2.h2Server((stream, _headers, raw) => {
    void h2.bodyOf(stream).then(
      (body) => {
        seen.push({ raw, body });
        if (stream.destroyed) return;
        stream.respond({ ':status': 200 });
        stream.end(body);
      },
      () => {},
    );
  });
  const pool = new Http2Pool(server.url, transport());
  t.after(async () => {
    pool.close();
    await server.stop();
  });
  return { server, pool, seen };
}

test('a request arrives as it was meant, without what belongs to a connection of HTTP/1.1', async (t) => {
  const { pool, seen } = await echo(t);
  const headers = [
    ['host', 'app.example:8443', 'x-bytes', 'caf\u00e9\u00ff', 'accept', 'a', 'accept', 'b'],
    ['content-type', 'x', 'content-type', 'y', 'connection', 'x', 'keep-alive', '1', 'upgrade', 'h2c'],
    ['http2-settings', 'A', 'transfer-encoding', 'chunked', 'content-length', '9', 'te', 'gzip'],
    ['proxy-connection', 'x', 'cookie', 'a=1; b=2', 'authorization', 'Bearer x', 'x-pad', ' a b '],
  ].flat();
  await ask(pool, { path: '/a%20b?c=d', headers }).done;
  assert.deepEqual(
    seen[0]?.raw,
    [
      [':method', 'GET', ':scheme', 'http', ':authority', 'app.example:8443', ':path', '/a%20b?c=d'],
      ['x-bytes', 'caf\u00e9\u00ff', 'accept', 'a', 'accept', 'b', 'content-type', 'x', 'content-type', 'y'],
      ['cookie', 'a=1; b=2', 'authorization', 'Bearer x', 'x-pad', 'a b'],
    ].flat(),
  );
});

test('TE says trailers where the client or gRPC does', () => {
  const te = (...headers: string[]): string | undefined => {
    const parts = { method: 'GET', scheme: 'http', path: '/', headers, length: null } as const;
    const fields = requestFields(parts);
    return fields[fields.indexOf('te') + 1];
  };
  assert.equal(te('te', 'trailers'), 'trailers');
  assert.equal(te('content-type', 'application/grpc+proto'), 'trailers');
  assert.equal(te('te', 'trailers', 'content-type', 'application/grpc'), 'trailers');
  assert.equal(te('te', 'gzip'), ':method');
  assert.equal(isGrpc(['content-type', 'application/grpc-web+proto']), false);
  assert.equal(isGrpc(['accept', 'application/grpc']), false);
});

test('what cannot be written down is refused before anything is sent', async (t) => {
  const { pool, server } = await echo(t);
  const bad = [
    { method: 'CONNECT' },
    { method: 'GE T' },
    { path: '' },
    { path: '/a b' },
    { path: '/\u010a' },
    { headers: ['host', 'x', ':path', '/other'] },
    { headers: ['host', 'x', 'x-a', 'b\r\nc: d'] },
    { headers: ['host', 'x', 'x-a', '\u010a'] },
    { headers: ['host', 'x', 'x a', 'b'] },
    { headers: ['host', 'x', 'x-a', 'b'.repeat(61 * 1024)] },
    { headers: Array.from({ length: 64 }, (_, i) => (i % 2 === 0 ? `x-${i}` : 'b'.repeat(50_000))) },
  ];
  for (const one of bad) assert.equal(await failure(ask(pool, one)), 'intake.bad_request');
  assert.equal(server.accepted, 0);
});

test('large heads of many fields arrive whole', async (t) => {
  const { pool, seen } = await echo(t);
  const headers = [
    'host',
    'x',
    ...Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? `x-${i}` : 'b'.repeat(3_000))),
  ];
  assert.equal((await ask(pool, { headers }).done).status, 200);
  assert.equal(seen[0]?.raw.length, 6 + headers.length);
});

test('bodies arrive whole: none, bytes, streamed with and without a length', async (t) => {
  const { pool, seen } = await echo(t);
  const post = (body: Uint8Array | PushedBody | null) => ask(pool, { method: 'POST', body });
  assert.equal((await post(null).done).status, 200);
  assert.equal((await post(Buffer.from('whole')).done).body, 'whole');
  assert.equal((await post(Buffer.alloc(0)).done).body, '');
  for (const length of [6, null]) {
    const body = new PushedBody(length);
    const asked = post(body);
    await until('the body to be asked for', () => body.sink !== null);
    body.push('one');
    await new Promise((resolve) => setTimeout(resolve, 5));
    body.push('');
    body.push('two');
    body.end();
    assert.equal((await asked.done).body, 'onetwo');
  }
  const lengths = seen.map(({ raw }) =>
    raw.includes('content-length') ? raw[raw.indexOf('content-length') + 1] : null,
  );
  assert.deepEqual(lengths, ['0', '5', '0', '6', null]);
});

test('a body that is not as long as it said, or whose client goes, ends its call alone', async (t) => {
  const { pool, server, seen } = await echo(t);
  const ends: readonly ((body: PushedBody) => void)[] = [
    (body) => body.push('too long'),
    (body) => body.end(),
    (body) => body.sink?.abort(),
  ];
  for (const end of ends) {
    const body = new PushedBody(4);
    const asked = ask(pool, { method: 'POST', body });
    await until('the body to be asked for', () => body.sink !== null);
    body.push('x');
    end(body);
    assert.equal(await failure(asked), 'client.gone');
  }
  assert.equal((await ask(pool).done).status, 200);
  assert.equal(server.accepted, 1);
  assert.equal(seen.filter(({ body }) => body.length > 0).length, 0);
});

test('an upload that breaks off is reset, never ended: half of it must not pass for all', async (t) => {
  const events: string[] = [];
  const server = await h2.h2Server((stream) => {
    stream.on('data', (chunk: Buffer) => events.push(chunk.toString()));
    stream.on('end', () => events.push(stream.rstCode === 0 ? 'end' : 'broken'));
    stream.on('close', () => events.push(`close ${stream.rstCode}`));
  });
  const pool = new Http2Pool(server.url, transport());
  t.after(async () => {
    pool.close();
    await server.stop();
  });
  const breaks: readonly ((body: PushedBody, call: { abort(): void }) => void)[] = [
    (body) => body.sink?.abort(),
    (_body, call) => call.abort(),
  ];
  for (const breakOff of breaks) {
    events.length = 0;
    const body = new PushedBody(null);
    const asked = ask(pool, { method: 'POST', body });
    await until('the body to be asked for', () => body.sink !== null);
    body.push('half');
    await until('half of it', () => events.includes('half'));
    breakOff(body, asked.call);
    await until('the stream to be closed', () => events.includes('close 8'));
    assert.ok(!events.includes('end'), String(events));
  }
});

test('a server that does not read holds its client back', async (t) => {
  const server = await h2.h2Server((stream) => {
    stream.pause();
    stream.respond({ ':status': 200 });
    setTimeout(() => stream.on('end', () => stream.end()).resume(), 100);
  });
  const pool = new Http2Pool(server.url, transport());
  t.after(async () => {
    pool.close();
    await server.stop();
  });
  const body = new PushedBody(null);
  const asked = ask(pool, { method: 'POST', body });
  await until('the body to be asked for', () => body.sink !== null);
  let bytes = 0;
  while (bytes < 10_000_000 && body.push('x'.repeat(16_384))) bytes += 16_384;
  assert.ok(bytes < 1_000_000, `${bytes} bytes went to a server that does not read`);
  await until('the client to be let go on', () => body.resumed > 0);
  body.end();
  assert.equal((await asked.done).status, 200);
});

test('both directions flow at once, and the answer may end before the request', async (t) => {
  const server = await h2.h2Server((stream) => {
    stream.respond({ ':status': 200 }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.on('data', (chunk: Buffer) => {
      stream.write(`<${chunk.toString()}>`);
      if (chunk.toString() === 'last') stream.end();
    });
  });
  const pool = new Http2Pool(server.url, transport());
  t.after(async () => {
    pool.close();
    await server.stop();
  });
  const body = new PushedBody(null);
  const asked = ask(pool, { method: 'POST', body });
  await until('the body to be asked for', () => body.sink !== null);
  for (const word of ['one', 'two', 'three']) {
    body.push(word);
    await until(`the echo of ${word}`, () => asked.outcome.body.endsWith(`<${word}>`));
  }
  body.push('last');
  const outcome = await asked.done;
  assert.deepEqual([outcome.body, outcome.trailers], ['<one><two><three><last>', ['grpc-status', '0']]);
  assert.equal(body.push('nobody reads this'), true);
  await until('the stream to be closed', () => pool.runningCalls === 0);
});
