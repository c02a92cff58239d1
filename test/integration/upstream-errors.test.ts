// What a client gets when the server behind fails, byte for byte, and what the access log says about it.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import { request as httpRequest } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { eventually, freePorts, startGateway, type TestGateway } from '../support/gateway.ts';
import {
  accessLine,
  exchangeRaw,
  openRaw,
  routesTo,
  startWireServer,
  testAccessLog,
  type WireServer,
} from '../support/wire.ts';

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

describe('a server that fails', () => {
  let gateway: TestGateway;
  const servers: Record<string, WireServer> = {};

  before(async () => {
    const [closedPort] = await freePorts(1);
    servers['garbage'] = await startWireServer((socket) => void socket.end('SSH-2.0-OpenSSH_9.2\r\n\r\n'));
    servers['reset'] = await startWireServer((socket) => void socket.resetAndDestroy());
    servers['eof'] = await startWireServer((socket) => void socket.end());
    servers['half-head'] = await startWireServer(
      (socket) => void socket.end('HTTP/1.1 200 OK\r\nContent-Le'),
    );
    servers['silent'] = await startWireServer(() => {});
    servers['break-sized'] = await startWireServer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf', () => socket.destroy());
    });
    servers['break-chunked'] = await startWireServer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n', () =>
        socket.destroy(),
      );
    });
    servers['switch'] = await startWireServer((socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n');
    });
    servers['hints'] = await startWireServer((socket) => {
      socket.write(`HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n${ok}`);
    });
    servers['continue'] = await startWireServer((socket) => {
      socket.write(`HTTP/1.1 100 Continue\r\n\r\n${ok}`);
    });
    servers['both-lengths'] = await startWireServer((socket) => {
      socket.write(
        'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
      );
    });
    servers['two-lengths'] = await startWireServer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nokk');
    });
    servers['huge-head'] = await startWireServer((socket) => {
      socket.write(`HTTP/1.1 200 OK\r\nX-Big: ${'x'.repeat(400_000)}\r\n\r\n`);
    });
    const urls = Object.fromEntries(Object.entries(servers).map(([name, server]) => [name, server.url]));
    const dynamic = routesTo({
      ...urls,
      refused: `http://127.0.0.1:${closedPort}`,
      unknown: 'http://portcullis-test.invalid:80',
      empty: { servers: [] },
      silent: { servers: [{ url: urls['silent'] }], serversTransport: 'short' },
    });
    gateway = await startGateway({
      static: { accessLog: testAccessLog },
      dynamic: {
        http: {
          ...dynamic.http,
          serversTransports: { short: { forwardingTimeouts: { responseHeaderTimeout: '300ms' } } },
        },
      },
    });
  });
  after(async () => {
    await gateway?.stop();
    for (const server of Object.values(servers)) await server.stop();
  });

  for (const name of ['refused', 'unknown', 'reset', 'eof', 'both-lengths', 'two-lengths']) {
    test(`${name}: 502 Bad Gateway without a content type`, async () => {
      const answer = parse(await exchangeRaw(gateway.port('web'), `/${name}`));
      assert.equal(answer.statusLine, 'HTTP/1.1 502 Bad Gateway');
      assert.equal(answer.body, 'Bad Gateway');
      assert.deepEqual(answer.names, ['content-length', 'date']);
      const line = await accessLine(gateway, `/${name}`);
      assert.equal(line['DownstreamStatus'], 502);
      assert.equal(line['RouterName'], `${name}@file`);
    });
  }

  for (const name of ['garbage', 'half-head', 'switch', 'huge-head']) {
    test(`${name}: 500 Internal Server Error without a content type`, async () => {
      const answer = parse(await exchangeRaw(gateway.port('web'), `/${name}`));
      assert.equal(answer.statusLine, 'HTTP/1.1 500 Internal Server Error');
      assert.equal(answer.body, 'Internal Server Error');
      assert.deepEqual(answer.names, ['content-length', 'date']);
      assert.equal((await accessLine(gateway, `/${name}`))['DownstreamStatus'], 500);
      assert.equal(servers[name]?.connections.length, 1, 'asked once');
    });
  }

  test('silence after the request is 504 once responseHeaderTimeout has passed', async () => {
    const answer = parse(await exchangeRaw(gateway.port('web'), '/silent'));
    assert.equal(answer.statusLine, 'HTTP/1.1 504 Gateway Timeout');
    assert.equal(answer.body, 'Gateway Timeout');
    assert.deepEqual(answer.names, ['content-length', 'date']);
    assert.equal(servers['silent']?.connections.length, 1, 'asked once');
  });

  test('a service without servers is 503 with its own text', async () => {
    const answer = parse(await exchangeRaw(gateway.port('web'), '/empty'));
    assert.equal(answer.statusLine, 'HTTP/1.1 503 Service Unavailable');
    assert.equal(answer.body, 'no available server\n');
    assert.match(answer.head, /content-type: text\/plain; charset=utf-8\r\n/i);
    assert.match(answer.head, /x-content-type-options: nosniff\r\n/i);
    assert.equal((await accessLine(gateway, '/empty'))['DownstreamStatus'], 503);
  });

  test('no router is 404 with its own text', async () => {
    const answer = parse(await exchangeRaw(gateway.port('web'), '/nobody'));
    assert.equal(answer.statusLine, 'HTTP/1.1 404 Not Found');
    assert.equal(answer.body, '404 page not found\n');
    assert.match(answer.head, /content-type: text\/plain; charset=utf-8\r\n/i);
    assert.match(answer.head, /x-content-type-options: nosniff\r\n/i);
  });

  for (const name of ['break-sized', 'break-chunked']) {
    test(`${name}: the client can tell that the answer is not whole`, async () => {
      const client = await openRaw(gateway.port('web'));
      client.write(`GET /${name} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
      const text = await client.closed();
      assert.match(text, /^HTTP\/1\.1 200 OK/);
      assert.match(text, /half/);
      assert.doesNotMatch(text, /\r\n0\r\n\r\n$/);
      const line = await accessLine(gateway, `/${name}`);
      assert.equal(line['DownstreamStatus'], 200);
      await gateway.waitForLog(new RegExp(`"code":"upstream.reset_body"[^\\n]*"${name}@file"`));
    });
  }

  test('103 is not taken for the answer', async () => {
    const answer = parse(await exchangeRaw(gateway.port('web'), '/hints'));
    assert.equal(answer.statusLine, 'HTTP/1.1 200 OK');
    assert.equal(answer.body, 'ok');
  });

  test('a 100 nobody asked for is not taken for the answer', async () => {
    const answer = parse(await exchangeRaw(gateway.port('web'), '/continue'));
    assert.equal(answer.statusLine, 'HTTP/1.1 200 OK');
    assert.equal(servers['continue']?.connections.length, 1, 'asked once');
  });

  test('HEAD of a failure has the headers and no body', async () => {
    const client = await openRaw(gateway.port('web'));
    client.write('HEAD /refused HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await client.until(/\r\n\r\n/);
    client.write('GET /empty HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const text = await client.until(/no available server/);
    assert.match(text, /^HTTP\/1\.1 502 Bad Gateway\r\n(?:[^\r]+\r\n)+\r\nHTTP\/1\.1 503 /);
    client.destroy();
  });
});

describe('a kept connection that dies before a byte of the answer', () => {
  let gateway: TestGateway;
  let server: WireServer;

  before(async () => {
    // The first request of the first connection is answered; the second kills it, once it has arrived whole.
    server = await startWireServer((socket, text, nth) => {
      const asked = text.split('HTTP/1.1\r\n').length - 1;
      if (asked === 1) socket.write(ok);
      else if (nth === 0) socket.destroy();
    });
    gateway = await startGateway({
      static: { accessLog: testAccessLog },
      dynamic: routesTo({ kept: server.url }),
    });
  });
  after(async () => {
    await gateway?.stop();
    await server?.stop();
  });

  test('a GET is sent once more on a fresh connection', async () => {
    assert.equal((await fetch(`${gateway.url('web')}/kept/first`)).status, 200);
    assert.equal((await fetch(`${gateway.url('web')}/kept/second`)).status, 200);
    assert.equal(server.connections.length, 2);
    assert.equal((await accessLine(gateway, '/kept/second'))['RetryAttempts'], 1);
  });
});

describe('a kept connection that dies under a POST', () => {
  test('the POST is never sent twice', async () => {
    const server = await startWireServer((socket, text) => {
      const asked = text.split('HTTP/1.1\r\n').length - 1;
      if (asked === 1) socket.write(ok);
      else if (text.endsWith('body')) socket.destroy();
    });
    const gateway = await startGateway({
      static: { accessLog: testAccessLog },
      dynamic: routesTo({ kept: server.url }),
    });
    try {
      assert.equal((await fetch(`${gateway.url('web')}/kept`)).status, 200);
      const answer = await fetch(`${gateway.url('web')}/kept/post`, { method: 'POST', body: 'body' });
      assert.equal(answer.status, 502);
      const posts = server.connections.map((one) => one.text().split('POST ').length - 1);
      assert.equal(
        posts.reduce((sum, n) => sum + n, 0),
        1,
      );
      const line = await accessLine(gateway, '/kept/post');
      assert.equal(line['RetryAttempts'] ?? 0, 0);
    } finally {
      await gateway.stop();
      await server.stop();
    }
  });
});

describe('bytes after a complete answer', () => {
  test('never become the answer to the next request', async () => {
    const server = await startWireServer((socket, text) => {
      if (!text.endsWith('\r\n\r\n')) return;
      socket.write(`${ok}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison`);
    });
    const gateway = await startGateway({ dynamic: routesTo({ poison: server.url }) });
    try {
      const asked = Array.from({ length: 50 }, async () =>
        (await fetch(`${gateway.url('web')}/poison`)).text(),
      );
      assert.deepEqual(new Set(await Promise.all(asked)), new Set(['ok']));
    } finally {
      await gateway.stop();
      await server.stop();
    }
  });
});

describe('a server that does not accept', () => {
  test('is 504 once dialTimeout has passed', async () => {
    // A process that sleeps in its listen callback: the kernel takes connections until the backlog is full.
    const script = `const server = require('node:net').createServer();
      server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
        require('node:fs').writeSync(1, server.address().port + '\\n');
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
      });`;
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const fillers: Socket[] = [];
    let gateway: TestGateway | undefined;
    try {
      const port = Number(
        await new Promise<string>((resolve) =>
          child.stdout.once('data', (data: Buffer) => resolve(data.toString())),
        ),
      );
      await eventually('the backlog is full', async () => {
        const socket = connect(port, '127.0.0.1').on('error', () => {});
        fillers.push(socket);
        return Promise.race([
          new Promise<boolean>((resolve) => socket.once('connect', () => resolve(false))),
          new Promise<boolean>((resolve) => setTimeout(resolve, 300, true)),
        ]);
      });
      const dynamic = routesTo({
        full: { servers: [{ url: `http://127.0.0.1:${port}` }], serversTransport: 'short' },
      });
      gateway = await startGateway({
        dynamic: {
          http: {
            ...dynamic.http,
            serversTransports: { short: { forwardingTimeouts: { dialTimeout: '400ms' } } },
          },
        },
      });
      const answer = parse(await exchangeRaw(gateway.port('web'), '/full'));
      assert.equal(answer.statusLine, 'HTTP/1.1 504 Gateway Timeout');
      assert.equal(answer.body, 'Gateway Timeout');
      const upgrade =
        'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
      assert.match(
        await exchangeRaw(gateway.port('web'), '/full', upgrade),
        /^HTTP\/1\.1 504 Gateway Timeout/,
      );
    } finally {
      for (const socket of fillers) socket.destroy();
      child.kill('SIGKILL');
      await gateway?.stop();
    }
  });
});

