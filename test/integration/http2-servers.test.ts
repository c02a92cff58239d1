// Servers that speak HTTP/2, behind a real gateway: h2c, gRPC, HTTP/2 over TLS, and nghttpd.

import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createSecureServer, createServer, type Http2Server, type ServerHttp2Session } from 'node:http2';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { isNodeEngine } from '../support/engine.ts';
import { eventually, freePorts, startGateway, type TestGateway } from '../support/gateway.ts';
import { accessLine, openRaw, routesTo, testAccessLog } from '../support/wire.ts';

const folder = mkdtempSync(join(tmpdir(), 'portcullis-h2-'));
const [key, cert] = [join(folder, 'a.key'), join(folder, 'a.crt')];
const isNghttpd = spawnSync('nghttpd', ['--version']).error === undefined;

describe('servers of HTTP/2', () => {
  let gateway: TestGateway;
  let nghttpd: ChildProcess | null = null;
  const servers: Http2Server[] = [];
  const sessions = new Set<ServerHttp2Session>();
  let wasRefused = false;

  before(async () => {
    execFileSync(
      'openssl',
      `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=a -addext subjectAltName=IP:127.0.0.1 -keyout ${key} -out ${cert}`.split(
        ' ',
      ),
      { stdio: 'ignore' },
    );
    const [clear, tls, nghttpdPort] = [
      await listen(serve(createServer())),
      await listen(serve(createSecureServer({ key: readFileSync(key), cert: readFileSync(cert) }))),
      (await freePorts(1))[0] as number,
    ];
    if (isNghttpd) {
      writeFileSync(join(folder, 'file.txt'), 'from nghttpd'.repeat(20_000));
      nghttpd = spawn('nghttpd', ['--no-tls', '-d', folder, '-a', '127.0.0.1', String(nghttpdPort)], {
        stdio: 'ignore',
      });
      await eventually('nghttpd listens', () => listens(nghttpdPort));
    }
    const dynamic = routesTo({
      c: `h2c://127.0.0.1:${clear}`,
      t: { servers: [{ url: `https://127.0.0.1:${tls}` }], serversTransport: 'trusting' },
      n: `h2c://127.0.0.1:${nghttpdPort}`,
      none: `h2c://127.0.0.1:${(await freePorts(1))[0]}`,
    }) as { http: Record<string, object> };
    dynamic.http['serversTransports'] = { trusting: { rootCAs: [cert] } };
    dynamic.http['middlewares'] = { strip: { stripPrefix: { prefixes: ['/n'] } } };
    Object.assign((dynamic.http['routers'] as Record<string, object>)['n'] as object, {
      middlewares: ['strip'],
    });
    gateway = await startGateway({ static: { accessLog: testAccessLog }, dynamic });
  });

  after(async () => {
    await gateway?.stop();
    for (const session of sessions) session.destroy();
    for (const server of servers) server.close();
    nghttpd?.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  /** What the path's last part says. */
  function serve<S extends Http2Server | ReturnType<typeof createSecureServer>>(server: S): S {
    servers.push(server as Http2Server);
    server.on('session', (session: ServerHttp2Session) => {
      sessions.add(session);
      session.on('error', () => {}).on('close', () => sessions.delete(session));
    });
    server.on('sessionError', () => {});
    server.on('stream', (stream, headers) => {
      stream.on('error', () => {});
      const name = String(headers[':path']).split(/[/?]/).pop();
      if (name === 'reset') return stream.close(2);
      if (name === 'refused-once' && !wasRefused) {
        wasRefused = true;
        return stream.close(7);
      }
      if (name === 'half') {
        stream.respond({ ':status': 200 });
        stream.write('half');
        setTimeout(() => stream.session?.socket.destroy(), 20);
        return;
      }
      stream.respond(
        {
          ':status': 200,
          'content-type': headers['content-type'] ?? 'text/plain',
          'x-host': headers[':authority'] ?? '',
        },
        { waitForTrailers: true },
      );
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.on('data', (chunk: Buffer) => stream.write(chunk));
      stream.on('end', () => stream.end(headers[':method'] === 'GET' ? 'fine' : undefined));
    });
    return server;
  }
  test('requests with and without bodies get their own answers', async () => {
    for (const service of ['c', 't']) {
      assert.equal(await (await fetch(`${gateway.url('web')}/${service}/x`)).text(), 'fine');
      const many = Array.from({ length: 300 }, async (_, i) => {
        const body = `<${i}>`.repeat(1 + ((i * 37) % 9_000));
        const response = await fetch(`${gateway.url('web')}/${service}/${i}`, { method: 'POST', body });
        assert.equal(await response.text(), body, `${service} ${i}`);
      });
      await Promise.all(many);
    }
  });

  test('the Host of the client arrives as the authority, and the log names the server', async () => {
    const client = await openRaw(gateway.port('web'));
    client.write('GET /c/host HTTP/1.1\r\nHost: app.example\r\nConnection: close\r\n\r\n');
    const text = await client.closed();
    assert.match(text, /^HTTP\/1\.1 200 /);
    assert.match(text, /\r\nx-host: app\.example\r\n/i);
    // The fast engine has no trailers.
    if (!isNodeEngine) assert.doesNotMatch(text, /grpc-status/);
    assert.equal((await accessLine(gateway, '/c/host'))['DownstreamStatus'], 200);
  });

  test('both directions flow at once: each message is passed on as it comes', async () => {
    for (const service of ['c', 't']) {
      const client = await openRaw(gateway.port('web'));
      client.write(
        `POST /${service}/echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/grpc\r\nTransfer-Encoding: chunked\r\n\r\n`,
      );
      for (const word of ['one', 'two', 'three']) {
        const message = Buffer.concat([Buffer.from([0, 0, 0, 0, word.length]), Buffer.from(word)]);
        client.write(
          Buffer.concat([Buffer.from(`${message.length.toString(16)}\r\n`), message, Buffer.from('\r\n')]),
        );
        await client.until(new RegExp(word));
      }
      client.write('0\r\n\r\n');
      await client.until(/\r\n0\r\n(?:grpc-status: 0\r\n)?\r\n$/);
      client.destroy();
    }
  });

  test('what a server resets, refuses, cuts or is not there for is told as over HTTP/1.1', async () => {
    const get = (path: string, method = 'GET') => fetch(gateway.url('web') + path, { method });
    assert.equal((await get('/c/reset')).status, 502);
    assert.equal((await get('/none/x')).status, 502);
    const response = await get('/c/refused-once', 'POST');
    assert.deepEqual([response.status, await response.text()], [200, '']);
    const half = await get('/c/half');
    assert.equal(half.status, 200);
    await assert.rejects(half.text());
    assert.equal((await get('/c/again')).status, 200);
  });

  test('a server that ends its connections gracefully costs no request', async () => {
    const runs = Array.from({ length: 8 }, async (_, run) => {
      for (let i = 0; i < 40; i++) {
        const body = `${run}.${i}`;
        const response = await fetch(`${gateway.url('web')}/c/x`, { method: 'POST', body });
        assert.deepEqual([response.status, await response.text()], [200, body]);
      }
    });
    for (let i = 0; i < 4; i++) {
      await new Promise((resolve) => setTimeout(resolve, 30));
      for (const session of sessions) session.close();
    }
    await Promise.all(runs);
  });

  test('a client that goes away resets its stream', async () => {
    const server = servers[0] as Http2Server;
    const closed = new Promise<number>((resolve) => {
      server.once('stream', (stream) => stream.on('close', () => resolve(stream.rstCode ?? 0)));
    });
    const client = await openRaw(gateway.port('web'));
    client.write('POST /c/gone HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
    await client.until(/abc/);
    client.destroy();
    assert.equal(await closed, 8);
  });

  test('nghttpd serves files', { skip: isNghttpd ? false : 'no nghttpd' }, async () => {
    const response = await fetch(`${gateway.url('web')}/n/file.txt`);
    assert.equal(response.headers.get('content-length'), '240000');
    assert.equal(await response.text(), 'from nghttpd'.repeat(20_000));
    assert.equal((await fetch(`${gateway.url('web')}/n/missing`)).status, 404);
    const head = await fetch(`${gateway.url('web')}/n/file.txt`, { method: 'HEAD' });
    assert.equal(head.headers.get('content-length'), '240000');
  });
});

async function listen(server: Http2Server | ReturnType<typeof createSecureServer>): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  return (server.address() as AddressInfo).port;
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
