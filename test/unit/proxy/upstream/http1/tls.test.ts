// Servers behind TLS: whose certificate is believed, and what the handshake says.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test, type TestContext } from 'node:test';
import { createServer, type TlsOptions, type TLSSocket } from 'node:tls';
import { Http1Pool } from '../../../../../src/proxy/upstream/http1/pool.ts';
import { answering, ask, failure, listen, ok, stop, transport, until } from './support.ts';

const folder = mkdtempSync(join(tmpdir(), 'portcullis-'));
after(() => rmSync(folder, { recursive: true }));

const server = selfSigned('server', 'DNS:inner.example,IP:127.0.0.1');
const client = selfSigned('client', 'DNS:client.example');

function selfSigned(name: string, names: string): { cert: string; key: string } {
  const [cert, key] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)];
  const request = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=${name}`;
  const files = ['-addext', `subjectAltName=${names}`, '-keyout', key, '-out', cert];
  execFileSync('openssl', [...request.split(' '), ...files], { stdio: 'ignore' });
  return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
}

async function tlsServer(t: TestContext, options: TlsOptions = {}) {
  const sockets: TLSSocket[] = [];
  const resumed: boolean[] = [];
  const made = createServer({ ...server, ...options }, (socket) => {
    sockets.push(socket);
    resumed.push(socket.isSessionReused());
    socket.on('error', () => {});
    answering(() => void socket.write(ok('sealed')))(socket);
  });
  made.on('tlsClientError', () => {});
  await listen(made);
  t.after(() => stop(made, sockets));
  return { url: `https://127.0.0.1:${(made.address() as AddressInfo).port}`, sockets, resumed };
}

test('a certificate of a known authority is believed, and the connection kept', async (t) => {
  const { url, sockets } = await tlsServer(t);
  const pool = new Http1Pool(url, transport({ rootCAs: [server.cert] }));
  for (let i = 0; i < 3; i++) {
    assert.equal((await ask(pool).done).body, 'sealed');
    await until('an idle connection', () => pool.idleConnections === 1);
  }
  assert.equal(sockets.length, 1);
  pool.close();
});

test('unknown, misnamed and expired certificates are told as such, and nothing is sent', async (t) => {
  const { url, sockets } = await tlsServer(t);
  const unknown = await ask(new Http1Pool(url, transport())).done;
  assert.deepEqual([unknown.error?.code, unknown.error?.unsent], ['upstream.certificate', true]);
  const named = transport({ rootCAs: [server.cert], serverName: 'other.example' });
  assert.equal(await failure(ask(new Http1Pool(url, named))), 'upstream.certificate');
  const broken = transport({ rootCAs: ['no PEM'] });
  assert.ok((await ask(new Http1Pool(url, broken)).done).error !== null);
  const skipped = new Http1Pool(url, transport({ insecureSkipVerify: true }));
  assert.equal((await ask(skipped).done).body, 'sealed');
  skipped.close();
  assert.ok(sockets.length >= 1);
});

test('the server name of the transport is asked for and checked; ALPN offers HTTP/1.1 alone', async (t) => {
  const offers: unknown[] = [];
  const { url, sockets } = await tlsServer(t, {
    ALPNCallback: ({ servername, protocols }) => {
      offers.push([servername, protocols]);
      return 'http/1.1';
    },
  });
  const pool = new Http1Pool(url, transport({ rootCAs: [server.cert], serverName: 'inner.example' }));
  assert.equal((await ask(pool).done).body, 'sealed');
  assert.deepEqual(offers, [['inner.example', ['http/1.1']]]);
  assert.equal(sockets[0]?.alpnProtocol, 'http/1.1');
  pool.close();
});

test('a certificate of our own is shown to a server that asks for one', async (t) => {
  const { url, sockets } = await tlsServer(t, { requestCert: true, ca: [client.cert] });
  const pool = new Http1Pool(url, transport({ rootCAs: [server.cert], certificates: [client] }));
  assert.equal((await ask(pool).done).body, 'sealed');
  assert.equal(sockets[0]?.authorized, true);
  pool.close();
});

test('the session of an earlier connection shortens the next handshake, in TLS 1.2 and 1.3', async (t) => {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const { url, resumed } = await tlsServer(t, { minVersion: version, maxVersion: version });
    const pool = new Http1Pool(url, transport({ rootCAs: [server.cert] }));
    await ask(pool, { fresh: true }).done;
    assert.equal((await ask(pool, { fresh: true }).done).body, 'sealed');
    assert.deepEqual(resumed, [false, true], version);
    pool.close();
  }
});

test('answers of many records arrive whole, held back in between', async (t) => {
  const size = 3_000_000;
  const made = createServer(server, (socket) => {
    socket.on('error', () => {});
    answering(() => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
      socket.write(Buffer.alloc(size, 'x'));
    })(socket);
  });
  await listen(made);
  const port = (made.address() as AddressInfo).port;
  const pool = new Http1Pool(`https://127.0.0.1:${port}`, transport({ rootCAs: [server.cert] }));
  t.after(async () => {
    pool.close();
    await stop(made, []);
  });
  let bytes = 0;
  const asked = ask(pool, {
    onData(chunk) {
      bytes += chunk.length;
      setImmediate(() => asked.call.resume());
      return false;
    },
  });
  await asked.done;
  assert.equal(bytes, size);
  await until('the connection to be kept', () => pool.idleConnections === 1);
});