describe('a server whose certificate is not trusted', () => {
  test('is 500, and 200 with insecureSkipVerify or its root', async () => {
    let server: TlsServer | undefined;
    const gateway = await startGateway({ static: { accessLog: testAccessLog } });
    try {
      const [key, cert] = [join(gateway.dir, 'key.pem'), join(gateway.dir, 'cert.pem')];
      const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'];
      const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
      execFileSync('openssl', ['req', '-x509', ...kind, '-keyout', key, '-out', cert, ...subject], {
        stdio: 'ignore',
      });
      server = createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) => {
        if (request.method !== 'POST') response.end('safe');
        else request.pipe(createHash('sha1').setEncoding('hex')).pipe(response);
      });
      await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', () => resolve()));
      const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const dynamic = routesTo({
        strict: url,
        skip: { servers: [{ url }], serversTransport: 'skip' },
        root: { servers: [{ url }], serversTransport: 'root' },
      });
      await gateway.writeDynamic({
        http: {
          ...dynamic.http,
          serversTransports: { skip: { insecureSkipVerify: true }, root: { rootCAs: [cert] } },
        },
      });
      const answer = parse(await exchangeRaw(gateway.port('web'), '/strict'));
      assert.equal(answer.statusLine, 'HTTP/1.1 500 Internal Server Error');
      assert.equal(answer.body, 'Internal Server Error');
      await gateway.waitForLog(/"code":"upstream.certificate"/);
      assert.equal(await (await fetch(`${gateway.url('web')}/skip`)).text(), 'safe');
      assert.equal(await (await fetch(`${gateway.url('web')}/root`)).text(), 'safe');
      const body = randomBytes(32 * 1024 * 1024);
      const uploaded = await fetch(`${gateway.url('web')}/skip`, { method: 'POST', body });
      assert.equal(await uploaded.text(), createHash('sha1').update(body).digest('hex'));
    } finally {
      server?.closeAllConnections();
      server?.close();
      await gateway.stop();
    }
  });
});

