// Servers behind TLS: which protocol is spoken, and who finds out.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createSecureServer, type Http2SecureServer, type SecureServerOptions } from 'node:http2';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test, type TestContext } from 'node:test';
import { createServerPool } from '../../../../../src/proxy/upstream/create-pool.ts';
import { HttpsPool } from '../../../../../src/proxy/upstream/http2/https-pool.ts';
import { Http2Pool } from '../../../../../src/proxy/upstream/http2/pool.ts';
import { Http1Pool } from '../../../../../src/proxy/upstream/http1/pool.ts';
import { ask, failure, PushedBody, transport, until } from '../http1/support.ts';

const folder = mkdtempSync(join(tmpdir(), 'portcullis-'));
after(() => rmSync(folder, { recursive: true }));
const keys = selfSigned();

function selfSigned(): { cert: string; key: string } {
  const [cert, key] = [join(folder, 'a.crt'), join(folder, 'a.key')];
  const request = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=a';
  const files = ['-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert];
  execFileSync('openssl', [...request.split(' '), ...files], { stdio: 'ignore' });
  return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
}

const grpc = { method: 'POST', headers: ['host', 'x', 'content-type', 'application/grpc'] };
const trusting = transport({ rootCAs: [keys.cert] });

/** Answers with the version it was asked in, and its trailers over HTTP/2. */
async function serve(t: TestContext, server: Http2SecureServer | ReturnType<typeof createServer>) {
  const seen = { handshakes: 0 };
  server.on('secureConnection', () => seen.handshakes++);
  server.on('tlsClientError', () => seen.handshakes++);
  server.on('sessionError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => new Promise<void>((resolve) => void server.close(() => resolve())));
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

function h2(options: SecureServerOptions = {}): Http2SecureServer {
  const server = createSecureServer({ ...keys, ...options }, (request, response) => {
    if (request.httpVersion === '2.0') response.addTrailers({ 'grpc-status': '0' });
    request.resume().on('end', () => response.end(request.httpVersion));
  });
  return server;
}

function use(t: TestContext, url: string, spec = trusting): HttpsPool {
  const pool = new HttpsPool(url, spec);
  t.after(() => pool.close());
  return pool;
}

test('a server that speaks both is asked in HTTP/1.1, and in HTTP/2 for gRPC', async (t) => {
  const { url } = await serve(t, h2({ allowHTTP1: true }));
  const pool = use(t, url);
  for (let i = 0; i < 2; i++) {
    assert.equal((await ask(pool).done).body, '1.1');
    const answer = await ask(pool, { ...grpc, body: Buffer.from('x') }).done;
    assert.deepEqual([answer.body, answer.trailers], ['2.0', ['grpc-status', '0']]);
  }
});

test('a server that speaks HTTP/2 alone is found out once, and no call is lost over it', async (t) => {
  const { url, seen } = await serve(t, h2());
  const pool = use(t, url);
  const body = new PushedBody(3);
  const asked = ask(pool, { method: 'POST', body });
  await until('the body to be asked for', () => body.sink !== null);
  body.push('abc');
  body.end();
  assert.equal((await asked.done).body, '2.0');
  for (let i = 0; i < 3; i++) assert.equal((await ask(pool).done).body, '2.0');
  assert.equal(seen.handshakes, 2);
});

test('a server that speaks HTTP/1.1 alone gets gRPC in it, and is not asked again for a while', async (t) => {
  const server = createServer(keys, (request, response) => {
    request.resume().on('end', () => response.end(request.httpVersion));
  });
  const { url, seen } = await serve(t, server);
  const pool = use(t, url);
  const many = Array.from({ length: 5 }, () => ask(pool, { ...grpc, body: Buffer.from('x') }).done);
  for (const { body } of await Promise.all(many)) assert.equal(body, '1.1');
  const handshakes = seen.handshakes;
  assert.equal((await ask(pool, grpc).done).body, '1.1');
  assert.ok(seen.handshakes <= handshakes + 1);
  server.closeAllConnections();
});

test('certificates are checked over HTTP/2 as they are over HTTP/1.1', async (t) => {
  const { url } = await serve(t, h2({ allowHTTP1: true }));
  const unknown = await ask(use(t, url, transport()), grpc).done;
  assert.deepEqual([unknown.error?.code, unknown.error?.unsent], ['upstream.certificate', true]);
  const named = transport({ rootCAs: [keys.cert], serverName: 'other.example' });
  assert.equal(await failure(ask(use(t, url, named), grpc)), 'upstream.certificate');
  assert.equal((await ask(use(t, url, transport({ insecureSkipVerify: true })), grpc).done).body, '2.0');
});

test('aborted and unfinished calls are those of the protocol they are in', async (t) => {
  const { url } = await serve(t, h2());
  const pool = use(t, url);
  const aborted = ask(pool);
  aborted.call.abort();
  assert.equal((await ask(pool).done).body, '2.0');
  assert.deepEqual([aborted.outcome.status, aborted.outcome.error], [0, null]);
});

test('the scheme and the transport choose what a server is spoken to in', () => {
  assert.ok(createServerPool('h2c://127.0.0.1:80', transport()) instanceof Http2Pool);
  assert.ok(createServerPool('http://127.0.0.1:80', transport()) instanceof Http1Pool);
  assert.ok(createServerPool('https://127.0.0.1:80', transport()) instanceof HttpsPool);
  assert.ok(createServerPool('https://127.0.0.1', transport({ disableHTTP2: true })) instanceof Http1Pool);
});
