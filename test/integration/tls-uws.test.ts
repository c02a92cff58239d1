// HTTPS through the gateway on uWebSockets.js, as clients, judges and attackers see it.

import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { connect as connectPlain } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import { WebSocket, WebSocketServer } from 'ws';
import { eventually, startGateway, type TestGateway } from '../support/gateway.ts';
import { type Origin, startOrigin } from '../support/origin.ts';
import { type Authority, type Issued, makeAuthority } from '../support/pki.ts';
import { judgeBySslscan } from '../support/tls-client.ts';
import { residentBytes } from '../support/wire.ts';

const MiB = 1024 * 1024;
const run = promisify(execFile);
const missing = (process.env['PORTCULLIS_TEST_MISSING'] ?? '').split(',');

interface Answer {
  readonly status: number;
  readonly body: string;
}

describe('HTTPS on uWebSockets.js', () => {
  let gateway: TestGateway;
  let origin: Origin;
  let sockets: WebSocketServer;
  let authority: Authority;
  let exact: Issued;
  let wild: Issued;
  let other: Issued;
  let root: string;
  /** Connections that never finish their handshake, from before the first test on. */
  let stalled: Promise<number>[];

  const dynamic = (certificates: readonly Issued[]): object => ({
    http: {
      routers: {
        app: { rule: 'PathPrefix(`/`)', service: 'app', tls: {} },
        ws: { rule: 'Path(`/ws`)', priority: 1000, service: 'ws', tls: {} },
      },
      services: {
        app: { loadBalancer: { servers: [{ url: origin.url }] } },
        ws: {
          loadBalancer: {
            servers: [{ url: `http://127.0.0.1:${(sockets.address() as { port: number }).port}` }],
          },
        },
      },
    },
    tls: {
      certificates: certificates.map(({ cert, key }) => ({ certFile: cert, keyFile: key })),
      stores: { default: { defaultCertificate: { certFile: other.cert, keyFile: other.key } } },
    },
  });

  before(async () => {
    authority = makeAuthority();
    exact = authority.issue(['a.test']);
    wild = authority.issue(['*.w.test']);
    other = authority.issue(['default.test', '127.0.0.1'], { rsa: true });
    origin = await startOrigin();
    sockets = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(sockets, 'listening');
    sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(String(data))));
    gateway = await startGateway({
      engine: 'uws',
      static: { accessLog: { format: 'json' } },
      dynamic: dynamic([exact, wild]),
    });
    root = join(gateway.dir, 'root.pem');
    writeFileSync(root, authority.root);
    stalled = stall(gateway.port('web'));
  });

  after(async () => {
    await gateway.stop();
    sockets.close();
    await origin.stop();
    authority.close();
  });

  async function handshake(servername: string): Promise<TLSSocket> {
    const ca = authority.root;
    const socket = connect({ port: gateway.port('web'), host: '127.0.0.1', servername, ca });
    await once(socket, 'secureConnect');
    return socket.on('error', () => {});
  }

  /** The common name of what openssl is shown. */
  async function shown(...args: string[]): Promise<string> {
    const target = `127.0.0.1:${gateway.port('web')}`;
    const child = run('openssl', ['s_client', '-connect', target, '-CAfile', root, ...args]);
    child.child.stdin?.end();
    const { stdout } = await child;
    return /subject=CN = (\S+)/.exec(stdout)?.[1] ?? stdout;
  }

  function ask(agent: Agent, path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const options = { agent, port: gateway.port('web'), host: '127.0.0.1', path, servername: 'a.test' };
      request({ ...options, headers: { host: 'a.test', ...headers } }, (response) => {
        let body = '';
        response.on('data', (chunk: Buffer) => (body += chunk.toString()));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
        response.on('error', reject);
      })
        .on('error', reject)
        .end();
    });
  }

  test('openssl is shown the certificate of the name it asks for, and else the default one', async () => {
    assert.equal(await shown('-servername', 'a.test'), 'a.test');
    assert.equal(await shown('-servername', 'x.w.test'), '*.w.test');
    assert.equal(await shown('-servername', 'x.y.w.test'), 'default.test');
    assert.equal(await shown('-noservername'), 'default.test');
    assert.equal(await shown('-servername', 'a.test', '-tls1_2'), 'a.test');
  });

  test('curl believes it, by name and by address', async () => {
    const port = gateway.port('web');
    for (const host of ['a.test', 'one.w.test', '127.0.0.1']) {
      const to = ['--resolve', `${host}:${port}:127.0.0.1`, `https://${host}:${port}/`];
      const { stdout } = await run('curl', ['-sS', '--noproxy', '*', '--cacert', root, ...to]);
      assert.equal(stdout, 'origin', host);
    }
  });

  test('the server learns that the client came by HTTPS, and at which port', async () => {
    const agent = new Agent({ ca: authority.root });
    await ask(agent, '/who', { 'x-forwarded-proto': 'http' });
    const first = origin.requests.findLast(({ target }) => target === '/who');
    assert.equal(first?.headers['x-forwarded-proto'], 'https');
    assert.equal(first.headers['x-forwarded-port'], '443');
    await ask(agent, '/where', { host: 'a.test:8443' });
    const second = origin.requests.findLast(({ target }) => target === '/where');
    assert.equal(second?.headers['x-forwarded-port'], '8443');
    agent.destroy();
  });

  test('a WebSocket runs through it', async () => {
    const url = `wss://127.0.0.1:${gateway.port('web')}/ws`;
    const client = new WebSocket(url, { ca: authority.root } as object);
    await once(client, 'open');
    const text = 'x'.repeat(200_000);
    client.send(text);
    const [data] = (await once(client, 'message')) as [Buffer];
    assert.equal(data.toString(), text);
    client.close(1000);
    await once(client, 'close');
  });

  test('1 MiB of headers arrives', async () => {
    const socket = await handshake('a.test');
    const lines = Array.from({ length: 62 }, (_, i) => `x-${i}: ${'v'.repeat(16_000)}\r\n`).join('');
    socket.write(`GET /long HTTP/1.1\r\nHost: a.test\r\n${lines}\r\n`);
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    // What the server behind takes is less: an answer of its own says that all of it was passed on.
    assert.match(chunk.toString('latin1'), /^HTTP\/1\.1 (200|431) /);
    socket.destroy();
  });

  test('an upload that nobody reads is held back, and arrives whole once it is read', async () => {
    let read: () => void = () => {};
    const mayRead = new Promise<void>((resolve) => (read = resolve));
    let got = 0;
    const { createServer } = await import('node:http');
    const slow = createServer((incoming, response) => {
      void mayRead.then(() => {
        incoming.on('data', (chunk: Buffer) => (got += chunk.length));
        incoming.on('end', () => response.end(String(got)));
      });
    });
    await once(slow.listen(0, '127.0.0.1'), 'listening');
    const before = dynamic([exact, wild]) as { http: { services: Record<string, object> } };
    const url = `http://127.0.0.1:${(slow.address() as { port: number }).port}`;
    before.http.services['app'] = { loadBalancer: { servers: [{ url }] } };
    await gateway.writeDynamic(before);
    const pid = gateway.workerPids()[0] as number;
    const resident = residentBytes(pid);
    const socket = await handshake('a.test');
    const total = 64 * MiB;
    socket.write(`POST /up HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${total}\r\n\r\n`);
    let sent = 0;
    const block = Buffer.alloc(64 * 1024);
    const started = performance.now();
    // As fast as a network: a client at memory speed fills each of the engine's reads, which then reads on.
    const pushing = setInterval(() => {
      const due = Math.min(total, ((performance.now() - started) / 1000) * 100 * MiB);
      while (sent < due && !socket.writableNeedDrain) {
        sent += block.length;
        socket.write(block);
      }
      if (sent >= total) clearInterval(pushing);
    }, 5);
    let last = -1;
    await eventually('the client is held back', async () => {
      const isStill = sent === last;
      last = sent;
      await new Promise((resolve) => setTimeout(resolve, 500));
      return isStill;
    });
    assert.ok(sent < total / 2, `${sent} bytes were taken`);
    assert.ok(residentBytes(pid) - resident < 32 * MiB, `${(residentBytes(pid) - resident) / MiB} MiB more`);
    read();
    const [answer] = (await once(socket, 'data')) as [Buffer];
    assert.match(answer.toString('latin1'), new RegExp(`^HTTP/1\\.1 200 [^]*${total}$`));
    socket.destroy();
    slow.close();
    slow.closeAllConnections();
    await gateway.writeDynamic(dynamic([exact, wild]));
  });

  test('a download that is not read holds the server back, and arrives whole once it is', async () => {
    const total = 256 * MiB;
    let written = 0;
    origin.answerWith(async (_request, response) => {
      const block = Buffer.alloc(MiB, 'd');
      response.setHeader('content-length', total);
      while (written < total) {
        written += block.length;
        if (!response.write(block)) await once(response, 'drain');
      }
      response.end();
    });
    const pid = gateway.workerPids()[0] as number;
    const resident = residentBytes(pid);
    const socket = await handshake('a.test');
    socket.write('GET /down HTTP/1.1\r\nHost: a.test\r\n\r\n');
    socket.pause();
    let last = -1;
    await eventually('the server is held back', async () => {
      const isStill = written > 0 && written === last;
      last = written;
      await new Promise((resolve) => setTimeout(resolve, 500));
      return isStill;
    });
    assert.ok(written < total / 2, `${written} bytes were taken`);
    assert.ok(residentBytes(pid) - resident < 64 * MiB, `${(residentBytes(pid) - resident) / MiB} MiB more`);
    let got = 0;
    socket.on('data', (chunk: Buffer) => (got += chunk.length)).resume();
    await eventually('all of it has come', () => got > total, 30_000);
    socket.destroy();
    origin.answerWith((_request, response) => void response.end('origin'));
  });

  test('a certificate is replaced by a reload; kept connections go on, and resumed sessions are served', async () => {
    const agent = new Agent({ ca: authority.root, keepAlive: true, maxSockets: 1 });
    assert.equal((await ask(agent, '/one')).status, 200);
    const next = authority.issue(['a.test'], { days: 60, subject: '/CN=next.test' });
    await gateway.writeDynamic(dynamic([next, wild]));
    assert.equal((await ask(agent, '/two')).status, 200);
    assert.equal(await shown('-servername', 'a.test'), 'next.test');
    const kept = connectionsOf(agent);
    assert.equal(kept, 1);
    agent.destroy();
    const fresh = new Agent({ ca: authority.root, keepAlive: false });
    for (const path of ['/three', '/four']) assert.equal((await ask(fresh, path)).status, 200);
    fresh.destroy();
  });

  test('sslscan finds TLS 1.2 and 1.3 with strong suites only', {
    skip: missing.includes('sslscan'),
  }, async () => {
    await judgeBySslscan(gateway.port('web'), 'a.test');
  });

  test('a client that wants to renegotiate gets nowhere', async () => {
    const target = `127.0.0.1:${gateway.port('web')}`;
    const child = run('openssl', ['s_client', '-connect', target, '-tls1_2', '-servername', 'a.test']);
    child.child.stdin?.write('R\n');
    const outcome = await Promise.race([
      child.then(
        () => 'ended',
        (error: { stderr?: string }) => error.stderr ?? '',
      ),
      new Promise<string>((resolve) => setTimeout(() => resolve('silence'), 3_000).unref()),
    ]);
    child.child.kill();
    assert.match(outcome, /no.renegotiation|no renegotiation|unexpected eof|handshake failure/i);
  });

  test('a request in plain text is closed without an answer and appears in no access log', async () => {
    const socket = connectPlain(gateway.port('web'), '127.0.0.1').on('error', () => {});
    let text = '';
    socket.on('data', (chunk) => (text += chunk.toString('latin1')));
    socket.write('GET /plain-text HTTP/1.1\r\nHost: a.test\r\n\r\n');
    await once(socket, 'close');
    assert.doesNotMatch(text, /HTTP/);
    const agent = new Agent({ ca: authority.root });
    await ask(agent, '/after-plain-text');
    await gateway.waitForLog(/\/after-plain-text/);
    assert.doesNotMatch(gateway.logs(), /\/plain-text/);
    agent.destroy();
  });

  test('keys are in no command line and no file, and standard output carries log lines alone', async () => {
    const agent = new Agent({ ca: authority.root });
    await ask(agent, '/logged');
    agent.destroy();
    await gateway.waitForLog(/"RequestPath":"\/logged"/);
    for (const line of gateway.logs().trim().split('\n')) assert.doesNotThrow(() => JSON.parse(line), line);
    assert.doesNotMatch(gateway.logs(), /PRIVATE KEY|finding|Browsed/);
    for (const pid of [gateway.pid, ...gateway.workerPids()])
      assert.doesNotMatch(readFileSync(`/proc/${pid}/cmdline`, 'latin1'), /PRIVATE KEY|BEGIN/);
    const left = ['/dev/shm', tmpdir()].flatMap((folder) => readdirSync(folder));
    assert.deepEqual(
      left.filter((name) => name.startsWith('portcullis-tls-') && name !== ''),
      [],
    );
    const [worker] = gateway.workerPids() as [number];
    const open = execFileSync('ls', ['-l', `/proc/${worker}/fd`]).toString();
    assert.doesNotMatch(open, /\/dev\/shm/);
  });

  test('handshakes that never end are ended after half a minute, one byte a second or none', async () => {
    const times = await Promise.all(stalled);
    assert.ok(Math.max(...times) < 40_000, `${Math.max(...times)} ms`);
  });
});

/** Half of them silent, half of them sending a byte a second; the milliseconds each was kept. */
function stall(port: number): Promise<number>[] {
  const hello = Buffer.from('16030100f8010000f40303', 'hex');
  return Array.from({ length: 200 }, async (_, i) => {
    const started = performance.now();
    const socket = connectPlain(port, '127.0.0.1').on('error', () => {});
    let at = 0;
    const drip = setInterval(() => {
      if (i % 2 === 0) socket.write(hello.subarray(at % hello.length, (at++ % hello.length) + 1));
    }, 1000);
    await once(socket.resume(), 'close');
    clearInterval(drip);
    return performance.now() - started;
  });
}

function connectionsOf(agent: Agent): number {
  return Object.values(agent.freeSockets).reduce((sum, list) => sum + (list?.length ?? 0), 0);
}