describe('a client that goes away', () => {
  test('while the server thinks: the server sees the end, the log says 499 once', async () => {
    const server = await startWireServer(() => {});
    const gateway = await startGateway({
      static: { accessLog: testAccessLog },
      dynamic: routesTo({ gone: server.url }),
    });
    try {
      const client = await openRaw(gateway.port('web'));
      client.write('GET /gone HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await eventually(
        'the server is asked',
        () => server.connections[0]?.text().includes('\r\n\r\n') === true,
      );
      client.destroy();
      await eventually('the server sees the end', () => server.connections[0]?.socket.closed === true);
      const line = await accessLine(gateway, '/gone');
      assert.equal(line['DownstreamStatus'], 499);
      assert.doesNotMatch(gateway.logs(), /"blame":"server"/);
    } finally {
      await gateway.stop();
      await server.stop();
    }
  });

  test('in the middle of the answer: the server sees the end and is not blamed', async () => {
    const server = await startWireServer((socket) => void socket.write('HTTP/1.1 200 OK\r\n\r\nbegin'));
    const gateway = await startGateway({
      static: { accessLog: testAccessLog },
      dynamic: routesTo({ gone: server.url }),
    });
    try {
      const client = await openRaw(gateway.port('web'));
      client.write('GET /gone HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await client.until(/begin/);
      client.destroy();
      await eventually('the server sees the end', () => server.connections[0]?.socket.closed === true);
      assert.equal((await accessLine(gateway, '/gone'))['DownstreamStatus'], 200);
      assert.doesNotMatch(gateway.logs(), /"blame":"server"/);
    } finally {
      await gateway.stop();
      await server.stop();
    }
  });

  test('in the middle of its upload: the server sees the end', async () => {
    const server = await startWireServer(() => {});
    const gateway = await startGateway({
      static: { accessLog: testAccessLog },
      dynamic: routesTo({ gone: server.url }),
    });
    try {
      const { port } = new URL(gateway.url('web'));
      const upload = httpRequest({
        port,
        host: '127.0.0.1',
        path: '/gone',
        method: 'POST',
        headers: { 'content-length': 1_000_000 },
      });
      upload.on('error', () => {});
      upload.write('x'.repeat(100_000));
      await eventually('bytes arrive', () => (server.connections[0]?.text().length ?? 0) > 50_000);
      upload.destroy();
      await eventually('the server sees the end', () => server.connections[0]?.socket.closed === true);
      assert.equal((await accessLine(gateway, '/gone'))['DownstreamStatus'], 499);
    } finally {
      await gateway.stop();
      await server.stop();
    }
  });
});

function parse(text: string): { statusLine: string; head: string; names: string[]; body: string } {
  const end = text.indexOf('\r\n\r\n');
  const head = text.slice(0, end + 2);
  const [statusLine = '', ...lines] = head.trimEnd().split('\r\n');
  const names = lines.map((line) => line.slice(0, line.indexOf(':')).toLowerCase()).sort();
  return { statusLine, head, names, body: text.slice(end + 4) };
}
